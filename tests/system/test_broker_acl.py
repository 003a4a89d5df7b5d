"""The city's broker as it is deployed: a gateway writes under its own name only, and the API answers all of them."""

import asyncio
import queue
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from cloud_api.app import create_app
from cloud_api.settings import Broker, Settings
from cloud_api.stores.sqlite import SqliteStore
from edge import messages
from edge.messages import Epoch, Flow, FlowInterval, GatewayName, Status
from edge.outbox import Outbox
from edge.publisher import BrokerConfig, Publisher
from tests.broker import Mosquitto, running_mosquitto
from tests.system.programs import REPOSITORY
from tests.system.street import until
from tests.town import REGISTRY, Clock, kept, serving
from tests.town import until as until_so

PATIENCE_S = 15.0
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
NOT_AUTHORIZED = 135
"""MQTT 5 reason code."""
USERS = ("gare", "mairie", "api")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """mosquitto with the rules of `deploy/mosquitto` and a user for each of `USERS`, whose password is its name."""
    folder = tmp_path / "broker"
    folder.mkdir()
    acl = folder / "acl"
    acl.write_bytes((REPOSITORY / "deploy" / "mosquitto" / "acl").read_bytes())
    acl.chmod(0o600)
    passwords = folder / "users"
    passwords.touch(mode=0o600)
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), user, user], check=True, capture_output=True)
    settings = f"allow_anonymous false\npassword_file {passwords}\nacl_file {acl}"
    with running_mosquitto(folder, settings=settings) as running:
        yield running


def secret(tmp_path: Path, user: str) -> Path:
    path = tmp_path / f"{user}.password"
    path.write_text(user)
    return path


