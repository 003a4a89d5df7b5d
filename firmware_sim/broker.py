"""A broker for the demo: mosquitto where it is installed, otherwise the one that comes in a wheel (rumqttd, `iotcore`).

In comes a folder, out comes a loopback port. It lets everybody on this machine in, so it is for demos only; it never
listens beyond loopback and ends with its owner.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE_S = 10.0
POLL_S = 0.05
RUMQTTD = """id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "demo"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
"""


class Product(StrEnum):
    """Which broker to run."""

    AUTO = "auto"
    """mosquitto where it is installed, otherwise rumqttd."""
    MOSQUITTO = "mosquitto"
    IOTCORE = "iotcore"
    """rumqttd in a wheel."""


class BrokerError(Exception):
    """The broker did not start: why, and what to do."""


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """Where it listens, and what it is."""

    host: str
    port: int
    product: str


@contextmanager
def running_broker(folder: Path, product: Product = Product.AUTO) -> Iterator[RunningBroker]:
    """A broker for the length of a `with`. Raises `BrokerError`."""
    executable = None if product is Product.IOTCORE else _installed_mosquitto()
    if product is Product.MOSQUITTO and executable is None:
        raise BrokerError("mosquitto is not installed: apt install mosquitto, or use the broker iotcore")
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    start = _mosquitto(executable, folder, port) if executable else _rumqttd(folder, port)
    with start:
        yield RunningBroker(HOST, port, "mosquitto" if executable else "rumqttd (iotcore)")


def _installed_mosquitto() -> str | None:
    """Debian puts it where only root's PATH leads."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def _mosquitto(executable: str, folder: Path, port: int) -> Iterator[None]:
    configuration = folder / "mosquitto.conf"
    lines = (
        f"listener {port} {HOST}",
        "allow_anonymous true",
        f"user {getpass.getuser()}",
        "max_queued_messages 100000",
    )
    configuration.write_text("\n".join(lines) + "\n")
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen(
            [executable, "-c", str(configuration)], stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_it_listens(process, port)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@contextmanager
def _rumqttd(folder: Path, port: int) -> Iterator[None]:
    try:
        from iotcore import Broker
    except ModuleNotFoundError as error:
        raise BrokerError("no broker: apt install mosquitto, or pip install 'passerelle[sim]'") from error
    configuration = folder / "rumqttd.toml"
    configuration.write_text(RUMQTTD.format(host=HOST, port=port))
    broker = Broker(config_path=str(configuration))
    with _ctrl_c_is_not_inherited():
        broker.start()
    try:
        yield
    finally:
        broker.stop()


@contextmanager
def _ctrl_c_is_not_inherited() -> Iterator[None]:
    """Ctrl-C reaches every process of the terminal; those started meanwhile leave it to us, who end them last."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(int(PATIENCE_S / POLL_S)):
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
            raise BrokerError(f"mosquitto ended at once with status {process.returncode}")
    raise BrokerError(f"mosquitto did not listen within {PATIENCE_S:g} s")


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
