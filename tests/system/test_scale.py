"""Two API processes behind one broker, one registry and one store: either may die, and nobody need know which answers.

Real programs: `passerelle api` twice, mosquitto, PostgreSQL, InfluxDB; both on one ledger, as their units have it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGKILL
from threading import Event
from typing import Any

import httpx
import pytest

from cloud_api.provisioning.acceptance_record import sign
from cloud_api.provisioning.signing import open_signer
from cloud_api.registry import Zone
from cloud_api.registry.store import RegistryStore, open_registry
from cloud_api.routes.acceptances import KEPT
from cloud_api.scopes import Scope
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, Store
from tests.broker import HOST, Mosquitto, free_port
from tests.influx import InfluxServer
from tests.influx import influx as influx
from tests.loopback import HTTP
from tests.postgres import PostgresServer
from tests.postgres import postgres as postgres
from tests.stores import fresh_name
from tests.system.programs import Program, running
from tests.town import HERE, LINE, NOW, REGISTRY, PublishingGateway, counted, gateway, interval, until

GATEWAYS = 4
EACH = 60
"""Messages of one gateway."""
LONG_S = 120.0


class Replica:
    """One `passerelle api`, which comes back under its own name, on its own port."""

    def __init__(self, name: str, folder: Path, options: dict[str, str]) -> None:
        self.port = free_port()
        self._folder = folder / name
        self._folder.mkdir()
        own = {"--worker": name, "--port": str(self.port), "--tiles": "none"}
        self._arguments = ["api", *(word for option in {**options, **own}.items() for word in option)]
        self._running = ExitStack()
        self._program: Program | None = None

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        self._program = self._running.enter_context(running(self._arguments, self._folder))

    def kill(self) -> None:
        """`kill -9`."""
        assert self._program is not None
        self._program.tell(SIGKILL)
        self._program.status(LONG_S)

    def stop(self) -> None:
        self._running.close()

    def is_ready(self) -> bool:
        assert self._program is not None
        assert not self._program.has_ended, self._program.words
        try:
            return HTTP.get(f"{self.address}/readyz").is_success
        except httpx.TransportError:
            return False

    def answer(self, path: str) -> Any:
        return HTTP.get(f"{self.address}{path}", timeout=LONG_S).raise_for_status().json()

    @property
    def zones(self) -> dict[str, Any]:
        """The zones now, by id."""
        return {zone["id"]: zone for zone in self.answer("/v1/parking/zones")["data"]["zones"]}

    def free(self, zone: str) -> int | None:
        """Its free spaces now."""
        count: int | None = self.zones[zone]["free"]
        return count


@pytest.fixture
def registry_url(postgres: PostgresServer) -> str:
    """A registry that holds the town."""
    url = postgres.url(postgres.new_database())
    with closing(open_registry(url)) as opened:
        opened.merge(REGISTRY.entries, by="test", at=NOW)
    return url


@pytest.fixture
def registry(registry_url: str) -> Iterator[RegistryStore]:
    with closing(open_registry(registry_url)) as opened:
        yield opened


@pytest.fixture
def store_url(influx: InfluxServer) -> str:
    return influx.url(fresh_name())


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with closing(open_store(store_url)) as opened:
        yield opened


@pytest.fixture
def replicas(own_mosquitto: Mosquitto, registry_url: str, store_url: str, tmp_path: Path) -> Iterator[list[Replica]]:
    broker = f"mqtt://{own_mosquitto.host}:{own_mosquitto.port}"
    options = {
        "--broker": broker,
        "--registry": registry_url,
        "--store": store_url,
        "--ledger": str(tmp_path / "ledger.db"),
    }
    both = [Replica(name, tmp_path, options) for name in ("one", "two")]
    try:
        for each in both:
            each.start()
        until(lambda: all(each.is_ready() for each in both), LONG_S)
        yield both
    finally:
        for each in both:
            each.stop()


@contextmanager
def gateways(broker: Mosquitto) -> Iterator[list[PublishingGateway]]:
    with ExitStack() as stack:
        yield [stack.enter_context(gateway(broker, f"gw-{number}")) for number in range(GATEWAYS)]


def device(gateway_name: str, seq: int) -> str:
    return f"{gateway_name}-{seq}"


def publish(edges: Sequence[PublishingGateway], seqs: range) -> None:
    """What is not confirmed yet, as gateways do."""
    for seq in seqs:
        for edge in edges:
            if seq not in edge.confirmed():
                edge.publish(edge.flow(seq, interval(seq % 12, device=device(edge.name, seq))))


def confirmed(edges: Sequence[PublishingGateway], seqs: range) -> Callable[[], bool]:
    return lambda: all(edge.confirmed() >= set(seqs) for edge in edges)


def let_in(replica: Replica, path: str, headers: dict[str, str]) -> None:
    """Ask until let in, once a second."""
    never = Event()
    for _ in range(60):
        answer = HTTP.get(f"{replica.address}{path}", headers=headers)
        if answer.is_success:
            return
        never.wait(1)
    raise AssertionError(f"{path} stays closed: {answer.status_code} {answer.text[:500]}")


@pytest.mark.slow
def test_either_of_two_dies_in_the_middle_and_nothing_is_lost_nor_counted_twice_and_both_answer_alike(
    own_mosquitto: Mosquitto, replicas: list[Replica], store: Store
) -> None:
    third = EACH // 3
    one, two = replicas
    day = f"/v1/flows/hourly?counter=rue-haute&from={NOW:%Y-%m-%d}&to={NOW + timedelta(days=1):%Y-%m-%d}"
    with gateways(own_mosquitto) as edges:
        for begin, victim in ((1, one), (1 + third, two)):
            publish(edges, range(begin, begin + third // 2))
            victim.kill()
            publish(edges, range(begin + third // 2, begin + third))
            victim.start()
            until(victim.is_ready, LONG_S)
            publish(edges, range(1, begin + third))
            until(confirmed(edges, range(1, begin + third)), LONG_S)
        publish(edges, range(1 + 2 * third, EACH + 1))
        seen = datetime.now(UTC) - timedelta(minutes=1)
        edges[0].publish(*(edges[0].space(EACH + n, f"d{n}", occupied=n == 1, at=seen) for n in (1, 2, 3)))
        edges[0].publish(edges[0].flow(EACH + 4, interval(1), interval(2)))
        until(confirmed(edges, range(1, EACH + 1)), LONG_S)
        until(confirmed(edges[:1], range(1, EACH + 5)), LONG_S)
    names = [device(edge.name, seq) for edge in edges for seq in range(1, EACH + 1)]
    assert counted(store, [Channel(name, LINE.name, LINE.mode) for name in names]) == (len(names), 2 * len(names))

    until(lambda: all(each.is_ready() and each.free("marche") == 2 for each in replicas), LONG_S)
    until(lambda: one.zones == two.zones)
    assert one.answer(day)["hours"] == two.answer(day)["hours"]


@pytest.mark.slow
def test_a_change_in_the_registry_a_key_a_cookie_and_a_signature_of_the_other_are_good_at_both(
    replicas: list[Replica], registry: RegistryStore, tmp_path: Path
) -> None:
    one, two = replicas
    now = datetime.now(UTC)
    registry.merge([Zone(id="port", name="Port", position=HERE)], by="test", at=now)
    _, key = registry.keys.create("technician", [Scope.PROVISION], by="test", at=now)
    registry.people.add("Marie Dupont", by="test", at=now)
    _, link = registry.people.invite("Marie Dupont", code=False, by="test", at=now, expires_at=now + timedelta(hours=1))

    until(lambda: all("port" in each.zones for each in replicas), LONG_S)
    signed = sign(KEPT.record, open_signer(tmp_path / "signing.key"))
    registry.acceptances.add(signed)
    bearer = {"Authorization": f"Bearer {key}"}
    for each in replicas:
        let_in(each, "/v1/devices", bearer)
        record = HTTP.get(f"{each.address}/v1/acceptances/{signed.id}", headers=bearer, timeout=LONG_S).json()
        assert (record["good"], record["signature"]) == (True, signed.signature)
    signed_in = HTTP.post(
        f"{one.address}/technician/sign-in", data={"secret": link}, headers={"Origin": one.address}, timeout=LONG_S
    )
    assert "set-cookie" in signed_in.headers, signed_in.text
    let_in(two, "/technician", {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]})
