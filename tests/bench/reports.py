"""How long reports take, and how much memory: a month and a year of 10 and of 100 counters, from both stores.

Each is made by the command, in a process of its own, as pages. Each store holds a part for every quarter of an hour, 14
months of them: 4 million. Writing them takes minutes, so this section runs when it is asked for.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from cloud_api.registry import Counter, Installation, Position, Registry
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, Store, StoredFlow
from tests.bench.table import Row
from tests.history import flow
from tests.influx import InfluxServer
from tests.town import kept

COUNTERS = 100
START = datetime(2025, 9, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)
AT_ONCE = timedelta(days=30)
"""Of one counter, written together."""
CHANNELS = [Channel(f"c{number:03}", "line1", "pedestrian") for number in range(COUNTERS)]
TOWN = Registry(
    counters=[
        Counter(id=each.device, name=each.device, position=Position(lat=47.2, lon=-1.5), in_="in", out="out")
        for each in CHANNELS
    ],
    installations=[
        Installation(place=each.device, device=each.device, channel=each.name, mode=each.mode, start=START)
        for each in CHANNELS
    ],
)
PERIODS = {"a month": ("2026-10-01", "2026-11-01"), "a year": ("2025-11-01", "2026-11-01")}
KIB = 1024
MIB = 1024 * KIB


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        server = InfluxServer(folder)
        server.start()
        stack.callback(server.stop)
        kept(TOWN, folder).close()
        urls = (f"sqlite:///{folder}/history.db", server.url("history"))
        for url in urls:
            with closing(open_store(url, lambda: END)) as store:
                _fill(store)
        for counters in (10, COUNTERS):
            for what, period in PERIODS.items():
                yield from _measured(folder, urls, f"{counters} counters, {what}", counters, period)


def _measured(folder: Path, urls: tuple[str, str], what: str, counters: int, period: tuple[str, str]) -> Iterator[Row]:
    ours, other = (_report(folder, url, counters, period) for url in urls)
    yield Row(what, ours[0], "s", other[0], "InfluxDB")
    yield Row(f"{what}: peak memory", ours[1], "MiB", other[1], "InfluxDB")


def _report(folder: Path, url: str, counters: int, period: tuple[str, str]) -> tuple[float, float]:
    """Seconds, and the largest number of MiB that the process held."""
    command = [
        *(str(Path(sys.executable).with_name("passerelle")), "report", "flows"),
        *("--store", url, "--registry", f"{folder}/registry.db"),
        *("--from", period[0], "--to", period[1], "--output", f"{folder}/report.pdf"),
        *(word for channel in CHANNELS[:counters] for word in ("--place", channel.device)),
    ]
    begin = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the report of {counters} counters ended with {status}")
    return perf_counter() - begin, used.ru_maxrss * KIB / MIB


def _fill(store: Store) -> None:
    chance = np.random.default_rng(7)
    for first in range((END - START) // AT_ONCE + 1):
        start = START + first * AT_ONCE
        steps = (min(start + AT_ONCE, END) - start) // STEP
        starts = [start + step * STEP for step in range(steps)]
        level = [1 + max(0.0, sin((each.hour - 6) / 18 * 3.14)) * 30 for each in starts]
        for channel in CHANNELS:
            in_, out = chance.poisson(level), chance.poisson(level)
            parts = zip(starts, in_.tolist(), out.tolist(), strict=True)
            store.write([_part(channel, *each) for each in parts])


def _part(channel: Channel, start: datetime, in_: int, out: int) -> StoredFlow:
    return flow(start, in_=in_, out=out, covered_s=int(STEP.total_seconds()), channel=channel)
