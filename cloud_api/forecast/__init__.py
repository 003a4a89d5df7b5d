"""A free space on arrival: forecasts of how many spaces will be free, and how good they were.

`occupancy` and `days` say what is learned from, `model` learns and forecasts, `distribution` counts free spaces,
`baselines` and `quality` hold it all to what came. Pure: no I/O, no clock.
Nothing asks it yet: what reads the store, keeps past forecasts and serves them is still to come.
"""
