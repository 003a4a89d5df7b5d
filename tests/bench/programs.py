"""The real programs, each a process of its own: `passerelle edge` and `passerelle api` on a broker.

In go configuration files, out come processes that end with the `with` that started them.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

from cloud_api.registry import Registry
from cloud_api.registry.files.toml import parse_places
from tests.broker import HOST, Mosquitto, free_port
from tests.town import kept, until

COMMAND = [sys.executable, "-c", "from passerelle import main; main()"]
PATIENCE_S = 30

Opened = TypeVar("Opened")


@dataclass(frozen=True, slots=True)
class Program:
    """One running program."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def resident_mb(self) -> float:
        """Its memory that is in RAM now (VmRSS), in MB."""
        return status_mb(Path(f"/proc/{self.process.pid}/status").read_text())

    @property
    def processor_s(self) -> float:
        """Seconds of processor time that it took so far, with all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def written_mb(self) -> float:
        """Megabytes (10**6 bytes) that it has had written to disks so far."""
        return written_bytes(Path(f"/proc/{self.process.pid}/io").read_text()) / 1_000_000

    def said(self, words: str) -> bool:
        """Whether its log holds these words. Raises RuntimeError with the log when it has ended."""
        log = self.log.read_text(errors="replace")
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended with status {self.process.returncode}: {log}")
        return words in log


def status_mb(status: str) -> float:
    """VmRSS in the text of a `/proc/PID/status`, in MB of 10**6 bytes."""
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1_000_000


def written_bytes(io: str) -> int:
    """What Linux has handed to disks for a process (whole pages, as often as each is written), from `/proc/PID/io`."""
    return next(int(line.split()[1]) for line in io.splitlines() if line.startswith("write_bytes"))


@contextmanager
def running_gateway(configuration: Path) -> Iterator[Program]:
    """`passerelle edge`, connected to the city's broker."""
    command = [*COMMAND, "edge", "--config", str(configuration)]
    with running(command, configuration.parent / "edge.log") as gateway:
        until(lambda: gateway.said("connected to the broker"), PATIENCE_S)
        yield gateway


@contextmanager
def running_api(places: str, folder: Path, broker: Mosquitto) -> Iterator[str]:
    """`passerelle api` on a store and a registry of its own, ready: its address. `places` are TOML."""
    with serving_api(parse_places(places, folder), folder, broker) as api:
        yield api.address


@dataclass(frozen=True, slots=True)
class Served:
    """A running API, and where it is served."""

    program: Program
    port: int

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self.port}"


@contextmanager
def serving_api(town: Registry, folder: Path, broker: Mosquitto, *more: str) -> Iterator[Served]:
    """`passerelle api` for a town, with `more` options, ready."""
    port = free_port()
    kept(town, folder)
    options = {
        "--store": f"sqlite:///{folder / 'history.db'}",
        "--broker": f"mqtt://{broker.host}:{broker.port}",
        "--port": port,
        "--tiles": "none",
    }
    arguments = [str(word) for option in options.items() for word in option]
    with running([*COMMAND, "api", *arguments, *more], folder / "api.log") as program:
        api = Served(program, port)
        until(lambda: program.said("Serving") and _ready(api.address), PATIENCE_S)
        yield api


@asynccontextmanager
async def beside(program: AbstractContextManager[Opened]) -> AsyncIterator[Opened]:
    """Start and end a program in a thread, so that whoever it talks to in this event loop can answer meanwhile."""
    opened = await asyncio.to_thread(program.__enter__)
    try:
        yield opened
    finally:
        await asyncio.to_thread(program.__exit__, None, None, None)


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[Program]:
    """A program for the length of a `with`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield Program(process, log)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").is_success
    except httpx.TransportError:
        return False
