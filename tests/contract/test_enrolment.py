"""A machine that shows a code over HTTP becomes a user of a real broker; every other one is told why not."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import asdict

from cloud_api.app import create_app
from cloud_api.provisioning.enrolment import Enroller, EnrolmentRequest
from cloud_api.provisioning.floods import WITHIN, FloodLimits, Floods
from cloud_api.registry import Device, Gateway
from cloud_api.registry.codes import Code, new_code
from cloud_api.registry.store import RegistryStore
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Enrolment, Settings
from cloud_api.stores import open_store
from tests.broker_people import person
from tests.dynamic_broker import DynamicBroker, running_dynamic_broker
from tests.registries import registry_at
from tests.town import NOW, PATIENCE_S, Clock, serving, until

ENROLMENTS = "/v1/enrolments"
MACHINE = "0123456789abcdef0123456789abcdef"
ELSEWHERE = {"X-Forwarded-For": "192.0.2.7"}
OVER_TLS = {**ELSEWHERE, "X-Forwarded-Proto": "https"}
MAIRIE = Gateway(name="mairie", label="Mairie", managed=True)
Serve = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[DynamicBroker]:
    with running_dynamic_broker(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryStore]:
    with closing(registry_at(tmp_path / "registry.db")) as opened:
        opened.merge([MAIRIE, Device(address="d1", model="bosch-tps110", gateway="mairie")], by="test", at=NOW)
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def town(broker: DynamicBroker, registry: RegistryStore, tmp_path: Path, clock: Clock) -> Serve:
    """The town's API for the length of a `with`."""

    @contextmanager
    def serve(*, over_plain_http: bool = False) -> Iterator[httpx.Client]:
        enrolment = Enrolment(
            administrator=broker.login("admin"),
            broker=Broker(host=broker.mosquitto.host, port=broker.mosquitto.port),
            over_plain_http=over_plain_http,
        )
        settings = Settings(broker=broker.api, ledger=tmp_path / "ledger.db", worker="enrol", enrolment=enrolment)
        with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
            api = create_app(settings, store=store, registry=registry, clock=clock)
            with serving(api) as address, httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
                yield client

    return serve


def invited(registry: RegistryStore, clock: Clock) -> Code:
    return registry.invitations.invite("mairie", by="test", at=clock(), expires_at=clock() + timedelta(hours=1))[1]


def ask(client: httpx.Client, code: str, machine: str = MACHINE, **more: Any) -> httpx.Response:
    return client.post(ENROLMENTS, json={"code": code, "machine": machine}, **more)


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:passerelle:problem:")


def lets_in(broker: DynamicBroker, told: dict[str, Any]) -> bool:
    with person(broker.mosquitto, told["user"], told["password"]) as somebody:
        return somebody.let_in


def test_a_code_is_answered_with_all_that_a_gateway_needs(
    town: Serve, registry: RegistryStore, clock: Clock, broker: DynamicBroker
) -> None:
    with town() as client:
        answer = ask(client, invited(registry, clock).lower())
        told = answer.json()
        assert answer.status_code == 201
        assert answer.headers["cache-control"] == "no-store"
        where = {"host": broker.mosquitto.host, "port": broker.mosquitto.port, "tls": False, "ca": None}
        assert (told["gateway"], told["broker"]) == ("mairie", where)
        assert (told["managed"], told["revision"], told["devices"]) == (True, registry.revision(), 1)
        assert lets_in(broker, told)


