"""A free space on arrival: forecasts of how many spaces will be free, and how good they were.

`occupancy` and `days` say what is learned from, `model` learns and forecasts, `distribution` counts free spaces,
`baselines`, `quality` and `record` hold it all to what came, `present` and `arrival` say what a driver is told: pure,
no I/O, no clock. `past` reads the store and `archive` keeps what was forecast; `cloud_api/forecaster.py` runs them.
"""
