"""TLS to the broker: what the town's authority signs is trusted, all else is refused, nothing goes in the clear."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from cloud_api.authority import Authority, create_authority
from cloud_api.mqtt import Connection, Subscription
from cloud_api.settings import Broker
from edge import publisher
from edge.config import GatewayConfig, GatewaySection
from edge.gateway import Gateway
from edge.publisher import BrokerConfig
from tests.broker import Mosquitto, running_mosquitto
from tests.clocks import ManualClock
from tests.gateways import NAME, running
from tests.town import until

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
)
"""Paho leaves the socket of a handshake that failed to the interpreter, which closes it at once and says so."""

NOW = datetime.now(UTC).replace(microsecond=0)
TLS_HANDSHAKE = 0x16
"""First byte of every TLS connection (RFC 8446, 5.1); MQTT's CONNECT begins with 0x10."""
ATTEMPTS = 3

Issue = Callable[[Authority], tuple[Path, Path]]


def good(authority: Authority) -> tuple[Path, Path]:
    return authority.server("broker", ["127.0.0.1"], NOW)


def expired(authority: Authority) -> tuple[Path, Path]:
    return authority.server("broker", ["127.0.0.1"], NOW - timedelta(days=30), days=10)


def of_another_host(authority: Authority) -> tuple[Path, Path]:
    return authority.server("broker", ["broker.example"], NOW)


@contextmanager
def broker_with(folder: Path, issue: Issue) -> Iterator[Mosquitto]:
    certificate, key = issue(create_authority(folder / "ca", "Town", NOW - timedelta(days=60)))
    with running_mosquitto(folder, settings=f"certfile {certificate}\nkeyfile {key}") as broker:
        yield broker


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """The certificate of an authority that signed nothing here."""
    create_authority(tmp_path / "stranger", "Stranger", NOW)
    return tmp_path / "stranger" / "ca.pem"


def platform_at(broker: Mosquitto, ca_file: Path) -> Connection:
    settings = Broker(host=broker.host, port=broker.port, ca_file=ca_file)
    return Connection(settings, Subscription(client_id="test", topics=("t",), window=10), lambda _delivery: None)


def gateway_at(host: str, port: int, folder: Path, ca_file: Path) -> Gateway:
    broker = BrokerConfig(host=host, port=port, ca_file=ca_file)
    section = GatewaySection(name=NAME, data=folder)
    return Gateway(GatewayConfig(gateway=section, broker=broker), ManualClock(NOW))


def test_what_the_towns_authority_signed_is_trusted_by_gateway_and_platform(tmp_path: Path) -> None:
    with broker_with(tmp_path, good) as broker:
        authority = tmp_path / "ca" / "ca.pem"
        platform = platform_at(broker, authority)
        platform.start()
        gateway = gateway_at(broker.host, broker.port, tmp_path, authority)

        async def connects() -> None:
            async with running(gateway):
                await asyncio.to_thread(until, lambda: gateway.is_connected)

        asyncio.run(connects())
        until(lambda: platform.problem is None)
        platform.stop()


@pytest.mark.parametrize("issue", [expired, of_another_host])
def test_a_certificate_that_is_not_good_is_refused_by_gateway_and_platform(
    tmp_path: Path, issue: Issue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with broker_with(tmp_path, issue) as broker:
        refused_by_both(broker, tmp_path, tmp_path / "ca" / "ca.pem", monkeypatch, caplog)


def test_a_broker_of_another_authority_is_refused_by_gateway_and_platform(
    tmp_path: Path, stranger: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with broker_with(tmp_path, good) as broker:
        refused_by_both(broker, tmp_path, stranger, monkeypatch, caplog)


def refused_by_both(
    broker: Mosquitto,
    folder: Path,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(publisher, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(publisher, "LONGEST_PAUSE_S", 0.05)
    platform = platform_at(broker, ca_file)
    platform.start()
    gateway = gateway_at(broker.host, broker.port, folder, ca_file)

    async def is_refused() -> None:
        async with running(gateway):
            await asyncio.to_thread(until, lambda: "certificate verify failed" in caplog.text)
            assert not gateway.is_connected

    asyncio.run(is_refused())
    until(lambda: platform.problem == "the broker cannot be reached")
    platform.stop()
    assert "CONNECT" not in broker.log


def test_a_gateway_that_is_refused_never_tries_in_the_clear(
    tmp_path: Path, stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(publisher, "LONGEST_PAUSE_S", 0.05)
    first_bytes: list[int] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as ear:

        def hang_up() -> None:
            for _ in range(ATTEMPTS):
                caller, _ = ear.accept()
                with caller:
                    first_bytes.extend(caller.recv(1))

        listening = Thread(target=hang_up, daemon=True)
        listening.start()
        gateway = gateway_at("127.0.0.1", ear.getsockname()[1], tmp_path, stranger)

        async def tries() -> None:
            async with running(gateway):
                await asyncio.to_thread(until, lambda: len(first_bytes) == ATTEMPTS)

        asyncio.run(tries())
        listening.join()
    assert first_bytes == [TLS_HANDSHAKE] * ATTEMPTS
