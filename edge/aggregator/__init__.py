"""Readings become facts here, in numpy and plain values: pure functions, no I/O, no clock of their own.

`admission` refuses repeats, `tracking` turns radar targets into passages, `ranging` distances into passages or
presence, `flows` and `spaces` make facts of readings, `device` puts them together: (state, observation) -> (state,
facts). State is a value: it is the checkpoint.
"""
