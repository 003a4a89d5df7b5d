"""What a store promises of hours that it has settled, on SQLite and on a real InfluxDB: they are told as before."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.stores import open_store
from cloud_api.stores.address import SqliteAddress, parse_store_url
from cloud_api.stores.base import Hour, StoredFlow, StoreError
from cloud_api.stores.copying import copy_store
from cloud_api.stores.influx import InfluxStore
from cloud_api.stores.influx_marks import FENCE, GOOD_S
from cloud_api.stores.influx_points import kept_line_of
from cloud_api.stores.kept import CommittedFlow, Kept, fold
from cloud_api.stores.lasting import LastingStore
from edge.messages import Flag
from tests.history import CHANNEL, DAY, HOUR, MIDNIGHT, OTHER_EPOCH, day, flow, summed
from tests.influx import InfluxServer, without
from tests.stores import fresh_name
from tests.stores import influx as influx
from tests.stores import url as url
from tests.town import Clock

MINUTES_5 = timedelta(minutes=5)
SOON = MIDNIGHT + 4 * DAY
"""When the hours of the first day are some days old."""
LATE = [
    flow(part=1, in_=70, covered_s=0, flags=(Flag.LATE,)),
    flow(MIDNIGHT + 5 * HOUR, epoch=OTHER_EPOCH, in_=500),
    flow(MIDNIGHT + 30 * HOUR, in_=9),
]


@pytest.fixture
def clock() -> Clock:
    return Clock(MIDNIGHT + DAY)


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[LastingStore]:
    with closing(open_store(url, clock)) as opened:
        yield opened


@pytest.fixture
def database(influx: InfluxServer) -> str:
    return influx.url(fresh_name())


def hours(store: LastingStore, as_of: datetime | None = None) -> list[Hour]:
    return store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + 3 * DAY, as_of)


def settle(store: LastingStore, now: datetime = SOON) -> None:
    """As a timer runs it, until nothing is left to do."""
    for run in range(20):
        if not store.settle(now + run * 2 * FENCE):
            return
    raise AssertionError("settling does not come to an end")


def opened(url: str, clock: Clock, monotonic: Callable[[], float] = lambda: 0.0) -> InfluxStore:
    address = parse_store_url(url)
    assert not isinstance(address, SqliteAddress)
    return InfluxStore(address, clock, monotonic)


def test_settled_hours_are_told_as_before(store: LastingStore) -> None:
    facts = day()
    store.write(facts)

    settle(store)

    assert hours(store) == summed(facts)
    assert store.parts(CHANNEL, MIDNIGHT, MIDNIGHT + DAY) == [CommittedFlow(fact, MIDNIGHT + DAY) for fact in facts]
    assert store.kept(CHANNEL, MIDNIGHT, MIDNIGHT + DAY) == []


def test_what_comes_late_or_again_for_settled_hours_is_counted_once(store: LastingStore, clock: Clock) -> None:
    facts = day()
    store.write(facts)
    settle(store)

    for days in range(4):
        clock.now = SOON + days * DAY
        store.write([*LATE, *facts[::50]])
        assert hours(store) == summed([*facts, *LATE])
        settle(store, clock.now)
        assert hours(store) == summed([*facts, *LATE])


def test_late_parts_of_settled_hours_are_intervals_too(store: LastingStore) -> None:
    store.write([flow(in_=1), flow(MIDNIGHT + MINUTES_5, in_=2)])
    settle(store)

    for days in range(3):
        store.write([flow(in_=1), flow(part=1, in_=10, out=None), flow(MIDNIGHT + 2 * MINUTES_5, in_=4)])
        settle(store, SOON + days * DAY)

    told = store.intervals([CHANNEL], MIDNIGHT, MIDNIGHT + DAY)
    assert [(each.start, each.in_, each.out) for each in told] == [
        (MIDNIGHT, 11, 2),
        (MIDNIGHT + MINUTES_5, 2, 2),
        (MIDNIGHT + 2 * MINUTES_5, 4, 2),
    ]


def test_settled_hours_are_told_as_of_any_date_exactly(store: LastingStore, clock: Clock) -> None:
    """Parts of an hour that came one after the other, some within the hour, some a week later, one of them twice."""
    told: list[tuple[StoredFlow, datetime]] = []
    for minutes, fact in ((6, flow()), (12, flow(MIDNIGHT + MINUTES_5, in_=40)), (90, flow(part=1, in_=500))):
        clock.now = MIDNIGHT + timedelta(minutes=minutes)
        store.write([fact])
        told.append((fact, clock.now))
    settle(store)
    for days in (8, 9):
        clock.now = MIDNIGHT + days * DAY
        fact = flow(part=days, in_=1000 * days)
        store.write([fact])
        told.append((fact, clock.now))
        settle(store, clock.now)
    clock.now += 20 * DAY
    store.write([told[3][0]])

    for _ in range(2):
        for as_of in [MIDNIGHT, *(at for _, at in told), clock.now]:
            assert hours(store, as_of) == summed(fact for fact, at in told if at <= as_of)
        settle(store, clock.now)
    assert store.newest([CHANNEL], MIDNIGHT, MIDNIGHT + DAY) == told[-1][1]


def test_retention_after_settling_changes_no_hour(store: LastingStore) -> None:
    facts = day()
    store.write(facts)
    settle(store)
    store.write(LATE)
    settle(store, SOON + DAY)
    store.write([*LATE, flow(part=3, in_=6)])

    later = SOON + 400 * DAY
    for run in range(4):
        store.trim(MIDNIGHT + 2 * DAY, now=later + run * 2 * FENCE)

    assert store.trimmable(later) == 0
    assert hours(store) == summed([*facts, *LATE, flow(part=3, in_=6)])
    store.write(facts[::7])
    settle(store, later + DAY)
    settle(store, later + 2 * DAY)
    assert hours(store) == summed([*facts, *LATE, flow(part=3, in_=6)])


def test_a_settled_store_is_copied_whole(
    store: LastingStore, clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    facts = day()
    store.write(facts)
    settle(store)
    clock.now = SOON
    store.write(LATE)
    settle(store, SOON + DAY)
    with closing(open_store(f"sqlite:///{tmp_path_factory.mktemp('copy')}/history.db")) as target:
        copied = copy_store(store, target, lambda _what, _done, _total: None)

        assert (copied.parts, copied.sums) == (len(facts) + len(LATE), 0)
        for as_of in (None, MIDNIGHT + DAY, SOON):
            assert hours(target, as_of) == hours(store, as_of)


def test_settled_hours_are_told_without_their_parts(database: str, clock: Clock) -> None:
    facts = day()
    with closing(opened(database, clock)) as store:
        store.write(facts)
        settle(store)
        clock.now = SOON
        store.write(LATE)
        settle(store, SOON + 2 * DAY)

        store._server.delete('DELETE FROM "flow"')
        store._server.delete('DELETE FROM "flow_after"')

        assert hours(store) == summed([*facts, *LATE])


def _settle_for_days(store: LastingStore) -> None:
    for days in range(3):
        settle(store, SOON + days * DAY + FENCE)


def _die_after(store: InfluxStore, steps: int, patch: pytest.MonkeyPatch) -> None:
    """Changes of the server go through so many times, and never again."""
    left = [steps]
    for name in ("write", "delete"):
        change = getattr(store._server, name)

        def counted(text: str, change: Callable[[str], None] = change) -> None:
            if left[0] == 0:
                raise StoreError("killed")
            left[0] -= 1
            change(text)

        patch.setattr(store._server, name, counted)


@pytest.mark.parametrize("steps", range(9))
def test_a_process_that_dies_at_any_step_of_settling_is_made_good_by_the_next(
    database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Its steps: the sums of two days and their mark, the next announcement, the sums of what is late, its deletion."""
    facts = [*day()[::36], *day(start=MIDNIGHT + DAY)[::36]]
    late = [flow(part=1, in_=70), flow(MIDNIGHT + 30 * HOUR, part=1, in_=9)]
    with closing(opened(database, clock)) as store:
        store.write(facts)
        store.settle(SOON)
        store.write(late)
        with monkeypatch.context() as patch:
            _die_after(store, steps, patch)
            with pytest.raises(StoreError, match="killed"):
                _settle_for_days(store)
            assert hours(store) == summed([*facts, *late])
        settle(store, SOON + 3 * DAY)

        assert hours(store) == summed([*facts, *late])


