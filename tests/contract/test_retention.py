"""What retention promises, on SQLite and on a real InfluxDB: parts go, hours stay, and nothing is counted twice."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.app import create_app
from cloud_api.retention import Policy, apply
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from cloud_api.stores.address import SqliteAddress, parse_store_url
from cloud_api.stores.base import Channel, Hour, RefusedFactError
from cloud_api.stores.influx import InfluxStore
from cloud_api.stores.influx_marks import FENCE
from cloud_api.stores.influx_marks import GOOD_S as HORIZON_GOOD_S
from cloud_api.stores.influx_points import FLOW
from cloud_api.stores.kept import CommittedFlow, fold, hours_of, key_of, keys_of, keys_text
from cloud_api.stores.lasting import LastingStore
from cloud_api.stores.sqlite import SqliteStore
from edge.messages import Flag
from tests.broker import Mosquitto
from tests.history import CHANNEL, DAY, HOUR, MIDNIGHT, OTHER_EPOCH, day, flow, summed
from tests.influx import InfluxServer
from tests.registries import registry_at
from tests.stores import fresh_name
from tests.stores import influx as influx
from tests.stores import url as url
from tests.town import Clock, serving, until

LATER = MIDNIGHT + 400 * DAY
"""When retention is run."""
LINE_2 = Channel("2f0c", "line2", "bicycle")
PAST = [
    *day(),
    *day(LINE_2),
    flow(part=1, in_=7, covered_s=0, flags=(Flag.LATE,)),
    flow(epoch=OTHER_EPOCH, in_=100),
    flow(MIDNIGHT + HOUR, part=3, out=None, flags=(Flag.RESET, Flag.SPLIT)),
]


@pytest.fixture
def clock() -> Clock:
    return Clock(MIDNIGHT + timedelta(minutes=30))


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[LastingStore]:
    with closing(open_store(url, clock)) as opened:
        yield opened


def hours(store: LastingStore, as_of: datetime | None = None) -> list[Hour]:
    return store.hours([CHANNEL, LINE_2], MIDNIGHT, MIDNIGHT + 2 * DAY, as_of)


def trim(store: LastingStore, before: datetime, now: datetime = LATER) -> int:
    """Retention as a timer runs it, until nothing is left to do: how many parts went."""
    gone = 0
    for run in range(50):
        done = store.trim(before, now=now + run * 2 * FENCE)
        gone += done.parts
        if not done.more:
            return gone
    raise AssertionError("retention does not come to an end")


def test_hours_are_the_same_after_retention_to_the_unit(store: LastingStore) -> None:
    store.write(PAST)
    before = hours(store)
    assert before == summed(PAST)

    assert trim(store, MIDNIGHT + DAY) == len(PAST)

    assert hours(store) == before
    assert store.trimmable(MIDNIGHT + DAY) == 0
    assert store.channels() == [CHANNEL, LINE_2]


def test_only_what_is_older_goes(store: LastingStore) -> None:
    store.write(PAST)

    trim(store, MIDNIGHT + 6 * HOUR + timedelta(minutes=20))

    assert store.horizon() == MIDNIGHT + 6 * HOUR
    assert hours(store) == summed(PAST)
    told = store.intervals([CHANNEL], MIDNIGHT, MIDNIGHT + DAY)
    assert [each.start for each in told] == [MIDNIGHT + 6 * HOUR + timedelta(minutes=5 * n) for n in range(18 * 12)]


def test_what_comes_again_after_its_part_went_is_counted_once(store: LastingStore) -> None:
    store.write(PAST)
    trim(store, MIDNIGHT + DAY)

    store.write(PAST)
    assert hours(store) == summed(PAST)
    trim(store, MIDNIGHT + DAY, LATER + DAY)
    store.write(PAST[::3])

    assert hours(store) == summed(PAST)


def test_a_late_part_of_a_trimmed_interval_is_counted_once_however_often_it_comes(store: LastingStore) -> None:
    late = [flow(part=2, in_=1000, covered_s=0, flags=(Flag.LATE,)), flow(in_=5, epoch="aa" * 8, channel=LINE_2)]
    store.write(PAST)
    trim(store, MIDNIGHT + DAY)

    for _ in range(3):
        store.write([*late, *PAST[:5]])
        assert hours(store) == summed([*PAST, *late])
    trim(store, MIDNIGHT + DAY, LATER + DAY)
    store.write(late)

    assert hours(store) == summed([*PAST, *late])


def test_a_part_that_comes_again_between_announcement_and_retention_is_counted_once(store: LastingStore) -> None:
    late = flow(part=5, in_=9)
    store.write(PAST)
    store.trim(MIDNIGHT + DAY, now=LATER)

    store.write([*PAST[:100], late])

    assert hours(store) == summed([*PAST, late])
    trim(store, MIDNIGHT + DAY, LATER + 2 * FENCE)
    assert hours(store) == summed([*PAST, late])


def test_a_channel_that_is_new_to_a_trimmed_day_is_counted(store: LastingStore) -> None:
    store.write(day())
    trim(store, MIDNIGHT + DAY)

    store.write(day(LINE_2))

    assert hours(store) == summed([*day(), *day(LINE_2)])
    assert store.channels() == [CHANNEL, LINE_2]


def test_a_report_as_of_a_date_is_the_same_after_retention(store: LastingStore, clock: Clock) -> None:
    store.write(PAST)
    clock.now = MIDNIGHT + 10 * DAY
    store.write([flow(part=7, in_=50)])
    clock.now = MIDNIGHT + 20 * DAY
    store.write([flow(part=8, in_=60)])
    dates = [None, MIDNIGHT, *(MIDNIGHT + days * DAY for days in (1, 10, 15, 25))]
    before = [hours(store, as_of) for as_of in dates]

    trim(store, MIDNIGHT + DAY)

    assert [hours(store, as_of) for as_of in dates] == before
    assert before[1] == []
    assert before[2] == summed(PAST)


def test_retention_may_be_run_by_two_at_once(url: str) -> None:
    with closing(open_store(url)) as first, closing(open_store(url)) as second:
        first.write(PAST)
        for run in range(3):
            for store in (first, second):
                store.trim(MIDNIGHT + DAY, now=LATER + run * 2 * FENCE)

        assert hours(first) == hours(second) == summed(PAST)


def test_hours_that_are_forgotten_are_gone_and_what_comes_for_them_is_refused(store: LastingStore) -> None:
    store.write(PAST)
    trim(store, MIDNIGHT + 6 * HOUR)

    store.forget(MIDNIGHT + 2 * HOUR + timedelta(minutes=20), now=LATER)

    left = [fact for fact in PAST if fact.interval.start >= MIDNIGHT + 2 * HOUR]
    assert store.forgotten() == MIDNIGHT + 2 * HOUR
    assert hours(store) == summed(left)
    with pytest.raises(RefusedFactError, match="before 2026-03-29: hours before it are kept no longer") as refusal:
        store.write([flow(part=5), flow(MIDNIGHT + 2 * HOUR, part=6)])
    assert refusal.value.fact == flow(part=5)
    assert hours(store) == summed([*left, flow(MIDNIGHT + 2 * HOUR, part=6)])
    store.forget(MIDNIGHT, now=LATER + DAY)
    assert store.forgotten() == MIDNIGHT + 2 * HOUR


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        (Policy(), (24, 288)),
        (Policy(raw=13), (24, 0)),
        (Policy(raw=13, hours=24), (24, 0)),
        (Policy(raw=2, hours=13), (0, 0)),
    ],
)
def test_a_policy_lets_go_what_it_says(url: str, policy: Policy, left: tuple[int, int]) -> None:
    with closing(open_store(url)) as store:
        store.write(day())
        for run in range(3):
            apply(policy, store, LATER + run * 2 * FENCE)

        assert (len(hours(store)), store.trimmable(LATER)) == left


def test_an_api_that_runs_trims_by_itself(own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    settings = Settings(
        broker=Broker(host=own_mosquitto.host, port=own_mosquitto.port), ledger=tmp_path / "ledger.db", keep_raw=13
    )
    with (
        closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store,
        closing(registry_at(tmp_path / "registry.db")) as registry,
    ):
        store.write([*day(), *day(start=LATER - DAY)])
        with serving(create_app(settings, store=store, registry=registry, clock=Clock(LATER))):
            until(lambda: store.trimmable(LATER) == 288)

        assert hours(store) == summed(day())


def test_nothing_happens_to_a_store_without_a_past(store: LastingStore) -> None:
    assert trim(store, MIDNIGHT) == 0
    assert store.trimmable(LATER) == 0

    store.write(PAST)

    assert hours(store) == summed(PAST)


def test_the_horizon_never_goes_back(store: LastingStore) -> None:
    store.write(PAST)
    trim(store, MIDNIGHT + DAY)
    trim(store, MIDNIGHT + HOUR, LATER + DAY)

    assert store.horizon() == MIDNIGHT + DAY


histories = st.lists(
    st.builds(
        flow,
        st.integers(min_value=0, max_value=100).map(lambda index: MIDNIGHT + timedelta(minutes=5 * index)),
        in_=st.integers(min_value=0, max_value=2**40),
        out=st.none() | st.integers(min_value=0, max_value=99),
        part=st.integers(min_value=0, max_value=999_999),
        flags=st.sets(st.sampled_from(Flag)).map(lambda flags: tuple(sorted(flags))),
        channel=st.sampled_from([CHANNEL, LINE_2]),
        epoch=st.sampled_from(["0" * 16, "f" * 16]),
    ),
    max_size=25,
    unique_by=lambda fact: (fact.epoch, fact.interval.channel, fact.interval.start, fact.interval.part),
)


def assert_retention_changes_no_hour(store: LastingStore, facts: list[object], random: Random) -> None:
    """Facts come in any order and again, while retention is run between them."""
    flows = [fact for fact in facts if isinstance(fact, type(flow()))]
    order = [*flows, *flows[::2], *flows[::3]]
    random.shuffle(order)
    for turn, first in enumerate(range(0, len(order), 6)):
        store.write(order[first : first + 6])
        store.trim(MIDNIGHT + random.randrange(9) * HOUR, now=LATER + turn * 2 * FENCE)
    assert hours(store) == summed(flows)


@given(facts=histories, random=st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_retention_in_any_order_changes_no_hour_in_sqlite(facts: list[object], random: Random) -> None:
    with TemporaryDirectory() as folder, closing(open_store(f"sqlite:///{folder}/history.db")) as store:
        assert_retention_changes_no_hour(store, facts, random)


@given(facts=histories, random=st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_retention_in_any_order_changes_no_hour_in_influx(
    influx: InfluxServer, facts: list[object], random: Random
) -> None:
    with closing(open_store(influx.url(fresh_name()))) as store:
        assert_retention_changes_no_hour(store, facts, random)


@given(st.sets(st.integers(min_value=0, max_value=3599).map(lambda second: second * 1_000_000) | st.integers(0, 99)))
def test_keys_come_back_from_their_text(keys: set[int]) -> None:
    assert keys_of(keys_text(keys)) == keys


def test_a_key_tells_parts_of_one_hour_apart() -> None:
    parts = [flow(MIDNIGHT + timedelta(minutes=5 * n), part=part) for n in range(12) for part in (0, 1, 999_999)]

    assert len({key_of(part.interval) for part in parts}) == len(parts)


def test_a_fold_adds_up_to_the_same_hours() -> None:
    parts = [CommittedFlow(fact, MIDNIGHT) for fact in PAST]

    assert sorted(hours_of(fold(parts), parts[:50]), key=lambda hour: (hour.channel, hour.start)) == summed(PAST)


def test_a_writer_on_influxdb_knows_the_horizon_long_before_parts_go(influx: InfluxServer) -> None:
    """Two workers: one trims, the other asked for the horizon just before it was announced."""
    address, seconds = parse_store_url(influx.url(fresh_name())), [0.0]
    assert not isinstance(address, SqliteAddress)
    late = flow(part=4, in_=11)
    with (
        closing(InfluxStore(address)) as trimmer,
        closing(InfluxStore(address, monotonic=lambda: seconds[0])) as writer,
    ):
        writer.write(PAST)
        trimmer.trim(MIDNIGHT + DAY, now=LATER)
        seconds[0] = HORIZON_GOOD_S
        writer.write([late])
        assert timedelta(seconds=HORIZON_GOOD_S) * 5 < FENCE
        assert trimmer.trim(MIDNIGHT + DAY, now=LATER + FENCE - timedelta(seconds=1)).parts == 0

        assert trimmer.trim(MIDNIGHT + DAY, now=LATER + FENCE + timedelta(seconds=1)).parts == len(PAST) + 1
        seconds[0] = 2 * HORIZON_GOOD_S + 1
        writer.write([late, flow(part=6, in_=12)])

        assert hours(writer) == hours(trimmer) == summed([*PAST, late, flow(part=6, in_=12)])


def test_a_run_that_was_cut_off_between_sums_and_deletion_is_finished_by_the_next(influx: InfluxServer) -> None:
    address = parse_store_url(influx.url(fresh_name()))
    assert not isinstance(address, SqliteAddress)
    with closing(InfluxStore(address)) as store:
        store.write(PAST)
        store.trim(MIDNIGHT + DAY, now=LATER)
        store._parts.sum_up(FLOW, [CHANNEL], MIDNIGHT, MIDNIGHT + DAY)
        assert hours(store) == summed(PAST)

        trim(store, MIDNIGHT + DAY, LATER + 2 * FENCE)

        assert hours(store) == summed(PAST)
        assert store.trimmable(LATER) == 0


def test_a_long_past_goes_in_several_runs(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_api.stores.sqlite.PARTS_PER_RUN", 300)
    monkeypatch.setattr("cloud_api.stores.influx_lasting.PARTS_PER_RUN", 300)
    facts = [fact for n in range(5) for fact in day(start=MIDNIGHT + n * DAY)]
    with closing(open_store(url)) as store:
        store.write(facts)
        runs = [store.trim(MIDNIGHT + 5 * DAY, now=LATER + run * 2 * FENCE) for run in range(4)]

        assert sum(run.parts for run in runs) == len(facts)
        assert max(run.parts for run in runs) == 576
        assert not runs[-1].more
        assert store.hours([CHANNEL], MIDNIGHT, MIDNIGHT + 5 * DAY) == summed(facts)


def test_a_sqlite_hour_is_the_sum_over_parts_and_what_is_kept() -> None:
    with TemporaryDirectory() as folder, closing(open_store(f"sqlite:///{folder}/h.db")) as store:
        assert isinstance(store, SqliteStore)
        store.write(PAST)
        trim(store, MIDNIGHT + 12 * HOUR)
        store.write([flow(part=9)])
        with store._reading() as connection:
            rollup = connection.execute("SELECT sum(in_), sum(out), sum(covered_s), sum(parts) FROM hour").fetchone()
            apart = connection.execute(
                "SELECT sum(in_), sum(out), sum(covered_s), sum(parts) FROM ("
                "SELECT in_, out, covered_s, parts FROM kept UNION ALL SELECT in_, out, covered_s, 1 FROM part)"
            ).fetchone()
        assert rollup == apart
        assert datetime(2026, 3, 29, 12, tzinfo=UTC) == store.horizon()
