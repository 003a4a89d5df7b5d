"""How long a counter's hours take to be told out of three years of a hundred counters, from both stores.

Each store holds a part for every quarter of an hour, the longest interval a gateway may be given: 10.5 million. Writing
them takes many minutes, so this section runs when it is asked for.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from zoneinfo import ZoneInfo

from msgspec import structs

from cloud_api.flows import hourly_flows
from cloud_api.periods import Period
from cloud_api.registry import Counter, Installation, Position, Registry
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, Store, StoredFlow
from tests.bench.table import Row
from tests.history import flow
from tests.influx import InfluxServer

PARIS = ZoneInfo("Europe/Paris")
COUNTERS = 100
START = datetime(2023, 11, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)
MONTH = Period(END - timedelta(days=30), END)
YEAR = Period(END - timedelta(days=365), END)
STEP = timedelta(minutes=15)
AT_ONCE = timedelta(days=30)
"""Of one counter, written together."""
RUNS = 5
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


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        server = InfluxServer(folder)
        server.start()
        stack.callback(server.stop)
        ours = stack.enter_context(closing(open_store(f"sqlite:///{folder}/history.db")))
        other = stack.enter_context(closing(open_store(server.url("history"))))
        filled = {store: _fill(store) for store in (ours, other)}
        parts = COUNTERS * ((END - START) // STEP)
        yield Row(f"{parts:,} parts written", parts / filled[ours], "parts/s", parts / filled[other], "InfluxDB")
        for what, counters, period in (
            ("one counter, a month hour by hour", 1, MONTH),
            ("all counters, a month", COUNTERS, MONTH),
            ("one counter, a year", 1, YEAR),
        ):
            yield Row(what, _seconds(ours, counters, period), "s", _seconds(other, counters, period), "InfluxDB")


def _fill(store: Store) -> float:
    begin = perf_counter()
    for first in range((END - START) // AT_ONCE + 1):
        start = START + first * AT_ONCE
        steps = (min(start + AT_ONCE, END) - start) // STEP
        for channel in CHANNELS:
            store.write([_part(channel, start + step * STEP) for step in range(steps)])
    return perf_counter() - begin


def _part(channel: Channel, start: datetime) -> StoredFlow:
    part = flow(start, in_=start.minute, out=start.hour, covered_s=STEP.seconds, channel=channel)
    return structs.replace(part, interval=structs.replace(part.interval, seconds=STEP.seconds))


def _seconds(store: Store, counters: int, period: Period) -> float:
    times = []
    for _ in range(RUNS):
        begin = perf_counter()
        for channel in CHANNELS[:counters]:
            hourly_flows(TOWN, store, TOWN.counters[channel.device], period, PARIS)
        times.append(perf_counter() - begin)
    return median(times)
