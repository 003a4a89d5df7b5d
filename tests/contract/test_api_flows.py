"""Hourly flows over HTTP: local hours with their offset, null where nobody measured, each installation its own way."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud_api.app import create_app
from cloud_api.registry import Counter, Installation, Position, Registry
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, Store
from edge.messages import Flag
from tests.broker import Mosquitto
from tests.history import flow
from tests.town import Clock, kept, serving

Json = dict[str, Any]
"""An answer as a caller reads it."""

OLD = Channel("old", "line1", "pedestrian")
NEW = Channel("new", "line1")
LEFT, RIGHT = Channel("left", "line1"), Channel("right", "line1")
SWAP = datetime(2026, 6, 1, 8, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Position(lat=47.2, lon=-1.5)
REGISTRY = Registry(
    counters=[
        Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie"),
        Counter(id="venelle", name="Venelle", position=HERE, in_="nord", out="sud"),
        Counter(id="boulevard", name="Boulevard", position=HERE, in_="nord", out="sud"),
    ],
    installations=[
        Installation(place="rue-haute", device="old", channel="line1", mode="pedestrian", start=START, end=SWAP),
        Installation(place="rue-haute", device="new", channel="line1", start=SWAP, reversed=True),
        Installation(place="venelle", device="hasty", channel="line1", start=START, factor=1.25),
        Installation(place="boulevard", device="left", channel="line1", start=START),
        Installation(place="boulevard", device="right", channel="line1", start=START),
    ],
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as opened:
        yield opened


@pytest.fixture
def client(mosquitto: Mosquitto, store: Store, tmp_path: Path) -> Iterator[httpx.Client]:
    settings = Settings(broker=Broker(host=mosquitto.host, port=mosquitto.port), ledger=tmp_path / "ledger.db")
    api = create_app(replace(settings, worker="flows"), store=store, registry=kept(REGISTRY, tmp_path), clock=Clock())
    with serving(api) as address, httpx.Client(base_url=address) as opened:
        yield opened


def hourly(client: httpx.Client, start: str, end: str, counter: str = "rue-haute") -> Json:
    answer = client.get("/v1/flows/hourly", params={"counter": counter, "from": start, "to": end})
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def full_hour(start: datetime, channel: Channel, *, in_: int, out: int) -> list[Any]:
    """Twelve intervals, all of the count in the first."""
    starts = [start + timedelta(minutes=5 * index) for index in range(12)]
    return [flow(at, channel=channel, in_=in_ if at == start else 0, out=out if at == start else 0) for at in starts]


def test_every_local_hour_of_a_day_appears_and_unknown_is_null(client: httpx.Client, store: Store) -> None:
    store.write(full_hour(datetime(2026, 3, 10, 9, tzinfo=UTC), OLD, in_=7, out=9))

    body = hourly(client, "2026-03-10", "2026-03-11")

    assert len(body["hours"]) == 24
    known = body["hours"][10]
    assert known["start"] == "2026-03-10T10:00:00+01:00"
    assert (known["in"], known["out"], known["covered_s"], known["coverage"]) == (7, 9, 3600, 1.0)
    unknown = body["hours"][11]
    assert (unknown["in"], unknown["out"], unknown["covered_s"], unknown["coverage"]) == (None, None, None, 0.0)
    assert body["totals"] == {"in": 7, "out": 9, "hours": 24, "hours_known": 1, "coverage": 0.0417}


def test_an_hour_of_nobody_is_zero_and_not_null(client: httpx.Client, store: Store) -> None:
    store.write(full_hour(datetime(2026, 3, 10, 2, tzinfo=UTC), OLD, in_=0, out=0))

    assert hourly(client, "2026-03-10", "2026-03-11")["hours"][3]["in"] == 0


def test_the_day_that_loses_an_hour_has_23(client: httpx.Client) -> None:
    starts = [hour["start"] for hour in hourly(client, "2026-03-29", "2026-03-30")["hours"]]

    assert len(starts) == 23
    assert starts[1:3] == ["2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"]


def test_the_day_that_repeats_an_hour_has_25_and_keeps_both_apart(client: httpx.Client, store: Store) -> None:
    store.write(full_hour(datetime(2026, 10, 25, 0, tzinfo=UTC), NEW, in_=1, out=10))
    store.write(full_hour(datetime(2026, 10, 25, 1, tzinfo=UTC), NEW, in_=2, out=20))

    hours = hourly(client, "2026-10-25", "2026-10-26")["hours"]

    assert len(hours) == 25
    assert [(hour["start"], hour["out"]) for hour in hours[2:4]] == [
        ("2026-10-25T02:00:00+02:00", 1),
        ("2026-10-25T02:00:00+01:00", 2),
    ]


def test_a_swapped_and_reversed_sensor_goes_on_with_its_counters_history(client: httpx.Client, store: Store) -> None:
    for channel in (OLD, NEW):
        store.write(full_hour(SWAP - timedelta(hours=1), channel, in_=1, out=100))
        store.write(full_hour(SWAP, channel, in_=1, out=100))

    hours = hourly(client, "2026-06-01T07:00:00Z", "2026-06-01T09:00:00Z")["hours"]

    assert [(hour["in"], hour["out"]) for hour in hours] == [(1, 100), (100, 1)]


def test_sensors_that_share_a_counter_add_up_and_a_missing_one_shows_in_the_coverage(
    client: httpx.Client, store: Store
) -> None:
    both, one = datetime(2026, 3, 10, 9, tzinfo=UTC), datetime(2026, 3, 10, 10, tzinfo=UTC)
    store.write(full_hour(both, LEFT, in_=1, out=2) + full_hour(both, RIGHT, in_=10, out=20))
    store.write(full_hour(one, LEFT, in_=3, out=4))

    hours = hourly(client, both.isoformat(), (one + timedelta(hours=1)).isoformat(), counter="boulevard")["hours"]

    assert [(hour["in"], hour["out"], hour["coverage"]) for hour in hours] == [(11, 22, 1.0), (3, 4, 0.5)]


def test_a_factor_from_a_manual_count_changes_what_the_place_tells_and_nothing_that_is_stored(
    client: httpx.Client, store: Store
) -> None:
    nine, hasty = datetime(2026, 3, 10, 9, tzinfo=UTC), Channel("hasty", "line1")
    store.write(full_hour(nine, hasty, in_=8, out=11))

    body = hourly(client, nine.isoformat(), (nine + timedelta(hours=1)).isoformat(), counter="venelle")

    assert body["calibrated"] is True
    assert [(hour["in"], hour["out"]) for hour in body["hours"]] == [(10, 14)]
    (stored,) = store.hours([hasty], nine, nine + timedelta(hours=1))
    assert (stored.in_, stored.out) == (8, 11)


def test_flags_and_partial_coverage_of_an_hour_are_told(client: httpx.Client, store: Store) -> None:
    nine = datetime(2026, 3, 10, 9, tzinfo=UTC)
    store.write([flow(nine, channel=OLD, flags=(Flag.SPREAD,)), flow(nine, channel=OLD, part=1, flags=(Flag.LATE,))])

    hour = hourly(client, nine.isoformat(), (nine + timedelta(hours=1)).isoformat())["hours"][0]

    assert hour["flags"] == ["late", "spread"]
    assert hour["covered_s"] == 600
    assert hour["coverage"] == pytest.approx(1 / 6, abs=1e-4)


def test_a_sensor_of_one_direction_leaves_the_other_null(client: httpx.Client, store: Store) -> None:
    nine = datetime(2026, 7, 10, 9, tzinfo=UTC)
    store.write([flow(nine, channel=NEW, in_=5, out=None)])

    body = hourly(client, nine.isoformat(), (nine + timedelta(hours=1)).isoformat())

    assert (body["hours"][0]["in"], body["hours"][0]["out"]) == (None, 5)
    assert (body["totals"]["in"], body["totals"]["out"]) == (None, 5)


def test_the_list_of_counters_names_their_directions(client: httpx.Client) -> None:
    counters = client.get("/v1/flows/counters").json()["counters"]

    assert [each["id"] for each in counters] == ["rue-haute", "venelle", "boulevard"]
    assert counters[0]["directions"] == {"in": "vers la gare", "out": "vers la mairie"}
    assert (counters[0]["trust"], counters[0]["measured_at"]) == ("unknown", None)


def test_the_last_hour_of_every_counter_is_told_with_what_is_usual_there(
    mosquitto: Mosquitto, store: Store, tmp_path: Path
) -> None:
    clock = Clock(datetime(2026, 7, 18, 10, 2, tzinfo=UTC))
    for weeks in range(6):
        store.write(full_hour(datetime(2026, 7, 18, 9, tzinfo=UTC) - timedelta(weeks=weeks), NEW, in_=30, out=12))
    settings = Settings(broker=Broker(host=mosquitto.host, port=mosquitto.port), ledger=tmp_path / "ledger.db")
    api = create_app(replace(settings, worker="now"), store=store, registry=kept(REGISTRY, tmp_path), clock=clock)

    with serving(api) as address, httpx.Client(base_url=address) as client:
        street, lane, _ = client.get("/v1/flows/now").json()["data"]["counters"]

    assert street["last_hour"] == {
        "from": "2026-07-18T11:00:00+02:00",
        "to": "2026-07-18T12:00:00+02:00",
        "in": 12,
        "out": 30,
        "coverage": 1.0,
        "usual": {"median": 42, "low": 42, "high": 42, "days": 5},
        "busyness": "usual",
    }
    assert (lane["id"], lane["last_hour"]["in"], lane["last_hour"]["busyness"]) == ("venelle", None, None)