def test_a_code_that_is_used_expired_revoked_or_unknown_says_so_and_what_to_do(
    town: Serve, registry: RegistryStore, clock: Clock
) -> None:
    with town() as client:
        code = invited(registry, clock)
        assert ask(client, code).status_code == 201
        used = ask(client, code, "f" * 32)
        assert problem(used) == (409, "code-used")
        assert "enrolled with it at 2026-11-22 10:30Z" in used.json()["detail"]
        registry.invitations.revoke("mairie", by="test", at=clock())
        assert problem(ask(client, code)) == (410, "code-revoked")
        late = invited(registry, clock)
        clock.now = NOW + timedelta(hours=1)
        expired = ask(client, late)
        assert problem(expired) == (410, "code-expired")
        assert "passerelle gateway invite" in expired.json()["detail"]
        assert problem(ask(client, new_code())) == (404, "code-unknown")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'{"code": 7}', "code"),
        (b'{"code": "7K3M"}', "body"),
        (b'{"code": "7K3M", "machine": "short"}', "machine"),
        (b'{"code": "7K3M", "machine": "0123456789abcdef0123456789abcdef"}', "code"),
        (b" " * 100_000, "body"),
    ],
)
def test_what_is_no_request_is_refused_with_the_field_that_is_wrong(town: Serve, body: bytes, field: str) -> None:
    with town() as client:
        answer = client.post(ENROLMENTS, content=body)
        assert problem(answer) == (422, "invalid-parameter")
        assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_who_opens_the_link_on_a_telephone_reads_what_it_is_for(town: Serve) -> None:
    with town() as client:
        assert "sudo passerelle edge enrol" in client.get("/enrol").text


def test_of_two_machines_with_one_code_at_once_one_is_let_in(
    town: Serve, registry: RegistryStore, clock: Clock, broker: DynamicBroker
) -> None:
    with town() as client, ThreadPoolExecutor(2) as two:
        code = invited(registry, clock)
        answers = sorted(two.map(lambda machine: ask(client, code, machine * 32), "ab"), key=lambda a: a.status_code)
        assert [each.status_code for each in answers] == [201, 409]
        assert lets_in(broker, answers[0].json())


def test_a_machine_whose_answer_was_lost_asks_again_and_the_lost_password_is_worth_nothing(
    town: Serve, registry: RegistryStore, clock: Clock, broker: DynamicBroker
) -> None:
    with town() as client:
        code = invited(registry, clock)
        lost, found = ask(client, code).json(), ask(client, code).json()
        assert not lets_in(broker, lost)
        assert lets_in(broker, found)


def test_a_code_stays_good_while_the_broker_is_away(
    town: Serve, registry: RegistryStore, clock: Clock, broker: DynamicBroker
) -> None:
    with town() as client:
        code = invited(registry, clock)
        broker.mosquitto.stop()
        away = ask(client, code)
        assert problem(away) == (503, "unavailable")
        assert "the code stays good" in away.json()["detail"]
        broker.mosquitto.start()
        assert ask(client, code, "f" * 32).status_code == 201


def test_secrets_are_told_over_tls_or_on_this_machine_unless_the_town_decides_otherwise(
    town: Serve, registry: RegistryStore, clock: Clock
) -> None:
    with town() as client:
        code = invited(registry, clock)
        assert problem(ask(client, code, headers=ELSEWHERE)) == (403, "tls-needed")
        assert ask(client, code, headers=OVER_TLS).status_code == 201
    with town(over_plain_http=True) as client:
        assert ask(client, code, headers=ELSEWHERE).status_code == 201


def test_who_tries_many_codes_must_wait(town: Serve) -> None:
    with town() as client:
        statuses = [ask(client, new_code()).status_code for _ in range(11)]
        assert statuses == [404] * 10 + [429]
        assert ask(client, new_code(), headers=OVER_TLS).status_code == 404


def test_who_is_revoked_is_cut_off_within_seconds_and_who_is_replaced_too(
    town: Serve, registry: RegistryStore, clock: Clock, broker: DynamicBroker
) -> None:
    with town() as client:
        first = ask(client, invited(registry, clock)).json()
        with person(broker.mosquitto, first["user"], first["password"]) as old:
            clock.now += timedelta(minutes=1)
            ends = clock() + timedelta(hours=1)
            _, code = registry.invitations.replace("mairie", by="test", at=clock(), expires_at=ends)
            assert not old.gone
            second = ask(client, code, "f" * 32).json()
            until(lambda: old.gone)
        assert not lets_in(broker, first)
        with person(broker.mosquitto, second["user"], second["password"]) as new:
            registry.invitations.revoke("mairie", by="test", at=clock())
            until(lambda: new.gone)
        assert not lets_in(broker, second)


