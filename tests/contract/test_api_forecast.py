"""Arrivals over HTTP: what a real server tells of them, what it refuses, and what it still knows after a restart."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_api.stores import open_store
from cloud_api.stores.base import Store, StoredSpace
from edge.messages import SpaceState
from tests.broker import Mosquitto
from tests.loopback import HTTP
from tests.town import NOW, Clock, serving, town_api, until

Json = dict[str, Any]
"""An answer as a caller reads it."""
WEEKS = 3
MARCHE = ("d1", "d2", "d3")
WRONG_LEADS = ("", "4", "181", "15,15", "15,30,45,60,90", "soon", "15,", "15;30", "-15", "1e2", "9" * 41)
UNKNOWN = ("zones/nowhere/forecast", "forecast/quality?zone=nowhere")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as opened:
        yield opened


def remember(store: Store) -> None:
    """The market's bays were taken in every second hour of the last weeks, and are free now."""
    changes = [
        SpaceState(device=device, channel="1", occupied=bool(hour % 2), at=at, since=at)
        for device in MARCHE
        for hour in range(1, WEEKS * 7 * 24)
        if (at := NOW - timedelta(hours=hour - 1, minutes=5))
    ]
    now_free = [each for each in changes if each.at < NOW - timedelta(minutes=10)]
    last = [SpaceState(device=device, channel="1", occupied=False, at=NOW, since=NOW) for device in MARCHE]
    store.write([StoredSpace(gateway="gw-halles", state=each) for each in (*now_free, *last)])


def forecast(address: str, zone: str = "marche", leads: str = "15,30,60") -> Json:
    answer = HTTP.get(f"{address}/v1/parking/zones/{zone}/forecast", params={"in": leads}).raise_for_status()
    body: Json = answer.json()
    return body


def quality(address: str, zone: str) -> list[Json]:
    zones: list[Json] = HTTP.get(f"{address}/v1/parking/forecast/quality").raise_for_status().json()["data"]["zones"]
    leads: list[Json] = next(each for each in zones if each["id"] == zone)["leads"]
    return leads


def test_a_zone_with_history_is_forecast_in_the_envelope_of_the_other_answers(
    own_mosquitto: Mosquitto, store: Store, tmp_path: Path
) -> None:
    remember(store)
    clock = Clock()
    with serving(town_api(own_mosquitto, store, tmp_path, clock=clock)) as address:
        until(lambda: forecast(address)["data"]["forecasts"][0]["probability"] is not None)
        body = forecast(address)
        clock.now += timedelta(minutes=2)
        until(lambda: "12 h 0" in _page_later(address, clock))

    assert (body["last_updated"], body["ttl"], body["version"]) == ("2026-11-22T10:30:00Z", 10, "1.0")
    assert (body["data"]["id"], body["data"]["audience"], body["data"]["capacity"]) == ("marche", "public", 3)
    assert [each["minutes"] for each in body["data"]["forecasts"]] == [15, 30, 60]
    for each in body["data"]["forecasts"]:
        assert 0 <= each["probability"] <= 1
        assert 0 <= each["low"] <= each["expected"] <= each["high"] <= 3
        assert each["method"] == "model"
        assert each["why"]["fr"]


def _page_later(address: str, clock: Clock) -> str:
    """The page two seconds on: it is written once a second by the town's clock."""
    clock.now += timedelta(seconds=2)
    return " ".join(HTTP.get(address).text.split())


def test_a_zone_of_which_nothing_is_known_says_null_and_why(
    own_mosquitto: Mosquitto, store: Store, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        (told,) = forecast(address, "gare", "5")["data"]["forecasts"]

    assert [told[name] for name in ("probability", "expected", "low", "high", "method")] == [None] * 5
    assert told["why"]["en"]


def test_lead_times_and_zones_that_cannot_be_are_refused_by_name(
    own_mosquitto: Mosquitto, store: Store, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        refused = [
            HTTP.get(f"{address}/v1/parking/zones/marche/forecast", params={"in": leads}) for leads in WRONG_LEADS
        ]
        unknown = [HTTP.get(f"{address}/v1/parking/{path}") for path in UNKNOWN]

    assert [(answer.status_code, answer.json()["errors"][0]["field"]) for answer in refused] == [(422, "in")] * len(
        WRONG_LEADS
    )
    assert [(answer.status_code, answer.json()["type"]) for answer in unknown] == [
        (404, "urn:passerelle:problem:unknown-zone")
    ] * len(UNKNOWN)


def test_what_was_forecast_is_verified_when_its_time_comes_and_a_restart_still_knows(
    own_mosquitto: Mosquitto, store: Store, tmp_path: Path
) -> None:
    remember(store)
    clock = Clock()
    with serving(town_api(own_mosquitto, store, tmp_path, clock=clock)) as address:
        until(lambda: forecast(address)["data"]["forecasts"][0]["probability"] is not None)
        for quarter in (1, 2):
            clock.now = NOW + quarter * timedelta(minutes=15)
            until(lambda: noted(tmp_path) == clock.now.timestamp() // 900)
    clock.now += timedelta(minutes=1)

    with serving(town_api(own_mosquitto, store, tmp_path, clock=clock)) as address:
        until(lambda: len(quality(address, "marche")) > 0)
        soon = quality(address, "marche")[0]
        first = HTTP.get(f"{address}/v1/parking/forecast/quality?zone=marche")
        again = HTTP.get(
            f"{address}/v1/parking/forecast/quality?zone=marche", headers={"If-None-Match": first.headers["etag"]}
        )

    assert (soon["minutes"], soon["scored"], soon["serves"]) == (15, 1, "model")
    assert (soon["since"], soon["until"]) == ("2026-11-22T11:00:00Z", "2026-11-22T11:00:00Z")
    assert set(soon["brier"]) == {"model", "as_now", "usual"}
    assert soon["covered"] in {0.0, 1.0}
    assert (again.status_code, again.content) == (304, b"")


def noted(folder: Path) -> int | None:
    """The last quarter-hour that is in the archive."""
    with closing(sqlite3.connect(folder / "test.ledger.forecasts.db")) as archive:
        last: int | None = archive.execute("SELECT max(quarter) FROM observed").fetchone()[0]
    return last
