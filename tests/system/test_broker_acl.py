"""The city's broker as it is deployed: a gateway writes under its own name only, and the API answers all of them."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud_api.app import create_app
from cloud_api.provisioning.broker_rules import API, Login
from cloud_api.provisioning.dynamic_security import CreateClient, DeleteClient, RoleName
from cloud_api.settings import Broker, Settings
from cloud_api.stores.sqlite import SqliteStore
from edge import messages
from edge.messages import Epoch, Flow, FlowInterval, GatewayName, Status
from edge.outbox import Outbox
from edge.publisher import BrokerConfig, Publisher
from tests.broker import Mosquitto, running_mosquitto
from tests.broker_people import NOT_AUTHORIZED, PATIENCE_S, person
from tests.dynamic_broker import running_dynamic_broker
from tests.system.programs import REPOSITORY
from tests.system.street import until
from tests.town import REGISTRY, Clock, kept, serving
from tests.town import until as until_so

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
USERS = ("gare", "mairie", "api")


@pytest.fixture(params=["acl file", "dynamic security"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mosquitto]:
    """mosquitto set up in either way, and a user for each of `USERS`, whose password is its name."""
    by_file = request.param == "acl file"
    with (with_acl_file if by_file else with_dynamic_security)(tmp_path / "broker") as running:
        yield running


@contextmanager
def with_acl_file(folder: Path) -> Iterator[Mosquitto]:
    """The rules of `deploy/mosquitto/acl`, and passwords in a file."""
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


@contextmanager
def with_dynamic_security(folder: Path) -> Iterator[Mosquitto]:
    """Users and rules in the dynamic security plugin."""
    with running_dynamic_broker(folder) as running:
        for gateway in ("gare", "mairie"):
            running.control.admit(gateway, Login(gateway, gateway))
        api = CreateClient(username=API, password=API, roles=(RoleName(API),))
        running.control.run(DeleteClient(username=API), api)
        yield running.mosquitto


def secret(tmp_path: Path, user: str) -> Path:
    path = tmp_path / f"{user}.password"
    path.write_text(user)
    return path


@pytest.mark.parametrize(
    "suffix",
    ["status", "models", "flow", "space/d1", "health/d1", "heard", "dropped", "config/reported", "result"],
    ids=str,
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
        mairie.subscribe(f"{messages.ROOT}/mairie/config/desired")
        api.publish(f"{messages.ROOT}/gare/config/desired", b"keys of gare")
        api.publish(f"{messages.ROOT}/mairie/config/desired", b"keys of mairie")
        assert mairie.heard.get(timeout=PATIENCE_S).payload == b"keys of mairie"


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
        publisher = Publisher(lambda: login, outbox, on_connected=list, on_message=lambda _: None)
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
        publisher = Publisher(lambda: own, outbox, on_connected=lambda: [online(outbox)], on_message=lambda _: None)
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
