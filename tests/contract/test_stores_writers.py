"""What every store promises when several write at once, and in whatever order parts come."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.stores import open_store
from cloud_api.stores.base import (
    Channel,
    Store,
    StoredFlow,
)
from edge.messages import Flag
from tests.history import CHANNEL, DAY, MIDNIGHT, day, flow, summed
from tests.influx import InfluxServer
from tests.stores import day_of, fresh_name
from tests.stores import influx as influx
from tests.stores import store as store
from tests.stores import url as url


def test_two_threads_that_write_lose_nothing(store: Store) -> None:
    facts = day()
    batches = [facts[first : first + 12] for first in range(0, len(facts), 12)]

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(store.write, batches))

    assert day_of(store) == summed(facts)


def test_threads_that_write_the_same_facts_count_them_once(store: Store) -> None:
    facts = day()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(store.write, [facts] * 4))

    assert day_of(store) == summed(facts)


def test_reading_while_another_thread_writes_sees_each_hour_grow(store: Store) -> None:
    with ThreadPoolExecutor(1) as thread:
        written = thread.submit(lambda: [store.write([flow(part=part)]) for part in range(30)])
        seen = [sum(hour.parts for hour in day_of(store)) for _ in range(30)]
        written.result()

    assert seen == sorted(seen)
    assert [hour.parts for hour in day_of(store)] == [30]


def key(fact: StoredFlow) -> tuple[object, ...]:
    interval = fact.interval
    return (fact.epoch, interval.device, interval.channel, interval.mode, interval.start, interval.part)


counts = st.integers(min_value=0, max_value=2**40)
flows = st.builds(
    flow,
    st.integers(min_value=0, max_value=287).map(lambda index: MIDNIGHT + timedelta(minutes=5 * index)),
    in_=counts,
    out=st.none() | counts,
    part=st.integers(min_value=0, max_value=999_999),
    covered_s=st.integers(min_value=0, max_value=900),
    flags=st.sets(st.sampled_from(Flag)).map(lambda flags: tuple(sorted(flags))),
    channel=st.sampled_from([CHANNEL, Channel("b", "line1", ""), Channel("b", "line2", "bicycle")]),
    epoch=st.sampled_from(["0" * 16, "f" * 16]),
)
histories = st.lists(flows, max_size=30, unique_by=key)


def assert_parts_add_up_in_any_order(store: Store, facts: list[StoredFlow], random: Random) -> None:
    order = [*facts, *facts[::2]]
    random.shuffle(order)
    for first in range(0, len(order), 7):
        store.write(order[first : first + 7])

    channels = sorted({Channel(fact.interval.device, fact.interval.channel, fact.interval.mode) for fact in facts})
    assert store.channels() == channels
    assert store.hours(channels, MIDNIGHT, MIDNIGHT + DAY) == summed(facts)


@given(facts=histories, random=st.randoms(use_true_random=False))
def test_parts_add_up_in_any_order_in_sqlite(facts: list[StoredFlow], random: Random) -> None:
    with TemporaryDirectory() as folder, closing(open_store(f"sqlite:///{folder}/history.db")) as store:
        assert_parts_add_up_in_any_order(store, facts, random)


@given(facts=histories, random=st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_parts_add_up_in_any_order_in_influx(influx: InfluxServer, facts: list[StoredFlow], random: Random) -> None:
    with closing(open_store(influx.url(fresh_name()))) as store:
        assert_parts_add_up_in_any_order(store, facts, random)
