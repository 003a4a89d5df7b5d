"""The last hour against what is usual: comparable days, the right way round, never from what nobody measured."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.flows_now import DAYS, UNKNOWN, Busyness, LastHour, Span, days_like, last_hours
from cloud_api.forecast.days import Calendar
from cloud_api.registry import Counter, Installation, Position, Registry
from cloud_api.stores.base import Channel, Store
from cloud_api.stores.sqlite import SqliteStore
from tests.history import flow

PARIS = ZoneInfo("Europe/Paris")
CALENDAR = Calendar(None)
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 10, 7, tzinfo=UTC)
"""A Saturday."""
HERE = Position(lat=47.2, lon=-1.5)
LINE = Channel("c1", "line1", "pedestrian")


def town(*installations: Installation) -> Registry:
    counter = Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie")
    return Registry(counters=[counter], installations=installations)


def serves(channel: Channel = LINE, *, reversed_: bool = False, factor: float = 1.0) -> Installation:
    return Installation(
        place="rue-haute",
        device=channel.device,
        channel=channel.name,
        mode=channel.mode,
        start=START,
        reversed=reversed_,
        factor=factor,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(SqliteStore(tmp_path / "history.db")) as opened:
        yield opened


def count(store: Store, end: datetime, *, each: int = 10, intervals: int = 12, channel: Channel = LINE) -> None:
    """Intervals of five minutes that end at `end`, each with `each` in and two out."""
    starts = [end - timedelta(minutes=5 * (index + 1)) for index in range(intervals)]
    store.write([flow(start, in_=each, out=2, channel=channel) for start in starts])


def weeks_before(end: datetime, weeks: int) -> datetime:
    """The same local time so many weeks earlier."""
    return (end.astimezone(PARIS) - timedelta(weeks=weeks)).astimezone(UTC)


def last_hour(store: Store, registry: Registry, now: datetime = NOW) -> LastHour:
    return last_hours(registry, store, now, PARIS, CALENDAR)["rue-haute"]


def test_it_is_the_hour_before_the_last_that_the_counter_told_of(store: Store) -> None:
    count(store, NOW.replace(minute=5), intervals=20)

    told = last_hour(store, town(serves()))

    assert (told.in_, told.out, told.coverage) == (120, 24, 1.0)
    assert told.end is not None
    assert told.end.isoformat() == "2026-11-21T11:05:00+01:00"
    assert (told.usual, told.busyness) == (None, None)


def test_what_nobody_measured_is_unknown_and_not_nobody(store: Store) -> None:
    count(store, NOW - timedelta(hours=3))

    assert last_hour(store, town(serves())) == UNKNOWN
    assert last_hour(store, town()) == UNKNOWN


@pytest.mark.parametrize(
    ("each", "expected"), [(10, Busyness.USUAL), (40, Busyness.BUSIER), (1, Busyness.QUIETER)], ids=str
)
def test_it_is_compared_with_the_same_local_hour_of_the_same_weekday(
    store: Store, each: int, expected: Busyness
) -> None:
    end = NOW.replace(minute=5)
    count(store, end, each=each)
    for weeks in range(1, DAYS + 1):
        count(store, weeks_before(end, weeks), each=8 + weeks % 4)
        count(store, weeks_before(end, weeks) - timedelta(days=1), each=500)

    told = last_hour(store, town(serves()))

    assert told.usual is not None
    assert told.usual.days == DAYS
    assert 120 <= told.usual.low <= told.usual.median <= told.usual.high <= 156
    assert told.busyness is expected


def test_an_hour_measured_in_part_is_told_but_not_compared(store: Store) -> None:
    end = NOW.replace(minute=5)
    count(store, end, intervals=6)
    for weeks in range(1, 6):
        count(store, weeks_before(end, weeks))

    told = last_hour(store, town(serves()))

    assert (told.in_, told.coverage, told.busyness) == (60, 0.5, None)
    assert told.usual is not None


def test_a_past_hour_measured_in_part_is_not_usual(store: Store) -> None:
    end = NOW.replace(minute=5)
    count(store, end)
    for weeks in range(1, 5):
        count(store, weeks_before(end, weeks), intervals=6 if weeks == 2 else 12)

    assert last_hour(store, town(serves())).usual is None


def test_each_installation_counts_its_own_way_round_and_by_its_factor(store: Store) -> None:
    other = Channel("c2", "line1", "pedestrian")
    end = NOW.replace(minute=5)
    count(store, end)
    count(store, end, channel=other)

    told = last_hour(store, town(serves(), serves(other, reversed_=True, factor=1.5)))

    assert (told.in_, told.out) == (120 + 36, 24 + 180)
    assert told.coverage == 1.0


def test_just_after_midnight_the_last_hour_of_yesterday_is_compared_too(store: Store) -> None:
    end = datetime(2026, 11, 20, 22, 55, tzinfo=UTC)
    for weeks in range(6):
        count(store, weeks_before(end, weeks))

    told = last_hour(store, town(serves()), now=end + timedelta(minutes=8))

    assert told.busyness is Busyness.USUAL


def test_a_public_holiday_is_compared_with_sundays() -> None:
    armistice, sunday = date(2026, 11, 11), date(2026, 11, 15)
    assert {(armistice - timedelta(days=ago)).weekday() for ago in days_like(armistice, CALENDAR)} == {6}
    assert 4 in days_like(sunday, CALENDAR)


@given(minutes=st.integers(0, 60 * 24 * 330), days=st.integers(1, 70))
def test_the_same_time_of_another_day_is_as_long_and_ends_at_the_same_local_time(minutes: int, days: int) -> None:
    end = START + timedelta(days=70, minutes=minutes)

    that = Span(end - timedelta(hours=1), end).days_before(days, PARIS)

    assert that.end - that.start == timedelta(hours=1)
    assert (end.astimezone(PARIS).date() - that.end.astimezone(PARIS).date()).days == days
