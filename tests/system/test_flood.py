"""A gateway that floods is held off a real broker by the real API, the others go on, and it is let in again."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from cloud_api.app import Api, create_app
from cloud_api.ingest import MOST_MESSAGES
from cloud_api.provisioning.enrolment import EnrolmentRequest
from cloud_api.provisioning.floods import FloodLimits
from cloud_api.registry import Gateway
from cloud_api.registry.store import RegistryStore, open_registry
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Enrolment, Settings
from cloud_api.stores.base import Channel
from tests.broker_people import person
from tests.dynamic_broker import DynamicBroker, running_dynamic_broker
from tests.loopback import HTTP
from tests.moody_store import MoodyStore
from tests.town import NOW, Clock, counted, gateway, interval, serving, until

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LIMITS = FloodLimits(share=40, most_let_go=10)
SEQS = range(1, MOST_MESSAGES + LIMITS.share + LIMITS.most_let_go + 2)
"""More than ingest holds while the store is away, and than it may let go of."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[DynamicBroker]:
    with running_dynamic_broker(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryStore]:
    with closing(open_registry(str(tmp_path / "registry.db"))) as opened:
        opened.merge([Gateway(name=name, label=name, managed=True) for name in ("port", "mairie")], by="test", at=NOW)
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MoodyStore]:
    with closing(MoodyStore(tmp_path / "history.db")) as opened:
        yield opened


def enrolled(api: Api, registry: RegistryStore, name: str, folder: Path) -> Broker:
    """How a new gateway of this name connects."""
    enroller = api.services.enroller
    assert enroller is not None
    enroller.settle()
    _, code = registry.invitations.invite(name, by="test", at=NOW, expires_at=NOW + HOUR)
    told = enroller.enrol(EnrolmentRequest(code=str(code), machine=name.rjust(32)), "192.0.2.7")
    password = folder / f"{name}-password"
    password.write_text(told.password)
    return Broker(host=told.broker.host, port=told.broker.port, username=told.user, password_file=password)


def lets_in(broker: DynamicBroker, login: Broker) -> bool:
    assert login.username is not None
    assert login.password_file is not None
    with person(broker.mosquitto, login.username, login.password_file.read_text()) as somebody:
        return somebody.let_in


def who_floods(address: str, key: str) -> list[str]:
    told = HTTP.get(f"{address}/v1/status", headers={"Authorization": f"Bearer {key}"}).json()
    return [each["gateway"] for each in told["attention"] if each["what"] == "flood"]


def test_who_floods_is_held_off_while_the_others_go_on_and_is_let_in_again_with_all_that_it_kept(
    broker: DynamicBroker, registry: RegistryStore, store: MoodyStore, tmp_path: Path
) -> None:
    clock = Clock()
    gateways = Enrolment(administrator=broker.login("admin"), broker=replace(broker.api, username=None))
    settings = Settings(broker=broker.api, ledger=tmp_path / "ledger.db", enrolment=gateways, floods=LIMITS)
    _, key = registry.keys.create("operator", [Scope.PROVISION], by="test", at=NOW)
    api = create_app(settings, store=store, registry=registry, clock=clock)
    with serving(api) as address:
        until(lambda: HTTP.get(f"{address}/readyz").is_success)
        port, mairie = (enrolled(api, registry, name, tmp_path) for name in ("port", "mairie"))
        store.away = True
        with gateway(port, "port") as loud:
            flood = [loud.flow(seq, interval(seq % 12, device=f"x{seq}")) for seq in SEQS]
            loud.pour(flood)
            until(lambda: who_floods(address, key) == ["port"])
        assert not lets_in(broker, port)

        store.away = False
        with gateway(mairie, "mairie") as other:
            other.publish(other.flow(1, interval(0)))
            until(lambda: other.confirmed() == {1})
        clock.now += LIMITS.held_off_for - SECOND
        assert who_floods(address, key) == ["port"]

        clock.now += SECOND
        until(lambda: who_floods(address, key) == [])
        with gateway(port, "port") as back:
            for begin in range(0, len(flood), LIMITS.share):
                again = flood[begin : begin + LIMITS.share]
                back.publish(*again)
                until(partial(back.has_confirmed, again))

    channels = [Channel(f"x{seq}", "line1", "pedestrian") for seq in SEQS]
    assert counted(store, channels) == (len(SEQS), 2 * len(SEQS))
