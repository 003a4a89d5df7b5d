"""A test on the spot over HTTP: a real gateway shows a bay's frames, the platform judges, signs and prints."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from cloud_api.app import create_app
from cloud_api.provisioning.signing import is_signed
from cloud_api.registry import Device, Installation, Position, Registry, Space, Zone
from cloud_api.registry.places import Gateway as GatewayEntry
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from edge import running_links
from edge.clock import Clock as EdgeClock
from edge.config import LinkConfig
from edge.drivers.links.base import Arrival, Inbox, Link
from edge.drivers.links.serial_port import SerialConfig
from edge.gateway import Gateway
from edge.intake import Intake
from edge.readings import DeviceAddress, Frame
from tests.broker import Mosquitto
from tests.clocks import ManualClock
from tests.gateways import NAME, configuration, running
from tests.loopback import HTTP
from tests.town import NOW, PATIENCE_S, Clock, kept, serving, until

BAY = DeviceAddress("0004a30b00ff0001")
TOWN = Registry(
    zones=[Zone(id="marche", name="Place du Marché", position=Position(lat=47.2, lon=-1.5))],
    spaces=[Space(id="m1", zone="marche")],
    gateways=[GatewayEntry(name=NAME, label="Mairie", managed=True)],
    devices=[Device(address=BAY, model="bosch-tps110", gateway=NAME)],
    installations=[Installation(place="m1", device=BAY, channel="1", start=NOW - timedelta(hours=1))],
)
PATH = "/v1/acceptances"


class Radio(Link):
    """Hands over what a test puts in."""

    kind = "radio"

    def __init__(self, name: str, frames: "asyncio.Queue[bytes]") -> None:
        super().__init__(name)
        self._frames = frames

    async def run(self, inbox: Inbox) -> None:
        self.opened.set()
        while True:
            payload = await self.patiently(self._frames.get)
            await inbox(Arrival(Frame(device=BAY, payload=payload, port=1, rssi_dbm=-90.0, snr_db=7.0)))


@dataclass(frozen=True)
class Spot:
    """Where a technician stands: a running API, and a key."""

    client: httpx.Client
    clock: Clock
    broker: Mosquitto

    def post(self, body: dict[str, Any], **params: str) -> httpx.Response:
        """A test to be judged."""
        return self.client.post(PATH, json=body, params=params)

    def test(self, errand: str, *legs: tuple[str, int, int]) -> dict[str, Any]:
        """A test of the bay; legs as (act, start, end), in seconds after NOW."""
        dated = [{"act": act, "start": stamp(start), "end": stamp(end)} for act, start, end in legs]
        return {"device": BAY, "channel": "1", "errands": [errand], "legs": dated, "note": "pluie"}


def stamp(seconds: int) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def spot(own_mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Spot]:
    registry, clock = kept(TOWN, tmp_path), Clock()
    settings = Settings(broker=Broker(host=own_mosquitto.host, port=own_mosquitto.port), ledger=tmp_path / "ledger.db")
    _, secret = registry.keys.create("Anne", [Scope.PROVISION], by="test", at=NOW)
    headers = {"Authorization": f"Bearer {secret}"}
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        api = create_app(settings, store=store, registry=registry, clock=clock)
        with serving(api) as address, httpx.Client(base_url=address, timeout=PATIENCE_S, headers=headers) as client:
            until(lambda: client.get("/readyz").is_success)
            until(lambda: client.get(f"{PATH}/x").status_code == HTTPStatus.NOT_FOUND)
            yield Spot(client, clock, own_mosquitto)
    registry.close()


def with_radio(
    spot: Spot,
    folder: Path,
    patch: pytest.MonkeyPatch,
    scenario: Callable[[ManualClock, Callable[[bytes], None]], None],
) -> None:
    """A gateway whose one link brings what the scenario sends."""

    async def both() -> None:
        frames: asyncio.Queue[bytes] = asyncio.Queue()

        def open_link(config: LinkConfig, _clock: EdgeClock, _intake: Intake) -> Link:
            return Radio(config.name, frames)

        patch.setattr(running_links, "open_link", open_link)
        clock, loop = ManualClock(NOW), asyncio.get_running_loop()
        links = (SerialConfig(name="lora", port="/dev/ttyS0", model="hlk-ld2450", device="radar"),)
        it = Gateway(configuration(folder, spot.broker, links), clock)

        def send(payload: bytes) -> None:
            loop.call_soon_threadsafe(frames.put_nowait, payload)

        async with running(it):
            await asyncio.to_thread(until, lambda: it.intake.devices == (BAY,))
            await asyncio.to_thread(scenario, clock, send)

    asyncio.run(both())


def test_a_presence_upside_down_is_found_on_the_spot_and_the_record_holds(
    spot: Spot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scenario(clock: ManualClock, send: Callable[[bytes], None]) -> None:
        asked = spot.client.post(f"/v1/gateways/{NAME}/errands", params={"action": "capture", "target": BAY})
        where = asked.headers["Location"]

        def says(payload: bytes, at_s: int) -> None:
            clock.advance(at_s - clock.monotonic_ms() / 1000)
            send(payload)
            until(lambda: _shows(spot, where, payload, at_s))

        until(lambda: _sent_until_seen(spot, where, send))
        says(b"\x00", 20)
        says(b"\x01", 40)
        spot.clock.now = NOW + timedelta(seconds=50)
        test = spot.test(asked.json()["id"], ("drive_on", 10, 15), ("drive_off", 30, 35))

        judged = spot.post(test, dry_run="true").json()
        assert judged["judgement"]["mend"] == "invert_presence"
        assert judged["record"] is None
        kept_as = spot.post(test).json()["record"]
        record = spot.client.get(f"{PATH}/{kept_as}").json()
        pdf = spot.client.get(f"{PATH}/{kept_as}/pdf")

        assert record["good"]
        assert record["record"]["who"].endswith("(Anne)")
        assert record["record"]["place_name"] == "Place du Marché, m1"
        assert is_signed(record["signed"].encode(), record["signature"], record["record"]["key"])
        assert "inverser la présence" in " ".join(PdfReader(BytesIO(pdf.content)).pages[0].extract_text().split())

    with_radio(spot, tmp_path, monkeypatch, scenario)


def _shows(spot: Spot, where: str, payload: bytes, at_s: int) -> bool:
    frames = spot.client.get(where).json()["frames"]
    wanted = payload.hex(), NOW + timedelta(seconds=at_s)
    return wanted in [(frame["payload"], datetime.fromisoformat(frame["at"])) for frame in frames]


def _sent_until_seen(spot: Spot, where: str, send: Callable[[bytes], None]) -> bool:
    """A frame before the gateway has begun to show them is not shown; that is no fault."""
    if spot.client.get(where).json()["frames"]:
        return True
    send(b"\x00")
    return False


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"device": BAY, "channel": "2", "errands": [], "legs": []}, "channel", "serve no place now"),
        ({"device": BAY, "channel": "1", "errands": []}, "body", "legs"),
        ({"device": BAY, "channel": "1", "errands": [], "legs": [], "extra": 1}, "body", "extra"),
    ],
)
def test_a_test_that_cannot_be_judged_is_named_by_field(
    spot: Spot, body: dict[str, Any], field: str, reason: str
) -> None:
    answer = spot.post(body)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert reason in error["reason"]


def test_a_device_that_nobody_adopted_cannot_be_tested_and_too_much_is_refused(spot: Spot) -> None:
    unknown = spot.post({"device": "0004", "channel": "1", "errands": [], "legs": []})
    long = spot.client.post(PATH, content=b" " * 20_000)

    assert unknown.status_code == HTTPStatus.NOT_FOUND
    assert "at most" in long.json()["errors"][0]["reason"]


def test_who_wants_a_visit_is_told_to_technicians_alone(spot: Spot) -> None:
    visits = spot.client.get("/v1/visits", params={"lat": 47.2, "lon": -1.5})
    stranger = HTTP.get(str(visits.request.url))

    (visit,) = visits.json()["visits"]
    assert visit["place_name"] == "Place du Marché, m1"
    assert visit["reasons"][0]["why"] == "stale"
    assert stranger.status_code == HTTPStatus.UNAUTHORIZED


def test_the_round_of_the_day_is_a_page_too(spot: Spot) -> None:
    text = spot.client.get("/technician/round", params={"lat": "47.2", "lon": "x"}).text

    assert "Place du Marché, m1" in text
    assert "pas encore exprimé" in text
