"""The past that a forecast learns from, as a real store holds it: of bays, of entrances, and of what no store knows."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from cloud_api.forecast.occupancy import Occupancy, quarter_of
from cloud_api.forecast.past import HOLD, filled, told_past
from cloud_api.registry import Installation, Registry, Space, Zone
from cloud_api.registry.places import Audience, Capacity, Counting, FeedSource
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, Correction, CorrectionCause, Store
from tests.foretold import MONDAY, words
from tests.history import flow
from tests.town import HERE, START

HOUR = timedelta(hours=1)
GATE = Channel("e1", "gate", "vehicle")
STREET = Zone(id="halles", name="Rue des Halles", position=HERE)
GARE = Zone(
    id="gare", name="Parking de la Gare", position=HERE, counting=Counting.ENTRANCES, capacity=Capacity(public=100)
)
EFFIA = Zone(id="effia", name="Effia", position=HERE, counting=Counting.FEED, feed=FeedSource(name="effia", id="7"))
TOWN = Registry(
    zones=[STREET, GARE, EFFIA],
    spaces=[
        Space(id="h0", zone="halles"),
        Space(id="h1", zone="halles"),
        Space(id="h2", zone="halles", audience=Audience.PMR),
    ],
    installations=[
        Installation(place="h0", device="d0", channel="1", start=START),
        Installation(place="h1", device="d1", channel="1", start=START, end=MONDAY + HOUR),
        Installation(place="h1", device="d3", channel="1", start=MONDAY + HOUR),
        Installation(place="h2", device="d2", channel="1", start=START),
        Installation(place="gare", device="e1", channel="gate", mode="vehicle", start=START),
    ],
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as opened:
        yield opened


def past(store: Store, zone: Zone, hours: int) -> list[float]:
    """How full it was at each full hour from `MONDAY` on."""
    first = quarter_of(MONDAY)
    told = told_past(store, TOWN, zone, range(first, first + 4 * hours))
    return [told.at(first + 4 * hour) for hour in range(hours)]


def test_bays_are_followed_through_a_change_of_sensor_and_reserved_ones_left_out(store: Store) -> None:
    store.write(words([True, True, True, False], MONDAY - HOUR))
    store.write(words([True, True, False, True], MONDAY + 2 * HOUR, [True, True, True, False]))
    store.write(words([False, False, False, False], MONDAY + 3 * HOUR, [True, True, False, True]))

    assert past(store, STREET, 5) == [1, 1, 1, 0, 0]


def test_a_bay_that_never_changes_is_unknown_in_the_end(store: Store) -> None:
    store.write(words([True, True], MONDAY))
    hours = int(HOLD / HOUR)

    assert past(store, STREET, hours + 2)[hours:] == pytest.approx([1, np.nan], nan_ok=True)


def test_a_car_park_is_what_its_entrances_counted(store: Store) -> None:
    said = Correction(place="gare", at=MONDAY + HOUR, occupied=40, cause=CorrectionCause.MANUAL)
    store.correct([said])
    passing = [MONDAY + number * timedelta(minutes=5) for number in range(48)]
    store.write([flow(start, in_=2, out=1, channel=GATE) for start in passing])

    assert past(store, GARE, 4) == pytest.approx([np.nan, np.nan, 0.52, 0.64], nan_ok=True)


def test_of_what_another_operator_tells_no_store_has_a_past(store: Store) -> None:
    assert np.isnan(past(store, EFFIA, 4)).all()


def test_what_was_observed_goes_before_what_the_store_holds() -> None:
    observed = Occupancy(100, np.array([0.2, np.nan, np.nan]))
    told = Occupancy(100, np.array([0.9, 0.5, np.nan]))

    assert filled(observed, told).share == pytest.approx([0.2, 0.5, np.nan], nan_ok=True)
