"""Tables for a person at a terminal, which also survive a pipe: there, no cell is folded to a guessed width."""

import sys

from rich.console import Console
from rich.table import Table

PIPED_WIDTH = 400
"""Columns where nobody looks."""


def console() -> Console:
    """Standard output: as wide as its terminal, as wide as needed in a pipe."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)


def print_table(table: Table) -> None:
    """Print a table to standard output."""
    console().print(table)
