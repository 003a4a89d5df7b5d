"""How long after a restart of the API 5,000 spaces are told again: half from the broker, half from the store.

The API runs in this process, with its real server, a real broker and an SQLite store, and is asked all the while.
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import httpx

from tests.bench.table import Row
from tests.broker import running_mosquitto
from tests.large_town import SPACES, is_whole, leave_behind, restarted, zones
from tests.town import until

RESTARTS = 5
GOAL_S = 2.0
PATIENCE_S = 60.0


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with TemporaryDirectory() as name, TemporaryDirectory() as folder, running_mosquitto(Path(name)) as broker:
        leave_behind(broker, Path(folder))
        times = []
        for _ in range(RESTARTS):
            begin = perf_counter()
            with restarted(broker, Path(folder)) as client:
                _wait(client)
                times.append(perf_counter() - begin)
    yield Row(f"{SPACES:,} spaces told again after a restart, median of {RESTARTS}", median(times), "s", GOAL_S, "goal")
    yield Row("  the slowest", max(times), "s", GOAL_S, "goal")


def _wait(client: httpx.Client) -> None:
    until(lambda: is_whole(zones(client)), PATIENCE_S)
