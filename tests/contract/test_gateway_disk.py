"""A disk that refuses while the gateway runs: survived everywhere, and one line says when it works again."""

import asyncio
import logging
import queue
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.config import GatewayConfig, GatewaySection
from edge.gateway import Gateway
from edge.messages import Desired, DeviceSettings, Epoch, GatewayName
from edge.outbox import Outbox
from edge.publisher import BrokerConfig
from edge.readings import DeviceAddress
from tests.broker import Mosquitto
from tests.clocks import ManualClock

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
NAME = GatewayName("mairie")
LIDAR = DeviceSettings(address=DeviceAddress("lidar-1"), model="benewake-tfmini-plus", options={"unit": "mm"})
PATIENCE_S = 30


class Log(logging.Handler):
    """What the gateway logs, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.put(record.getMessage())

    async def says(self, *beginnings: str) -> None:
        """Return when a line has begun with each of them, in any order."""
        missing = set(beginnings)
        while missing:
            line = await asyncio.to_thread(self._lines.get, timeout=PATIENCE_S)
            missing -= {beginning for beginning in missing if line.startswith(beginning)}


@pytest.fixture
def log() -> Iterator[Log]:
    handler = Log()
    logging.getLogger("edge").addHandler(handler)
    yield handler
    logging.getLogger("edge").removeHandler(handler)


def gateway_at(folder: Path, broker: Mosquitto) -> Gateway:
    section = GatewaySection(name=NAME, data=folder)
    config = GatewayConfig(gateway=section, broker=BrokerConfig(host=broker.host, port=broker.port))
    return Gateway(config, ManualClock(START))


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[None]:
    """It runs for the length of a `with`; what ended it before is raised at the end."""
    task = asyncio.create_task(gateway.run())
    try:
        await gateway.started()
        yield
    finally:
        gateway.stop()
        await task


def test_devices_that_come_while_the_disk_is_read_only_are_kept_when_it_writes_again(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log
) -> None:
    async def scenario() -> None:
        gateway = gateway_at(tmp_path, own_mosquitto)
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


def test_a_disk_that_cannot_be_read_ends_neither_publisher_nor_status(
    tmp_path: Path, own_mosquitto: Mosquitto, log: Log
) -> None:
    async def scenario() -> None:
        gateway = gateway_at(tmp_path, own_mosquitto)
        gateway._outbox._db.execute("ALTER TABLE outbox RENAME TO away")
        async with running(gateway):
            await log.says("cannot use the outbox", "cannot read the outbox", "no status at this connection")
            gateway._outbox._db.execute("ALTER TABLE away RENAME TO outbox")
            await log.says("the outbox works again after")

    asyncio.run(scenario())