def test_a_revocation_while_the_broker_was_away_is_made_up_for(
    town: Serve, registry: RegistryStore, clock: Clock, broker: DynamicBroker
) -> None:
    with town() as client:
        told = ask(client, invited(registry, clock)).json()
        broker.mosquitto.stop()
        registry.invitations.revoke("mairie", by="test", at=clock())
        broker.mosquitto.start()
        until(lambda: not lets_in(broker, told))


def test_a_gateway_that_floods_is_held_off_for_a_while_and_also_let_back_when_who_held_it_off_died(
    registry: RegistryStore, clock: Clock, broker: DynamicBroker
) -> None:
    let_go, limits = {"mairie": 0}, FloodLimits()
    settings = Enrolment(
        administrator=broker.login("admin"), broker=Broker(host=broker.mosquitto.host, port=broker.mosquitto.port)
    )
    enroller, restarted = (
        Enroller(settings, registry.invitations, clock, let_go.copy, Floods(limits)) for _ in range(2)
    )
    told = asdict(enroller.enrol(EnrolmentRequest(code=str(invited(registry, clock)), machine=MACHINE), "192.0.2.7"))
    enroller.settle()

    with person(broker.mosquitto, told["user"], told["password"]) as loud:
        let_go["mairie"] = limits.most_let_go + 1
        enroller.settle()
        until(lambda: loud.gone)
    assert not lets_in(broker, told)
    restarted.settle()
    assert lets_in(broker, told)

    clock.now += WITHIN
    let_go["mairie"] += 1
    enroller.settle()
    let_go["mairie"] += limits.most_let_go + 1
    enroller.settle()
    assert not lets_in(broker, told)
    clock.now += limits.held_off_for
    enroller.settle()
    assert lets_in(broker, told)


def test_invitations_replacements_and_revocations_are_made_over_http_by_who_may(
    town: Serve, registry: RegistryStore, broker: DynamicBroker
) -> None:
    _, admin = registry.keys.create("operator", [Scope.ADMIN], by="test", at=NOW)
    _, technician = registry.keys.create("technician", [Scope.PROVISION], by="test", at=NOW)
    mairie = "/v1/gateways/mairie"
    with town() as client:
        assert problem(client.post(f"{mairie}/invitations")) == (401, "key-needed")
        lacking = client.post(f"{mairie}/invitations", headers={"Authorization": f"Bearer {technician}"})
        assert problem(lacking) == (403, "scope-missing")

        client.headers["Authorization"] = f"Bearer {admin}"
        assert problem(client.post("/v1/gateways/gare/invitations")) == (404, "unknown-gateway")
        assert problem(client.post(f"{mairie}/replacements")) == (409, "invitation-refused")
        assert problem(client.post(f"{mairie}/invitations?minutes=0")) == (422, "invalid-parameter")
        invited = client.post(f"{mairie}/invitations?minutes=10").json()
        assert invited["link"] == f"{client.base_url}/enrol#{invited['code']}"
        assert invited["expires_at"] == "2026-11-22T10:40:00Z"
        told = ask(client, invited["code"]).json()
        assert problem(client.post(f"{mairie}/invitations")) == (409, "invitation-refused")
        assert client.post(f"{mairie}/replacements").status_code == 201
        ended = client.delete(f"{mairie}/access").json()
        assert ended == {"gateway": "mairie", "users": [told["user"]], "codes": 1}
        until(lambda: not lets_in(broker, told))
        assert problem(client.delete(f"{mairie}/access")) == (409, "invitation-refused")
        assert problem(client.delete("/v1/gateways/gare/access")) == (404, "unknown-gateway")


def test_a_platform_that_is_not_set_up_for_it_says_what_is_missing(
    broker: DynamicBroker, registry: RegistryStore, tmp_path: Path, clock: Clock
) -> None:
    settings = Settings(broker=broker.api, ledger=tmp_path / "ledger.db", worker="none")
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
        api = create_app(settings, store=store, registry=registry, clock=clock)
        with serving(api) as address, httpx.Client(base_url=address) as client:
            answer = ask(client, new_code())
    assert problem(answer) == (404, "no-enrolment")
    assert "--gateway-broker" in answer.json()["detail"]
