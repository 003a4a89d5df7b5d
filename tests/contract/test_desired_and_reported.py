"""From the registry to a gateway and back: what is decided is applied or refused with its reason, on line or later."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from cloud_api.app import Api, create_app
from cloud_api.provisioning.desired import holders_of
from cloud_api.provisioning.standing import DeviceStanding, Standing, device_standing
from cloud_api.registry import Device, Registry
from cloud_api.registry.places import Gateway as GatewayEntry
from cloud_api.registry.radio_keys import NO_KEYS, RadioKeys
from cloud_api.registry.store import RegistryStore
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from edge.gateway import Gateway
from edge.readings import DeviceAddress
from tests.broker import Mosquitto
from tests.clocks import ManualClock
from tests.gateways import NAME, gateway_at, running
from tests.town import NOW, PATIENCE_S, Clock, kept, serving, until

MAIRIE = GatewayEntry(name=NAME, label="Mairie", managed=True)
BAY = Device(address="0004a30b00ff0001", model="bosch-tps110", gateway=NAME)
STRANGE = Device(address="0004a30b00ff0002", model="bosch-tps911", gateway=NAME)
KEYS = RadioKeys(nwk_skey="0123456789abcdef" * 2, app_skey="fedcba9876543210" * 2)


@dataclass(frozen=True)
class Town:
    """A running API, its registry, and the broker."""

    api: Api
    registry: RegistryStore
    broker: Mosquitto
    address: str

    def standing(self, device: Device) -> DeviceStanding:
        """How a device does at its gateway."""
        services = self.api.services
        holders = holders_of(services.registry, services.gateways.reported)
        known = services.registry.devices.get(device.address, device)
        return device_standing(known, services.registry.gateways.get(NAME), services.gateways, holders)


@pytest.fixture
def town(own_mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Town]:
    registry = kept(Registry(gateways=[MAIRIE]), tmp_path)
    settings = Settings(broker=Broker(host=own_mosquitto.host, port=own_mosquitto.port), ledger=tmp_path / "ledger.db")
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        api = create_app(settings, store=store, registry=registry, clock=Clock())
        with serving(api) as address:
            yield Town(api, registry, own_mosquitto, address)
    registry.close()


def with_gateway(town: Town, folder: Path, scenario: Callable[[Gateway], None]) -> None:
    """Run a gateway beside a scenario that waits for conditions."""

    async def both() -> None:
        it = gateway_at(folder, town.broker, ManualClock(NOW))
        async with running(it):
            await asyncio.to_thread(scenario, it)

    asyncio.run(both())


def test_what_is_decided_reaches_a_gateway_that_comes_on_line_later(town: Town, tmp_path: Path) -> None:
    town.registry.merge([BAY], by="test", at=NOW)
    until(lambda: town.standing(BAY).reason == f"gateway {NAME} has never been on line")

    def scenario(it: Gateway) -> None:
        until(lambda: town.standing(BAY).standing is Standing.APPLIED)
        assert it.intake.devices == (BAY.address,)

    with_gateway(town, tmp_path, scenario)


def test_a_refused_device_comes_back_with_its_reason_and_disturbs_no_other(town: Town, tmp_path: Path) -> None:
    def scenario(_it: Gateway) -> None:
        town.registry.merge([BAY, STRANGE], by="test", at=NOW)
        until(lambda: town.standing(BAY).standing is Standing.APPLIED)
        assert town.standing(STRANGE).standing is Standing.REFUSED
        assert "unknown model 'bosch-tps911'" in (town.standing(STRANGE).reason or "")

    with_gateway(town, tmp_path, scenario)


def test_a_gateway_without_its_broker_starts_with_what_it_was_last_told(town: Town, tmp_path: Path) -> None:
    def told(_it: Gateway) -> None:
        town.registry.merge([BAY, STRANGE], by="test", at=NOW)
        until(lambda: town.standing(BAY).standing is Standing.APPLIED)

    def starts_alone(it: Gateway) -> None:
        assert it.intake.devices == (BAY.address,)

    with_gateway(town, tmp_path, told)
    town.broker.kill()
    with_gateway(town, tmp_path, starts_alone)


def test_radio_keys_reach_the_gateway_and_nothing_else_shows_them(town: Town, tmp_path: Path) -> None:
    def scenario(it: Gateway) -> None:
        town.registry.merge([BAY], by="test", at=NOW)
        town.registry.radio_keys.put({BAY.address: KEYS}, by="Anne", at=NOW)
        until(
            lambda: (
                (settings := it.intake.settings(DeviceAddress(BAY.address))) is not None
                and settings.app_skey == KEYS.app_skey
            )
        )

    with_gateway(town, tmp_path, scenario)

    trace = town.registry.trail(key=BAY.address)[0]
    assert (trace.who, trace.kind, trace.before, trace.after) == (
        "Anne",
        "radio_keys",
        None,
        {"keys": ["nwk_skey", "app_skey"]},
    )
    assert "0123" not in repr(KEYS)
    town.registry.radio_keys.put({BAY.address: NO_KEYS}, by="Anne", at=NOW)
    assert town.registry.radio_keys.all() == {}


def test_a_gateway_that_is_not_managed_keeps_the_devices_of_its_file(town: Town) -> None:
    before = town.registry.find(GatewayEntry, NAME)
    assert before is not None
    town.registry.replace(GatewayEntry(name=NAME, label="Mairie"), seen=before.version, by="test", at=NOW)
    town.registry.merge([BAY], by="test", at=NOW)

    until(lambda: town.standing(BAY).standing is Standing.UNMANAGED)
    told = town.api.services.gateways.desired.get(NAME)
    assert told is None or BAY.address not in [device.address for device in told.devices]


def test_a_gateway_does_what_it_is_asked_once_and_the_api_tells_what_became_of_it(town: Town, tmp_path: Path) -> None:
    _, secret = town.registry.keys.create("Anne", [Scope.PROVISION], by="test", at=NOW)
    path = f"/v1/gateways/{NAME}/errands"

    def scenario(_it: Gateway) -> None:
        until(lambda: NAME in town.api.services.gateways.status)
        key = {"Authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=town.address, timeout=PATIENCE_S) as client:
            until(lambda: client.get(path + "/x", headers=key).status_code == HTTPStatus.NOT_FOUND)
            refused = client.post(path, params={"action": "restart-link", "target": "lora"})
            asked = client.post(path, params={"action": "restart-link", "target": "lora"}, headers=key)
            until(lambda: client.get(asked.headers["Location"], headers=key).json()["outcome"] == "failed")
            text = client.get(asked.headers["Location"], headers=key).json()["text"]
        assert refused.status_code == HTTPStatus.UNAUTHORIZED
        assert asked.status_code == HTTPStatus.ACCEPTED
        assert text == "no link 'lora'; expected none: this gateway has no links"

    with_gateway(town, tmp_path, scenario)


def test_a_gateway_says_which_models_its_version_can_read(town: Town, tmp_path: Path) -> None:
    def scenario(_it: Gateway) -> None:
        until(lambda: NAME in town.api.services.gateways.models)
        (pcr2,) = (each for each in town.api.services.gateways.models[NAME].models if each.name == "parametric-pcr2")
        assert [(line.name, line.mode) for line in pcr2.lines] == [("line1", "pedestrian")]

    with_gateway(town, tmp_path, scenario)
