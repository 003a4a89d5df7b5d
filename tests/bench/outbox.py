"""What the outbox and its publisher cost, beside a minimal outbox in the same run, on a real broker.

Processor time is this process's with all its threads; the broker and the store that confirms are processes of their
own. Ours also waits for the store's word; the minimal one is content with the broker's.
"""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from edge import messages
from edge.messages import Epoch, Flow, FlowInterval, GatewayName
from edge.outbox import Outbox
from edge.publisher import BrokerConfig, Publisher
from tests.bench import wear
from tests.bench.confirming import CLIENT_ID
from tests.bench.minimal_outbox import MinimalOutbox
from tests.bench.programs import running_gateway, status_mb
from tests.bench.table import Row
from tests.broker import Mosquitto, running_mosquitto
from tests.town import until

RUNS = 3
COMMIT_S = 0.05
PER_COMMIT, COMMITS = 15, 100
"""300 messages a second, for five seconds."""
BACKLOG, BACKLOG_COMMIT = 20_000, 500
PATIENCE_S = 60
REFERENCE = "a minimal outbox: SQLite WAL FULL, commits of 100 or 50 ms, paho MQTT 5, window 20"
MINIMAL_IMPORTS = "import sqlite3, paho.mqtt.client; print(open('/proc/self/status').read())"
ALL_LINKS = """
[gateway]
name = "idle"
data = "data"
clock = "system"

[broker]
host = "{host}"
port = {port}

[[link]]
kind = "serial"
name = "wire"
port = "/dev/absent-1"
model = "hlk-ld2450"
device = "radar"

[[link]]
kind = "rak3172"
name = "modem"
port = "/dev/absent-2"
frequency_hz = 868100000
spreading_factor = 9

[[link]]
kind = "chirpstack"
name = "chirpstack"
host = "{host}"
port = {port}
client_id = "idle-chirpstack"

[[link]]
kind = "ble"
name = "bluetooth"

[[link]]
kind = "modbus"
name = "quay"
port = "/dev/absent-3"
baud = 9600
poll_s = 1.0
timeout_s = 1.0
"""
RADAR = """
[[device]]
address = "radar"
model = "hlk-ld2450"
link = "wire"
"""
"""Its targets are followed in numpy, which is loaded for it."""


def rows() -> Iterator[Row]:
    """The figures of this file, and those of wear."""
    with TemporaryDirectory() as name, running_mosquitto(Path(name)) as broker:
        with _store(broker):
            ours, minimal = _median(_steady_ours, broker), _median(_steady_minimal, broker)
            yield Row("processor time of a message at 300/s", ours, "ms", minimal, REFERENCE)
            ours, minimal = _median(_drain_ours, broker), _median(_drain_minimal, broker)
            yield Row(f"drain of {BACKLOG:,} messages", ours, "messages/s", minimal, REFERENCE)
        minimal_idle = subprocess.run(
            [sys.executable, "-c", MINIMAL_IMPORTS], check=True, capture_output=True, text=True
        )
        bare_mb = status_mb(minimal_idle.stdout)
        for what, devices in (("", ""), (", a radar adopted", RADAR)):
            configuration = Path(name) / "gateway.toml"
            configuration.write_text(ALL_LINKS.format(host=broker.host, port=broker.port) + devices)
            with running_gateway(configuration) as gateway:
                idle = f"resident while idle, all drivers loaded{what}"
                yield Row(idle, gateway.resident_mb, "MB", bare_mb, "bare Python with sqlite3 and paho")
    yield from wear.rows()


def _median(measure: Callable[[Path, Mosquitto], float], broker: Mosquitto) -> float:
    figures = []
    for _ in range(RUNS):
        with TemporaryDirectory() as folder:
            figures.append(measure(Path(folder) / "outbox.db", broker))
    return median(figures)


@contextmanager
def _store(broker: Mosquitto) -> Iterator[None]:
    """The store that confirms, subscribed."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.confirming", broker.host, str(broker.port)])
    try:
        until(lambda: f"Sending SUBACK to {CLIENT_ID}" in broker.log, PATIENCE_S)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _flow() -> Flow:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    interval = FlowInterval(device="d", channel="line1", start=start, seconds=300, in_=3, out=2, covered_s=300)
    return Flow(gateway=GatewayName("bench"), epoch=Epoch("0" * 16), intervals=(interval,))


def _steady_ours(path: Path, broker: Mosquitto) -> float:
    return asyncio.run(_steady_ours_running(path, broker))


async def _steady_ours_running(path: Path, broker: Mosquitto) -> float:
    outbox, batch = Outbox(path, "bench"), [_flow()] * PER_COMMIT
    publisher = _publisher(outbox, broker)
    running = asyncio.create_task(publisher.run())
    await asyncio.to_thread(until, lambda: publisher.connected, PATIENCE_S)
    begin = process_time()
    for _ in range(COMMITS):
        await asyncio.to_thread(outbox.commit, {}, batch)
        publisher.wake()
        await asyncio.sleep(COMMIT_S)
    await publisher.drained()
    spent = process_time() - begin
    await _ended(running, outbox)
    return 1000 * spent / (COMMITS * PER_COMMIT)


def _steady_minimal(path: Path, broker: Mosquitto) -> float:
    outbox, batch, pause = MinimalOutbox(path), [_row()] * PER_COMMIT, threading.Event()
    outbox.connect(broker.host, broker.port)
    begin = process_time()
    for _ in range(COMMITS):
        outbox.put(batch)
        outbox.pump()
        pause.wait(COMMIT_S)
    outbox.settle()
    spent = process_time() - begin
    outbox.close()
    return 1000 * spent / (COMMITS * PER_COMMIT)


def _drain_ours(path: Path, broker: Mosquitto) -> float:
    return asyncio.run(_drain_ours_running(path, broker))


async def _drain_ours_running(path: Path, broker: Mosquitto) -> float:
    outbox, batch = Outbox(path, "bench"), [_flow()] * BACKLOG_COMMIT
    for _ in range(BACKLOG // BACKLOG_COMMIT):
        outbox.commit({}, batch)
    publisher = _publisher(outbox, broker)
    begin = perf_counter()
    running = asyncio.create_task(publisher.run())
    await asyncio.to_thread(until, lambda: publisher.counters["published"] >= BACKLOG, PATIENCE_S)
    seconds = perf_counter() - begin
    await _ended(running, outbox)
    return BACKLOG / seconds


def _drain_minimal(path: Path, broker: Mosquitto) -> float:
    outbox = MinimalOutbox(path)
    outbox.put([_row()] * BACKLOG)
    begin = perf_counter()
    outbox.connect(broker.host, broker.port)
    outbox.pump()
    outbox.settle()
    seconds = perf_counter() - begin
    outbox.close()
    return BACKLOG / seconds


def _row() -> tuple[str, bytes]:
    flow = _flow()
    return messages.topic_of(flow), messages.encode(flow)


def _publisher(outbox: Outbox, broker: Mosquitto) -> Publisher:
    city = BrokerConfig(host=broker.host, port=broker.port)
    return Publisher(lambda: city, outbox, on_connected=list, on_message=lambda _: None)


async def _ended(running: asyncio.Task[None], outbox: Outbox) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    outbox.close()
