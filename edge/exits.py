"""How a command of the gateway ends: one line on standard error, and an exit status that a script can tell apart."""

import sys

FAILED = 1
"""What was asked for could not be done: a frame that is none, a port that is not there."""
MISUSED = 2
"""What was asked for makes no sense: an unknown model, half a byte."""


def failed(text: str, status: int) -> SystemExit:
    """Say why on standard error; raise what this returns."""
    print(text, file=sys.stderr)
    return SystemExit(status)