class Person:
    """Somebody with a user name at the broker: what became of what they published, and what they heard."""

    def __init__(self, broker: Mosquitto, user: str, password: str) -> None:
        self._acknowledged: queue.SimpleQueue[ReasonCode] = queue.SimpleQueue()
        self._subscribed: queue.SimpleQueue[list[ReasonCode]] = queue.SimpleQueue()
        self._connected: queue.SimpleQueue[ReasonCode] = queue.SimpleQueue()
        self.heard: queue.SimpleQueue[MQTTMessage] = queue.SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(user, password)
        self._client.on_connect = lambda _c, _u, _f, reason, _p: self._connected.put(reason)
        self._client.on_publish = lambda _c, _u, _mid, reason, _p: self._acknowledged.put(reason)
        self._client.on_subscribe = lambda _c, _u, _mid, reasons, _p: self._subscribed.put(reasons)
        self._client.on_message = lambda _c, _u, message: self.heard.put(message)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self.let_in = not self._connected.get(timeout=PATIENCE_S).is_failure

    def publish(self, topic: str, body: bytes = b"{}") -> int:
        """The reason code of the broker's answer; 0 and 16 (nobody listens) are well."""
        self._client.publish(topic, body, qos=1)
        code: int = self._acknowledged.get(timeout=PATIENCE_S).value
        return code

    def subscribe(self, topic: str) -> None:
        """Listen; mosquitto grants it to everybody and then sends only what the rules allow."""
        self._client.subscribe(topic, qos=1)
        self._subscribed.get(timeout=PATIENCE_S)

    def leave(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def person(broker: Mosquitto, user: str, password: str | None = None) -> Iterator[Person]:
    """Somebody at the broker, for the length of a `with`."""
    it = Person(broker, user, password or user)
    try:
        yield it
    finally:
        it.leave()


@pytest.mark.parametrize(
    "suffix", ["status", "flow", "space/d1", "health/d1", "heard", "dropped", "config/reported", "result"], ids=str
)
def test_a_gateway_writes_under_its_own_name_and_under_no_other(broker: Mosquitto, suffix: str) -> None:
    with person(broker, "mairie") as mairie:
        assert mairie.publish(f"{messages.ROOT}/mairie/{suffix}") < 128
        assert mairie.publish(f"{messages.ROOT}/gare/{suffix}") == NOT_AUTHORIZED


@pytest.mark.parametrize("suffix", ["stored", "config/desired", "command"])
def test_what_the_cloud_says_cannot_be_said_by_a_gateway(broker: Mosquitto, suffix: str) -> None:
    with person(broker, "mairie") as mairie, person(broker, "api") as api:
        assert mairie.publish(f"{messages.ROOT}/mairie/{suffix}") == NOT_AUTHORIZED
        assert api.publish(f"{messages.ROOT}/mairie/{suffix}") < 128


def test_the_api_cannot_speak_for_a_gateway(broker: Mosquitto) -> None:
    with person(broker, "api") as api:
        assert api.publish(f"{messages.ROOT}/mairie/flow") == NOT_AUTHORIZED


def test_a_gateway_hears_nothing_that_is_for_another(broker: Mosquitto) -> None:
    with person(broker, "mairie") as mairie, person(broker, "api") as api:
        mairie.subscribe(f"{messages.ROOT}/#")
        api.publish(f"{messages.ROOT}/gare/config/desired", b"keys of gare")
        api.publish(f"{messages.ROOT}/mairie/config/desired", b"keys of mairie")
        assert mairie.heard.get(timeout=PATIENCE_S).payload == b"keys of mairie"
        assert mairie.heard.empty()


def test_nobody_comes_in_without_a_name_or_with_a_wrong_password(broker: Mosquitto) -> None:
    with person(broker, "mairie", "guess") as guesser, person(broker, "nobody") as nobody:
        assert not guesser.let_in
        assert not nobody.let_in


def test_a_refused_publish_is_counted_and_its_message_kept(broker: Mosquitto, tmp_path: Path) -> None:
    """A gateway that was given another's name: the broker refuses what it says, and it forgets nothing."""

    async def scenario() -> None:
        outbox = Outbox(tmp_path / "outbox.db", "gare")
        outbox.commit({}, [flow("gare")])
        login = BrokerConfig(
            host=broker.host, port=broker.port, username="mairie", password_file=secret(tmp_path, "mairie")
        )
        publisher = Publisher(login, outbox, on_connected=list, on_message=lambda _: None)
        running = asyncio.create_task(publisher.run())
        await until(lambda: publisher.counters["publish_refused"] == 1, "a refusal")
        assert len(outbox) == 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert len(outbox) == 1

    asyncio.run(scenario())


def test_the_api_shares_the_load_and_answers_what_it_stored(broker: Mosquitto, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "history.db")
    login = Broker(host=broker.host, port=broker.port, username="api", password_file=secret(tmp_path, "api"))
    settings = Settings(broker=login, ledger=tmp_path / "ledger.db", worker="acl")
    api = create_app(settings, store=store, registry=kept(REGISTRY, tmp_path), clock=Clock())

    async def scenario() -> None:
        outbox = Outbox(tmp_path / "outbox.db", "mairie")
        outbox.commit({}, [flow("mairie")])
        own = BrokerConfig(
            host=broker.host, port=broker.port, username="mairie", password_file=secret(tmp_path, "mairie")
        )
        publisher = Publisher(own, outbox, on_connected=lambda: [online(outbox)], on_message=lambda _: None)
        running = asyncio.create_task(publisher.run())
        await until(lambda: publisher.connected and not len(outbox), "an answer that the store has it")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with serving(api):
        until_so(lambda: "$share/" in broker.log, PATIENCE_S)
        asyncio.run(scenario())
    store.close()


def flow(name: str) -> Flow:
    interval = FlowInterval(device="d1", channel="line1", start=NOW, seconds=300, in_=3, covered_s=300)
    return Flow(gateway=GatewayName(name), epoch=Epoch("0" * 16), intervals=(interval,))


def online(outbox: Outbox) -> Status:
    return Status(gateway=outbox.gateway, epoch=outbox.epoch, online=True)
