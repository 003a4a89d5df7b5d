"""Parking over HTTP: what the present knows, in its envelope, and as a stream of what changes."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from cloud_api.feed import TTL_S, ZoneFeed, ZonesAnswer
from cloud_api.live import Live
from cloud_api.registry.current import CurrentRegistry
from cloud_api.stores import open_store
from cloud_api.stores.base import Store, StoredSpace
from edge.messages import SpaceState
from tests.bench.crowd import crowd_of
from tests.broker import Mosquitto
from tests.loopback import HTTP
from tests.town import NOW, PATIENCE_S, REGISTRY, Clock, PublishingGateway, gateway, serving, town_api, until

Json = dict[str, Any]
"""An answer as a caller reads it."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as opened:
        yield opened


@pytest.fixture
def edge(own_mosquitto: Mosquitto) -> Iterator[PublishingGateway]:
    with gateway(own_mosquitto) as it:
        yield it


@pytest.fixture(scope="module")
def silent_town(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a town of which no sensor ever spoke."""
    folder = tmp_path_factory.mktemp("silent")
    with (
        closing(open_store(f"sqlite:///{folder}/history.db")) as store,
        serving(town_api(mosquitto, store, folder, worker="silent")) as address,
    ):
        yield address


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of the stream."""

    name: str
    number: str
    data: Json


@contextmanager
def listening(address: str, query: str = "", **headers: str) -> Iterator[Iterator[ServerEvent]]:
    """The events of the stream, for the length of a `with`; a wait for one that does not come fails."""
    with HTTP.stream("GET", f"{address}/v1/parking/stream{query}", headers=headers, timeout=PATIENCE_S) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[ServerEvent]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        fields[name] = value
        if not line and "data" in fields:
            yield ServerEvent(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}


def zone(address: str, name: str) -> Json:
    zones: list[Json] = HTTP.get(f"{address}/v1/parking/zones").json()["data"]["zones"]
    return next(each for each in zones if each["id"] == name)


def test_zones_come_in_an_envelope_and_say_null_while_nothing_is_known(silent_town: str) -> None:
    body = HTTP.get(f"{silent_town}/v1/parking/zones").json()

    assert (body["last_updated"], body["ttl"], body["version"]) == ("2026-11-22T10:30:00Z", 10, "1.0")
    marche = body["data"]["zones"][0]
    assert (marche["id"], marche["capacity"], marche["free"], marche["unknown"]) == ("marche", 3, None, 3)
    assert marche["trust"] == "unknown"
    assert marche["cause"]["fr"]


def test_zones_come_compressed_and_not_twice(silent_town: str) -> None:
    url = f"{silent_town}/v1/parking/zones"
    plain = HTTP.get(url, headers={"Accept-Encoding": "identity"})
    packed = HTTP.get(url, headers={"Accept-Encoding": "gzip, br"})
    again = HTTP.get(url, headers={"Accept-Encoding": "gzip, br", "If-None-Match": packed.headers["etag"]})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "br"
    assert packed.json() == plain.json()
    assert (again.status_code, again.content, again.headers["vary"]) == (304, b"", "Accept-Encoding")


@pytest.mark.parametrize("zones", ["nowhere", "marche,nowhere", "", ",".join(["marche"] * 2000), "%00"])
def test_a_stream_of_zones_that_are_not_there_is_refused(silent_town: str, zones: str) -> None:
    answer = HTTP.get(f"{silent_town}/v1/parking/stream?zones={zones}")

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["field"] == "zones"


def test_a_change_at_a_space_is_in_its_zone(
    own_mosquitto: Mosquitto, store: Store, edge: PublishingGateway, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        edge.publish(edge.space(1, "d1", occupied=False), edge.space(2, "d2", occupied=True))

        until(lambda: zone(address, "marche")["unknown"] == 1)
        marche = zone(address, "marche")
        detail = HTTP.get(f"{address}/v1/parking/zones/marche").json()["data"]

    assert (marche["free"], marche["occupied"], marche["trust"]) == (1, 1, "fresh")
    assert [each["status"] for each in detail["spaces"]] == ["free", "occupied", "unknown"]


def test_after_a_restart_the_present_comes_back_from_what_the_broker_retained(
    own_mosquitto: Mosquitto, store: Store, edge: PublishingGateway, tmp_path: Path
) -> None:
    edge.publish(edge.space(1, "d4", occupied=False), edge.health(2, "d4"), edge.status())

    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: zone(address, "gare")["free"] == 1)


def test_after_a_restart_the_present_comes_back_from_the_store_where_the_broker_lost_it(
    own_mosquitto: Mosquitto, store: Store, tmp_path: Path
) -> None:
    state = SpaceState(device="d4", channel="1", occupied=False, at=NOW - timedelta(minutes=3))
    store.write([StoredSpace(gateway="gw-halles", state=state)])

    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        until(lambda: zone(address, "gare")["free"] == 1)


def test_a_space_that_goes_silent_is_no_longer_free_and_the_listeners_are_told(
    own_mosquitto: Mosquitto, store: Store, edge: PublishingGateway, tmp_path: Path
) -> None:
    clock = Clock()
    edge.publish(edge.space(1, "d4", occupied=False), edge.health(2, "d4"))
    with serving(town_api(own_mosquitto, store, tmp_path, clock=clock)) as address:
        until(lambda: zone(address, "gare")["free"] == 1)
        with listening(address) as events:
            assert next(events).name == "snapshot"
            clock.now = NOW + timedelta(minutes=26)
            told = next(events)

    assert (told.name, told.data["id"], told.data["free"], told.data["trust"]) == ("zone", "gare", None, "stale")


def test_the_stream_starts_with_all_zones_and_tells_each_change_with_a_number(
    own_mosquitto: Mosquitto, store: Store, edge: PublishingGateway, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address, listening(address) as events:
        snapshot = next(events)
        edge.publish(edge.space(1, "d4", occupied=False))
        change = next(events)

    assert [each["id"] for each in snapshot.data["data"]["zones"]] == ["marche", "gare"]
    assert (change.name, change.data["id"], change.data["free"]) == ("zone", "gare", 1)
    assert change.number != snapshot.number


def test_a_listener_that_comes_back_gets_what_it_missed(
    own_mosquitto: Mosquitto, store: Store, edge: PublishingGateway, tmp_path: Path
) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        with listening(address) as events:
            last = next(events)
        edge.publish(edge.space(1, "d4", occupied=False))
        until(lambda: zone(address, "gare")["free"] == 1)
        with listening(address, **{"Last-Event-ID": last.number}) as events:
            again = next(events)

    assert (again.name, again.data["id"], again.data["free"]) == ("zone", "gare", 1)


def test_a_listener_that_comes_back_from_another_run_gets_a_fresh_snapshot(
    own_mosquitto: Mosquitto, store: Store, tmp_path: Path
) -> None:
    with (
        serving(town_api(own_mosquitto, store, tmp_path)) as address,
        listening(address, **{"Last-Event-ID": "00000000-0"}) as events,
    ):
        assert next(events).name == "snapshot"


def test_a_listener_of_some_zones_hears_of_no_other(
    own_mosquitto: Mosquitto, store: Store, edge: PublishingGateway, tmp_path: Path
) -> None:
    with (
        serving(town_api(own_mosquitto, store, tmp_path)) as address,
        listening(address, "?zones=gare") as events,
    ):
        snapshot = next(events)
        edge.publish(edge.space(1, "d1", occupied=False))
        until(lambda: zone(address, "marche")["free"] == 1)
        edge.publish(edge.space(2, "d4", occupied=False))
        change = next(events)

    assert [each["id"] for each in snapshot.data["data"]["zones"]] == ["gare"]
    assert (change.data["id"], change.data["free"]) == ("gare", 1)


def test_a_server_told_to_stop_lets_its_listeners_go(own_mosquitto: Mosquitto, store: Store, tmp_path: Path) -> None:
    with serving(town_api(own_mosquitto, store, tmp_path)) as address:
        client = httpx.Client(timeout=PATIENCE_S)
        stream = client.stream("GET", f"{address}/v1/parking/stream")
        lines = stream.__enter__().iter_lines()
        assert next(lines).startswith("id: ")

    assert list(lines)[-1] == ""
    stream.__exit__(None, None, None)
    client.close()


def test_a_server_told_to_stop_lets_hundreds_of_listeners_go_without_being_forced(
    own_mosquitto: Mosquitto, store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def stop_amid_a_crowd(town: ExitStack, port: int) -> None:
        async with crowd_of(300, "127.0.0.1", port, "/v1/parking/stream"):
            await asyncio.to_thread(town.close)

    with ExitStack() as town:
        address = town.enter_context(serving(town_api(own_mosquitto, store, tmp_path)))
        asyncio.run(stop_amid_a_crowd(town, int(address.rpartition(":")[2])))

    assert "timeout graceful shutdown exceeded" not in caplog.text


def quiet_feed() -> tuple[Live, ZoneFeed]:
    live = Live(CurrentRegistry(REGISTRY))
    return live, ZoneFeed(live, CurrentRegistry(REGISTRY), NOW)


def say(live: Live, feed: ZoneFeed, number: int) -> None:
    state = SpaceState(device="d4", channel="1", occupied=number % 2 == 0, at=NOW + timedelta(milliseconds=number))
    feed.touch(live.remember([StoredSpace(gateway="gw-halles", state=state)], NOW))
    feed.look(NOW)


def test_the_prepared_answer_is_what_its_type_says() -> None:
    live, feed = quiet_feed()
    say(live, feed, 1)

    assert msgspec.json.decode(feed.prepared().body, type=ZonesAnswer) == feed.answer()


def test_the_answer_stays_the_same_bytes_while_nothing_changes_and_is_dated_anew_in_time() -> None:
    _, feed = quiet_feed()
    first = feed.prepared()

    feed.look(NOW + timedelta(seconds=TTL_S - 1))
    assert feed.prepared() is first

    feed.look(NOW + timedelta(seconds=TTL_S))
    assert feed.prepared() is not first


def test_a_change_is_in_the_answer_at_once() -> None:
    live, feed = quiet_feed()
    first = feed.prepared()

    say(live, feed, 1)

    assert feed.prepared() is not first
    assert feed.prepared() is feed.prepared()
