"""What a measurement is, and how all of them are printed."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import process_time

from rich.console import Console
from rich.table import Table

RUNS = 5
LIBRARIES = (
    "numpy",
    "msgspec",
    "paho-mqtt",
    "pyserial",
    "bleak",
    "fastapi",
    "uvicorn",
    "uvloop",
    "httptools",
    "brotli",
)


SERVERS = {
    "SQLite": (sys.executable, "-c", "import sqlite3; print(sqlite3.sqlite_version)"),
    "mosquitto": ("mosquitto", "-h"),
    "InfluxDB": ("influxd", "version"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, beside a reference measured in the same run where there is one."""

    what: str
    ours: float
    unit: str
    reference: float | None = None
    reference_is: str = ""

    @property
    def ratio(self) -> str:
        """Ours as a part of the reference."""
        return "" if not self.reference else f"{self.ours / self.reference:.3g}"


def rate(work: Callable[[], int], clock: Callable[[], float] = process_time) -> float:
    """Units of work a second, the median of several runs; `work` returns how many units it did.

    By processor time, which the machine's other work does not touch; give `perf_counter` where the disk counts too.
    """
    return median(_timed(work, clock) for _ in range(RUNS))


def _timed(work: Callable[[], int], clock: Callable[[], float]) -> float:
    begin = clock()
    units = work()
    return units / (clock() - begin)


def show(sections: Iterable[tuple[str, Iterable[Row]]]) -> None:
    """Print machine and versions, then each section (its title, its rows) as soon as it is measured."""
    console = Console(width=160)
    console.print(f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    console.print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    console.print(", ".join(f"{name} {_version_of(command)}" for name, command in SERVERS.items()))
    console.print(f"{os.getloadavg()[0]:.2g} processes were at work on this machine when the measuring began")
    for title, rows in sections:
        console.print(f"\n[bold]{title}[/bold]")
        console.print(_table(rows))


def _table(rows: Iterable[Row]) -> Table:
    table = Table("what", "ours", "unit", "reference", "ratio", "the reference is", box=None, pad_edge=False)
    for row in rows:
        reference = "" if row.reference is None else f"{row.reference:,.4g}"
        table.add_row(row.what, f"{row.ours:,.4g}", row.unit, reference, row.ratio, row.reference_is)
    return table


def _version_of(command: Sequence[str]) -> str:
    """The first number with dots that a program says of itself; a dash where it is not installed."""
    try:
        said = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return "-"
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else "-"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
