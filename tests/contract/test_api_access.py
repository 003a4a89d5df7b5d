"""Who may ask what over HTTP, and how often: keys, scopes, limits and other sites' pages."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from msgspec.structs import asdict

from cloud_api.app import create_app
from cloud_api.rate_limits import Limits, Rate
from cloud_api.registry.keys import KeyStore
from cloud_api.scopes import Scope
from cloud_api.settings import Broker, Settings
from cloud_api.stores import open_store
from tests.broker import Mosquitto
from tests.registries import registry_at
from tests.town import NOW, REGISTRY, Clock, kept, serving, until

ZONES, FLOWS = "/v1/parking/zones", "/v1/flows/counters"
SITE = "https://ma-ville.example"
Serve = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    with closing(registry_at(tmp_path / "registry.db")) as store:
        yield store.keys


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def town(mosquitto: Mosquitto, tmp_path: Path, clock: Clock) -> Serve:
    """The town's API with some settings, for the length of a `with`."""

    @contextmanager
    def serve(
        *, everyone_may: frozenset[Scope] = frozenset(), limits: Limits | None = None, origins: tuple[str, ...] = ()
    ) -> Iterator[httpx.Client]:
        settings = Settings(
            broker=Broker(host=mosquitto.host, port=mosquitto.port),
            ledger=tmp_path / "ledger.db",
            worker="access",
            everyone_may=everyone_may,
            limits=limits or Limits(),
            origins=origins,
        )
        with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as store:
            api = create_app(settings, store=store, registry=kept(REGISTRY, tmp_path), clock=clock)
            with serving(api) as address, httpx.Client(base_url=address) as client:
                yield client

    return serve


