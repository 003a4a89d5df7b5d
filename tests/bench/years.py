"""Five years of a hundred counters in both stores, hour by hour, as a town has them that brought its history along.

4.4 million facts one by one take the better part of an hour on InfluxDB: what four streets count is made into lines
once, and told under a hundred names. It gets what years of running leave there: an hourly sum of every hour but the
last two days', and the parts of the last thirteen months.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from math import pi, sin

import numpy as np
from msgspec import structs

from cloud_api.registry import Counter, Installation, Registry
from cloud_api.stores import open_store
from cloud_api.stores.address import SqliteAddress, parse_store_url
from cloud_api.stores.base import Channel, StoredFlow
from cloud_api.stores.influx_points import SUMMED, SUMMING, kept_line_of, line_of, mark_line_of
from cloud_api.stores.influx_server import InfluxServer
from cloud_api.stores.kept import CommittedFlow, fold
from tests.history import HOUR, flow
from tests.town import HERE

COUNTERS = 100
SINCE, END = datetime(2021, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
PARTS_KEPT = timedelta(days=396)
SUMMED_UNTIL = END - timedelta(days=2)
STREETS = 4
LINES_PER_WRITE = 5_000
CHANNELS = [Channel(f"c{number:03}", "line1", "pedestrian") for number in range(COUNTERS)]
HOURS = COUNTERS * ((END - SINCE) // HOUR)
TOWN = Registry(
    counters=[Counter(id=each.device, name=each.device, position=HERE, in_="in", out="out") for each in CHANNELS],
    installations=[
        Installation(place=each.device, device=each.device, channel=each.name, mode=each.mode, start=SINCE)
        for each in CHANNELS
    ],
)


def fill_sqlite(url: str) -> None:
    """By the way that an import takes: parts, a counter at a time."""
    with closing(open_store(url, lambda: END)) as store:
        for number in range(STREETS):
            street = _street(number)
            for channel in CHANNELS[number::STREETS]:
                store.write([_under(channel, each) for each in street])


def fill_influx(url: str) -> None:
    """Parts, sums, and the marks that tell how far they go."""
    address = parse_store_url(url)
    assert not isinstance(address, SqliteAddress)
    with closing(open_store(url)) as store:
        store.ready()
    server = InfluxServer(address)
    for number in range(STREETS):
        for lines in _batches(_street(number)):
            for channel in CHANNELS[number::STREETS]:
                server.write(lines.replace(_TEMPLATE, channel.device))
    for mark in (SUMMING, SUMMED):
        server.write(mark_line_of(mark, SUMMED_UNTIL, END))
    server.close()


_TEMPLATE = "c000"


def _under(channel: Channel, part: StoredFlow) -> StoredFlow:
    return structs.replace(part, interval=structs.replace(part.interval, device=channel.device))


def _street(number: int) -> list[StoredFlow]:
    """Five years of one street, quiet at night."""
    chance = np.random.default_rng(number)
    starts = [SINCE + hour * HOUR for hour in range((END - SINCE) // HOUR)]
    level = [4 + max(0.0, sin((each.hour - 6) / 18 * pi)) * 120 for each in starts]
    ins, outs = chance.poisson(level).tolist(), chance.poisson(level).tolist()
    return [_hour(start, in_, out) for start, in_, out in zip(starts, ins, outs, strict=True)]


def _hour(start: datetime, in_: int, out: int) -> StoredFlow:
    part = flow(start, in_=in_, out=out, covered_s=3600, channel=CHANNELS[0])
    return structs.replace(part, interval=structs.replace(part.interval, seconds=3600))


def _batches(street: Sequence[StoredFlow]) -> Iterator[str]:
    parts = [line_of(each, END) for each in street if each.interval.start >= END - PARTS_KEPT]
    past = (CommittedFlow(each, END) for each in street if each.interval.start < SUMMED_UNTIL)
    sums = [kept_line_of(each) for each in fold(past)]
    for lines in (parts, sums):
        for first in range(0, len(lines), LINES_PER_WRITE):
            yield "\n".join(lines[first : first + LINES_PER_WRITE])
