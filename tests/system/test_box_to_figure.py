"""From a sensor in its box to a figure one can trust, by API, with a power cut of everything in the middle.

Real programs: the gateway, the API, a broker that lets in whom it is told to, and a network server's.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud_api.provisioning.broker_rules import Login
from cloud_api.registry import Counter
from cloud_api.registry.store import open_registry
from cloud_api.scopes import Scope
from firmware_sim.encoders import parametric_pcr2
from firmware_sim.links.chirpstack import ChirpStackPeer, EndDevice, uplink
from tests.broker import Mosquitto
from tests.dynamic_broker import DynamicBroker, running_dynamic_broker
from tests.system.programs import running
from tests.town import HERE, until

SENSOR = EndDevice("0004a30b00ff0001", name="rue Haute")
PATIENCE_S = 120.0
GATEWAY = """
[gateway]
name = "mairie"
data = "data"
clock = "system"
[broker]
host = "{city.host}"
port = {city.port}
username = "mairie"
password_file = "broker-password"
[[link]]
kind = "chirpstack"
name = "network"
host = "{network.host}"
port = {network.port}
client_id = "passerelle-mairie"
"""
Json = dict[str, Any]


@dataclass(frozen=True)
class Town:
    """A registry with a counter, the city's broker, and the network server's."""

    folder: Path
    broker: DynamicBroker
    key: str
    """Of a technician."""
    sensor: ChirpStackPeer

    def send(self, counter: int, in_: int, out: int, at: datetime) -> None:
        """What the sensor has counted so far."""
        payload = parametric_pcr2.counts_v4(0, 0, in_, out, 3600, 0, 12.0)
        self.sensor.publish(uplink(SENSOR, counter=counter, port=14, payload=payload, at=at))

    @contextmanager
    def running(self) -> Iterator[httpx.Client]:
        """API and gateway, for the length of a `with`; a power cut ends them."""
        options = {
            "store": f"sqlite:///{self.folder}/history.db",
            "registry": self.folder / "registry.db",
            "port": 0,
            "broker": f"mqtt://api@{self.broker.mosquitto.host}:{self.broker.mosquitto.port}",
            "password-file": self.broker.passwords / "broker-api-password",
        }
        with ExitStack() as opened:
            words = ["api", *(f"--{name}={value}" for name, value in options.items())]
            api = opened.enter_context(running(words, self.folder))
            address = api.says(r"Serving (http://\S+)/ ")[1]
            opened.enter_context(running(["edge", "--config", "gateway.toml"], self.folder))
            bearer = {"Authorization": f"Bearer {self.key}"}
            yield opened.enter_context(httpx.Client(base_url=address, headers=bearer, timeout=PATIENCE_S))


@pytest.fixture
def town(tmp_path: Path, own_mosquitto: Mosquitto) -> Iterator[Town]:
    now = datetime.now(UTC)
    street = Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie")
    with closing(open_registry(str(tmp_path / "registry.db"))) as registry:
        registry.merge([street], by="test", at=now)
        _, key = registry.keys.create("Anne's phone", [Scope.PROVISION, Scope.READ_FLOWS], by="test", at=now)
    password = tmp_path / "broker-password"
    password.touch(mode=0o600)
    password.write_text("only the gateway knows")
    with running_dynamic_broker(tmp_path / "broker") as broker:
        broker.control.admit("mairie", Login("mairie", password.read_text()))
        (tmp_path / "gateway.toml").write_text(GATEWAY.format(city=broker.mosquitto, network=own_mosquitto))
        with closing(ChirpStackPeer(own_mosquitto.host, own_mosquitto.port)) as sensor:
            yield Town(tmp_path, broker, key, sensor)


def told(answer: httpx.Response) -> Json:
    body: Json = answer.raise_for_status().json()
    return body


def hears(client: httpx.Client) -> bool:
    links = told(client.get("/v1/gateways/mairie"))["links"]
    return [link["state"] for link in links] == ["up"]


def is_applied(client: httpx.Client) -> bool:
    return bool(told(client.get(f"/v1/devices/{SENSOR.dev_eui}"))["standing"]["standing"] == "applied")


def counted(client: httpx.Client, now: datetime) -> tuple[int, int]:
    days = {"from": str(now.date() - timedelta(days=1)), "to": str(now.date() + timedelta(days=2))}
    hours = told(client.get("/v1/flows/hourly", params={"counter": "rue-haute", **days}))["hours"]
    return sum(hour["in"] or 0 for hour in hours), sum(hour["out"] or 0 for hour in hours)


def trust(client: httpx.Client) -> str:
    return str(told(client.get("/v1/flows/counters"))["counters"][0]["trust"])


@pytest.mark.slow
def test_a_sensor_comes_from_its_box_to_a_figure_that_can_be_trusted(town: Town) -> None:
    now, new = datetime.now(UTC), {"If-None-Match": "*"}
    with town.running() as client:
        told(client.put("/v1/gateways/mairie", json={"label": "Mairie"}, headers=new))
        until(lambda: hears(client), PATIENCE_S)
        town.send(1, 90, 40, now - timedelta(minutes=90))
        until(lambda: bool(told(client.get("/v1/heard"))["devices"]), PATIENCE_S)
        (heard,) = told(client.get("/v1/heard"))["devices"]
        assert (heard["address"], heard["models"]) == (SENSOR.dev_eui, ["parametric-pcr2"])
        assert heard["hint"] == "rue Haute"

        body = {"model": heard["models"][0], "gateway": heard["by"][0]["gateway"], "link": heard["by"][0]["link"]}
        told(client.put(f"/v1/devices/{heard['address']}", json=body, headers=new))
        until(lambda: is_applied(client), PATIENCE_S)
        town.send(2, 100, 50, now - timedelta(minutes=80))

    town.broker.mosquitto.kill()
    town.broker.mosquitto.start()

    with town.running() as client:
        until(lambda: is_applied(client), PATIENCE_S)
        since = (now - timedelta(hours=3)).isoformat()
        place = {"device": SENSOR.dev_eui, "channel": "line1", "mode": "pedestrian", "place": "rue-haute", "at": since}
        told(client.post("/v1/installations", json=place))
        town.send(3, 118, 61, now - timedelta(minutes=70))
        until(lambda: counted(client, now) == (18, 11), PATIENCE_S)
        town.send(4, 118, 61, datetime.now(UTC))
        until(lambda: trust(client) == "fresh", PATIENCE_S)
