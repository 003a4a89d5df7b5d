"""A disk that refuses while the gateway runs: survived everywhere, and one line says when it works again."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge import service
from edge.gateway import Gateway
from edge.messages import Desired, DeviceSettings, Epoch
from edge.notify import Notifier
from edge.outbox import Outbox, OutboxError
from edge.readings import DeviceAddress
from tests.broker import Mosquitto
from tests.clocks import ManualClock
from tests.gateways import NAME, gateway_at, running
from tests.log_lines import Log, logged

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
LIDAR = DeviceSettings(address=DeviceAddress("lidar-1"), model="benewake-tfmini-plus", options={"unit": "mm"})


@pytest.fixture
def log() -> Iterator[Log]:
    with logged("edge") as lines:
        yield lines


def test_devices_that_come_while_the_disk_is_read_only_are_kept_when_it_writes_again(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log
) -> None:
    async def scenario() -> None:
        gateway = gateway_at(tmp_path, own_mosquitto, ManualClock(START))
        async with running(gateway):
            gateway._outbox._db.execute("PRAGMA query_only = 1")
            gateway._receive(Desired(gateway=NAME, epoch=Epoch("0" * 16), revision=7, devices=(LIDAR,)))
            await log.says("cannot use the outbox")
            gateway._outbox._db.execute("PRAGMA query_only = 0")
            await log.says("the outbox works again after")

    asyncio.run(scenario())
    outbox = Outbox(tmp_path / "outbox.db", NAME)
    assert b'"revision":7' in (outbox.recall("desired") or b"")
    outbox.close()


def test_a_gateway_tells_how_full_the_disk_of_its_outbox_is(tmp_path: Path, own_mosquitto: Mosquitto) -> None:
    async def scenario() -> None:
        gateway = gateway_at(tmp_path, own_mosquitto, ManualClock(START))
        async with running(gateway):
            told = gateway.status()
        assert told.disk_size_bytes == shutil.disk_usage(tmp_path).total
        assert 0 < (told.disk_free_bytes or 0) < told.disk_size_bytes

    asyncio.run(scenario())


def test_a_disk_that_cannot_be_read_ends_neither_publisher_nor_status(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log
) -> None:
    async def scenario() -> None:
        gateway = gateway_at(tmp_path, own_mosquitto, ManualClock(START))
        gateway._outbox._db.execute("ALTER TABLE outbox RENAME TO away")
        async with running(gateway):
            await log.says("cannot use the outbox", "cannot send from the outbox", "no status at this connection")
            gateway._outbox._db.execute("ALTER TABLE away RENAME TO outbox")
            await log.says("the outbox works again after")

    asyncio.run(scenario())


def test_a_disk_that_fails_while_the_outbox_closes_ends_the_service_in_words(
    tmp_path: Path, own_mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop_at_once(_systemd: Notifier, gateway: Gateway, _health: Path | None) -> None:
        await gateway.started()
        gateway.stop()

    def fail(outbox: Outbox) -> None:
        raise OutboxError(outbox._path, "disk I/O error", advice="replace the card")

    monkeypatch.setattr(service, "report_to", stop_at_once)
    monkeypatch.setattr(Outbox, "close", fail)
    path = tmp_path / "gateway.toml"
    path.write_text(
        f'[gateway]\nname = "mairie"\ndata = "data"\nclock = "system"\n'
        f'[broker]\nhost = "{own_mosquitto.host}"\nport = {own_mosquitto.port}\n'
    )

    failure = service.run_service(path)

    assert failure == f"OutboxError: {tmp_path / 'data' / 'outbox.db'}: disk I/O error; replace the card"