def test_a_process_that_was_held_up_between_reading_and_summing_counts_nothing_twice(
    database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other makes the sums meanwhile, and days go by in which parts come late."""
    facts = day()[::12]
    with closing(opened(database, clock)) as slow, closing(opened(database, clock)) as other:
        slow.write(facts)
        slow.settle(SOON)
        keep = slow._parts.keep

        def held_up(sums: Sequence[Kept]) -> None:
            monkeypatch.setattr(slow._parts, "keep", keep)
            for days in range(3):
                settle(other, SOON + days * DAY + 2 * FENCE)
                other.write([flow(part=days + 2, in_=1000), facts[days], *LATE])
            keep(sums)

        monkeypatch.setattr(slow._parts, "keep", held_up)
        settle(slow, SOON + FENCE)

        wanted = summed([*facts, *LATE, *(flow(part=days + 2, in_=1000) for days in range(3))])
        assert hours(slow) == hours(other) == wanted
        settle(slow, SOON + 5 * DAY)
        assert hours(slow) == wanted


def test_a_writer_knows_what_is_summed_long_before_it_is(database: str, clock: Clock) -> None:
    """Two workers: one settles, the other asked for the mark just before it was announced."""
    seconds = [0.0]
    facts = day()[::12]
    with closing(opened(database, clock)) as settling, closing(opened(database, clock, lambda: seconds[0])) as writer:
        writer.write(facts)
        settling.settle(SOON)
        seconds[0] = GOOD_S
        writer.write([flow(part=4, in_=11)])
        assert settling.settle(SOON + FENCE - timedelta(seconds=1))
        seconds[0] = 2 * GOOD_S + 1
        settle(settling, SOON + FENCE + timedelta(seconds=1))
        writer.write([flow(part=5, in_=12)])

        assert hours(writer) == hours(settling) == summed([*facts, flow(part=4, in_=11), flow(part=5, in_=12)])


def test_a_part_that_comes_while_late_ones_are_added_is_not_deleted_with_them(
    database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, more = [0.0], flow(part=9, in_=1000)
    facts = day()[::12]
    with closing(opened(database, clock)) as settling, closing(opened(database, clock, lambda: seconds[0])) as writer:
        writer.write(facts)
        settle(settling)
        seconds[0] = GOOD_S + 1
        writer.write(LATE)
        delete = settling._server.delete

        def meanwhile(statement: str) -> None:
            monkeypatch.setattr(settling._server, "delete", delete)
            writer.write([more])
            delete(statement)

        monkeypatch.setattr(settling._server, "delete", meanwhile)
        settling.settle(SOON + DAY)
        seconds[0] = 2 * GOOD_S + 2
        settling.settle(SOON + DAY + 2 * FENCE)

        assert hours(settling) == summed([*facts, *LATE, more])


@pytest.mark.parametrize("field", ["in", "out", "covered_s", "parts", "keys", "committed"])
@pytest.mark.parametrize("settled", [False, True], ids=["first sums", "sums of what is late"])
def test_a_sum_that_is_being_written_is_not_there_yet(
    influx: InfluxServer, clock: Clock, field: str, *, settled: bool
) -> None:
    """The server shows a point field by field: for a moment one is missing."""
    name, facts, late = fresh_name(), day()[:24], flow(part=1, in_=70, out=5, covered_s=0)
    with closing(opened(influx.url(name), clock)) as store:
        store.write(facts)
        if settled:
            settle(store)
            store.write([late])
            facts.append(late)
        sums = fold(CommittedFlow(fact, clock.now) for fact in facts[-1:])
        influx.write(name, "\n".join(without(field, kept_line_of(each)) for each in sums))

        assert hours(store) == hours(store, clock.now) == summed(facts)
        assert store.kept(CHANNEL, MIDNIGHT, MIDNIGHT + DAY) == []


def test_sums_of_another_store_are_taken_once_or_refused_where_they_overlap(database: str, clock: Clock) -> None:
    parts = [CommittedFlow(flow(part=part, in_=10), clock.now) for part in range(3)]
    with closing(opened(database, clock)) as store:
        store.keep(fold(parts[:2]), MIDNIGHT + DAY)
        store.keep(fold(parts[:1]), MIDNIGHT + DAY)
        store.keep(fold(parts[:2]), MIDNIGHT + DAY)

        assert [hour.in_ for hour in hours(store)] == [20]
        with pytest.raises(StoreError, match="2f0c line1 at 2026-03-29T00:00Z some are here in another sum"):
            store.keep(fold(parts[1:]), MIDNIGHT + DAY)
        assert [hour.in_ for hour in hours(store)] == [20]


histories = st.lists(
    st.builds(
        flow,
        st.integers(min_value=0, max_value=30).map(lambda index: MIDNIGHT + 20 * index * MINUTES_5),
        in_=st.integers(min_value=0, max_value=2**40),
        out=st.none() | st.integers(min_value=0, max_value=99),
        part=st.integers(min_value=0, max_value=3),
        flags=st.sets(st.sampled_from(Flag), max_size=3).map(lambda flags: tuple(sorted(flags))),
        epoch=st.sampled_from(["0" * 16, "f" * 16]),
    ),
    max_size=20,
    unique_by=lambda fact: (fact.epoch, fact.interval.start, fact.interval.part),
)


@given(facts=histories, random=st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None)
def test_whatever_comes_between_settling_and_retention_is_counted_once_and_as_of_its_date(
    influx: InfluxServer, facts: list[StoredFlow], random: Random
) -> None:
    """Each part comes some day, and again after it was settled."""
    clock = Clock(MIDNIGHT + 2 * DAY)
    told: list[tuple[StoredFlow, datetime]] = []
    with closing(open_store(influx.url(fresh_name()), clock)) as store:
        for fact in random.sample(facts, len(facts)):
            store.write([fact])
            told.append((fact, clock.now))
            clock.now += random.choice((HOUR, DAY, 2 * DAY))
            if random.random() < 0.6:
                store.settle(clock.now)
        dates = [at for _, at in told[::4]]
        assert_told(store, told, dates)
        settle(store, clock.now + 5 * DAY)
        clock.now += 9 * DAY
        store.write(facts[::2])
        assert_told(store, told, dates)
        settle(store, clock.now)
        assert_told(store, told, dates)
        for run in range(4):
            store.trim(MIDNIGHT + random.randrange(4) * HOUR, now=clock.now + run * 2 * FENCE)
        assert hours(store) == summed(facts)


def assert_told(store: LastingStore, told: Sequence[tuple[StoredFlow, datetime]], dates: list[datetime]) -> None:
    assert hours(store) == summed(fact for fact, _ in told)
    for as_of in dates:
        assert hours(store, as_of) == summed(fact for fact, at in told if at <= as_of)
