"""What forecasts cost a town of 60 zones and 2,000 spaces: to learn, to note every quarter-hour, to tell, to keep."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np

from cloud_api.feed import ZoneFeed
from cloud_api.forecast.archive import FORECASTS_KEPT, Archive, Issued, Observed
from cloud_api.forecast.arrival import JUDGED
from cloud_api.forecast.occupancy import QUARTER, quarter_of
from cloud_api.forecast.quality import Method
from cloud_api.forecaster import Forecaster
from cloud_api.live import Live
from cloud_api.registry import Installation, Registry, Space, Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.settings import Settings
from cloud_api.stores import open_store
from tests.bench.table import Row
from tests.foretold import MONDAY, words
from tests.town import HERE, START, Clock

ZONES, SPACES = 60, 2_000
LEARNED = 14 * 96
"""Quarter-hours of history."""
NOTED = 20
ASKED = 2_000
GOAL_MS = 1.0
TOWN = Registry(
    zones=[Zone(id=f"z{number}", name=f"Zone {number}", position=HERE) for number in range(ZONES)],
    spaces=[Space(id=f"s{number}", zone=f"z{number % ZONES}") for number in range(SPACES)],
    installations=[
        Installation(place=f"s{number}", device=f"d{number}", channel="1", start=START) for number in range(SPACES)
    ],
)


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with (
        TemporaryDirectory() as folder,
        closing(open_store(f"sqlite:///{folder}/history.db")) as store,
        closing(Archive(Path(folder) / "forecasts.db")) as archive,
    ):
        _observe(archive)
        registry, clock = CurrentRegistry(TOWN), Clock(MONDAY)
        live = Live(registry)
        feed = ZoneFeed(live, registry, clock.now)
        forecaster = Forecaster(
            Settings(),
            store=store,
            registry=registry,
            feed=ZoneFeed(live, registry, clock.now),
            archive=archive,
            clock=clock,
        )
        yield from asyncio.run(_measured(forecaster, live, feed, clock))
        yield Row("the archive of one zone's forecasts of four weeks", _kept_bytes(Path(folder) / "one.db") / 1e6, "MB")


async def _measured(forecaster: Forecaster, live: Live, feed: ZoneFeed, clock: Clock) -> list[Row]:
    begin = process_time()
    await forecaster.learn(clock.now)
    learning, noting = process_time() - begin, 0.0
    for _ in range(NOTED):
        clock.now += QUARTER
        feed.touch(live.remember(words([number % 3 > 0 for number in range(SPACES)], clock.now), clock.now))
        feed.look(clock.now)
        begin = perf_counter()
        await forecaster.note(clock.now)
        noting += perf_counter() - begin
    anew = _asked(forecaster, clock, [(5 + number, 30 + number, 60 + number) for number in range(ASKED // ZONES)])
    kept = _asked(forecaster, clock, [(5, 30, 60)] * (ASKED // ZONES))
    return [
        Row("a zone learned from two weeks, once an hour, in a thread", 1e3 * learning / ZONES, "ms"),
        Row(f"a quarter-hour noted: {ZONES} zones, {len(JUDGED)} lead times", 1e3 * noting / NOTED, "ms"),
        Row("three lead times told, made anew", anew, "ms", GOAL_MS, "goal"),
        Row("three lead times told, kept for 10 s", kept, "ms", GOAL_MS, "goal"),
    ]


def _asked(forecaster: Forecaster, clock: Clock, leads: list[tuple[int, int, int]]) -> float:
    """Milliseconds for an answer, every zone asked for each of these lead times."""
    begin = process_time()
    for minutes in leads:
        for zone in TOWN.zones.values():
            forecaster.look(zone, minutes, clock.now)
    return 1e3 * (process_time() - begin) / len(leads) / ZONES


def _observe(archive: Archive) -> None:
    """Zones that are fuller by day."""
    generator = np.random.default_rng(1)
    first = quarter_of(MONDAY) - LEARNED
    per_zone = SPACES // ZONES
    for quarter in range(first, first + LEARNED):
        busy = 0.5 - 0.4 * np.cos(2 * np.pi * (quarter % 96) / 96)
        free = generator.binomial(per_zone, 1 - busy, ZONES)
        observed = [
            Observed(zone=f"z{number}", quarter=quarter, spaces=per_zone, free=int(each))
            for number, each in enumerate(free)
        ]
        archive.note(quarter, observed, [], ())


def _kept_bytes(file: Path) -> int:
    """What four weeks of one zone take."""
    first = quarter_of(MONDAY)
    issued = [
        Issued(
            zone="place-du-marche",
            minutes=minutes,
            due=due,
            spaces=33,
            method=Method.MODEL,
            probability=1 / 3,
            expected=2 / 3,
            low=0,
            high=3,
            model=1 / 3,
            as_now=1,
            usual=1 / 7,
        )
        for minutes in JUDGED
        for due in range(first, first + FORECASTS_KEPT)
    ]
    with closing(Archive(file)) as archive:
        archive.note(first, [], issued, ())
    return file.stat().st_size