def bearing(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:passerelle:problem:")


def test_parking_is_public_and_counts_are_for_holders_of_a_key_that_opens_them(town: Serve, keys: KeyStore) -> None:
    _, reader = keys.create("office", [Scope.READ_FLOWS], by="test", at=NOW)
    _, reporter = keys.create("mayor", [Scope.REPORT], by="test", at=NOW)
    _, admin = keys.create("operator", [Scope.ADMIN], by="test", at=NOW)

    with town() as client:
        assert client.get(ZONES).status_code == 200
        refused = client.get(FLOWS)
        assert problem(refused) == (401, "key-needed")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert problem(client.get(FLOWS, headers=bearing(reporter))) == (403, "scope-missing")
        assert client.get(FLOWS, headers=bearing(reader)).status_code == 200
        assert problem(client.get("/v1/flows/stream")) == (401, "key-needed")
        assert client.head("/v1/flows/stream", headers=bearing(reader)).status_code == 200
        assert client.get(FLOWS, headers=bearing(admin)).status_code == 200


COUNTS_IN_OTHER_TONGUES = (
    "/ngsi-ld/v1/entities?type=CrowdFlowObserved",
    "/opendata/comptage/site.csv",
    "/opendata/comptage/channel.csv",
    "/opendata/comptage/measure.csv?from=2026-11-21&to=2026-11-22",
)


def test_what_needs_a_key_needs_it_in_other_tongues_too(town: Serve, keys: KeyStore) -> None:
    _, reader = keys.create("office", [Scope.READ_FLOWS], by="test", at=NOW)

    with town() as client:
        assert client.get("/ngsi-ld/v1/entities?type=OnStreetParking").status_code == 200
        for path in COUNTS_IN_OTHER_TONGUES:
            assert problem(client.get(path)) == (401, "key-needed"), path
            answer = client.get(path, headers=bearing(reader))
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, max-age=10"), path
        assert client.get(ZONES).headers["cache-control"] == "public, max-age=10"


def test_counts_are_open_data_unless_the_town_decides_otherwise(town: Serve) -> None:
    with town(everyone_may=Settings().everyone_may) as client:
        assert client.get(FLOWS).status_code == 200


def test_a_key_that_is_not_good_is_refused_even_where_none_is_needed(town: Serve, keys: KeyStore) -> None:
    revoked, secret = keys.create("lost phone", [Scope.READ_FLOWS], by="test", at=NOW)
    keys.revoke(revoked.id, by="test", at=NOW)

    with town() as client:
        for bad in ("psl_nothing", secret, "é" * 300):
            assert problem(client.get(ZONES, headers={b"Authorization": f"Bearer {bad}".encode()})) == (401, "bad-key")


def test_a_key_opens_from_the_moment_it_is_made_until_it_is_revoked_or_expires(
    town: Serve, keys: KeyStore, clock: Clock
) -> None:
    with town() as client:
        _, secret = keys.create("a day", [Scope.READ_FLOWS], by="test", at=NOW, expires_at=NOW + timedelta(days=1))
        long, other = keys.create("for good", [Scope.READ_FLOWS], by="test", at=NOW)
        until(lambda: client.get(FLOWS, headers=bearing(secret)).status_code == 200)

        keys.revoke(long.id, by="test", at=NOW)
        until(lambda: client.get(FLOWS, headers=bearing(other)).status_code == 401)

        clock.now = NOW + timedelta(days=1)
        assert problem(client.get(FLOWS, headers=bearing(secret))) == (401, "bad-key")


def test_who_asks_too_often_is_told_when_to_come_back_and_a_key_has_its_own_limit(town: Serve, keys: KeyStore) -> None:
    _, secret = keys.create("city app", [], by="test", at=NOW)
    limits = Limits(address=Rate(per_s=0.01, burst=3), key=Rate(per_s=0.01, burst=5))

    with town(limits=limits) as client:
        answers = [client.get(ZONES) for _ in range(4)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        assert problem(answers[-1]) == (429, "too-many-requests")
        assert 0 < int(answers[-1].headers["retry-after"]) <= 100
        assert [client.get(ZONES, headers=bearing(secret)).status_code for _ in range(6)] == [200] * 5 + [429]


def test_only_a_proxy_that_is_known_may_say_on_whose_behalf_it_asks(town: Serve) -> None:
    with town(limits=Limits(address=Rate(per_s=0.01, burst=1))) as client:
        behalf = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "192.0.2.1"]
        statuses = [client.get(ZONES, headers={"X-Forwarded-For": each}).status_code for each in behalf]

    assert statuses == [200, 200, 200, 429, 429]


def test_pages_of_named_sites_may_ask_from_a_browser_and_no_others(town: Serve) -> None:
    with town(origins=(SITE,), limits=Limits(address=Rate(per_s=0.01, burst=2))) as client:
        allowed = client.get(ZONES, headers={"Origin": SITE})
        other = client.get(ZONES, headers={"Origin": "https://elsewhere.example"})
        refused = client.get(ZONES, headers={"Origin": SITE})

    assert allowed.headers["access-control-allow-origin"] == SITE
    assert "access-control-allow-origin" not in other.headers
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (429, SITE)


def test_without_sites_named_no_other_page_may_ask(town: Serve) -> None:
    with town() as client:
        assert "access-control-allow-origin" not in client.get(ZONES, headers={"Origin": SITE}).headers


def test_the_registry_keeps_no_key_but_tells_who_made_and_revoked_it(keys: KeyStore, tmp_path: Path) -> None:
    made, secret = keys.create("office", [Scope.REPORT], by="Anne", at=NOW)
    keys.revoke(made.id, by="Benoît", at=NOW)

    with closing(registry_at(tmp_path / "registry.db")) as store:
        revoked, created = store.trail(key=made.id)
    assert (created.who, created.before, revoked.who) == ("Anne", None, "Benoît")
    assert created.after is not None
    assert created.after["label"] == "office"
    kept_bytes = (tmp_path / "registry.db").read_bytes()
    assert secret.encode() not in kept_bytes
    assert made.digest not in str(created) + str(revoked)


def test_the_last_use_of_a_key_is_kept(keys: KeyStore) -> None:
    made, _ = keys.create("office", [Scope.REPORT], by="test", at=NOW)

    keys.used({made.id: NOW + timedelta(minutes=3)})

    assert [each.used_at for each in keys.all()] == [NOW + timedelta(minutes=3)]
    assert asdict(keys.all()[0]) == {**asdict(made), "used_at": NOW + timedelta(minutes=3)}
