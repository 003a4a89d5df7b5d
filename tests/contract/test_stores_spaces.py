"""What every store promises of parking spaces and of places corrected by a person: states, changes, corrections."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.stores import open_store
from cloud_api.stores.base import (
    SpaceChange,
    Store,
    StoredSpace,
)
from tests.history import DAY, HOUR, MIDNIGHT, correction, space
from tests.stores import AWKWARD_NAMES
from tests.stores import influx as influx
from tests.stores import store as store
from tests.stores import url as url
from tests.town import Clock


def test_the_newest_state_wins_in_whatever_order_it_was_written(store: Store) -> None:
    newest = space(MIDNIGHT + 2 * HOUR, occupied=False, since=MIDNIGHT + HOUR)

    store.write([space(MIDNIGHT + HOUR)])
    store.write([newest])
    store.write([space(MIDNIGHT, occupied=True, since=MIDNIGHT)])

    assert store.last_states() == [newest]


def test_states_are_told_by_device_and_channel(store: Store) -> None:
    states = [space(device=device, name=name) for device in ("a", "b") for name in ("1", "2")]

    store.write(list(reversed(states)))

    assert store.last_states() == states


def test_a_state_is_kept_to_the_microsecond(store: Store) -> None:
    precise = space(
        datetime(2026, 3, 29, 1, 2, 3, 456789, tzinfo=UTC), since=datetime(2026, 3, 29, 1, 2, 3, 1, tzinfo=UTC)
    )

    store.write([precise])

    assert store.last_states() == [precise]


def test_states_far_in_the_future_are_the_newest(store: Store) -> None:
    wrong_clock = space(datetime(2199, 12, 31, tzinfo=UTC))

    store.write([wrong_clock, space()])

    assert store.last_states() == [wrong_clock]


def test_a_change_told_by_many_heartbeats_is_one(store: Store) -> None:
    store.write([*_stay(MIDNIGHT, occupied=True), *_stay(MIDNIGHT + 5 * HOUR, occupied=False)])

    assert store.changes(["5a11"], MIDNIGHT, MIDNIGHT + DAY) == [
        SpaceChange(device="5a11", channel="1", at=MIDNIGHT, occupied=True),
        SpaceChange(device="5a11", channel="1", at=MIDNIGHT + 5 * HOUR, occupied=False),
    ]


def test_changes_are_those_of_the_period_and_of_the_sensors_asked_for(store: Store) -> None:
    others = [space(since=MIDNIGHT, device="0b"), space(MIDNIGHT + HOUR, since=None)]
    store.write([*others, *_stay(MIDNIGHT - HOUR, occupied=True), *_stay(MIDNIGHT + DAY, occupied=False)])

    assert store.changes(["5a11"], MIDNIGHT, MIDNIGHT + DAY) == []
    assert store.changes([], MIDNIGHT, MIDNIGHT + DAY) == []
    assert len(store.changes(["0b", "5a11"], MIDNIGHT - DAY, MIDNIGHT + 2 * DAY)) == 3


def _stay(since: datetime, *, occupied: bool) -> list[StoredSpace]:
    """A state that was told four times, an hour apart, from the moment it began."""
    return [space(since + count * HOUR, occupied=occupied, since=since) for count in range(4)]


def test_corrections_are_kept_as_facts_beside_each_other(url: str) -> None:
    known = [correction(), correction(MIDNIGHT + timedelta(seconds=1), occupied=12)]
    with closing(open_store(url)) as first:
        first.correct([*known, correction(place="gare")])
        first.correct(known[:1])
        first.correct([])

    with closing(open_store(url)) as second:
        assert second.corrections("halles", MIDNIGHT, MIDNIGHT + DAY) == known
        assert second.corrections("halles", MIDNIGHT, MIDNIGHT + timedelta(seconds=1)) == known[:1]
        assert second.corrections("port", MIDNIGHT, MIDNIGHT + DAY) == []


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_awkward_names_of_sensors_and_places_come_back_whole(store: Store, name: str) -> None:
    store.write([space(since=MIDNIGHT, device=name)])
    store.correct([correction(place=name)])

    assert [change.device for change in store.changes([name], MIDNIGHT, MIDNIGHT + DAY)] == [name]
    assert store.corrections(name, MIDNIGHT, MIDNIGHT + DAY) == [correction(place=name)]


def test_a_change_of_a_space_that_was_told_after_a_date_is_told_apart(url: str) -> None:
    clock = Clock(MIDNIGHT + DAY)
    with closing(open_store(url, clock)) as store:
        store.write([space(since=MIDNIGHT)])
        then = clock.now
        clock.now += HOUR
        later = MIDNIGHT + HOUR
        store.write([space(later, since=MIDNIGHT), space(later + HOUR, since=later, occupied=False)])

        known = store.changes(["5a11"], MIDNIGHT, MIDNIGHT + DAY, then)

        assert [each.at for each in known] == [MIDNIGHT]
        assert [each.at for each in store.changes(["5a11"], MIDNIGHT, MIDNIGHT + DAY)] == [MIDNIGHT, later]
