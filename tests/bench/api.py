"""What the API answers a crowd with: all zones asked for, not changed, and listened to, while the town changes.

2,000 spaces in 60 zones, `passerelle api` a program of its own on a real broker, asked by wrk. The reference is bare
ASGI on the same web server that gives the very same bytes, asked in turns. A rate is per second of the server's
processor time, which the machine's other work does not touch, or, where it says so, by the clock on the wall.
"""

import asyncio
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter

import httpx
import msgspec
import numpy as np

from cloud_api.registry import Installation, Registry, Space, Zone
from cloud_api.registry.places import Audience
from tests.bench.bare_api import Recorded
from tests.bench.crowd import Crowd, crowd_of
from tests.bench.programs import Program, Served, running, serving_api
from tests.bench.table import Row
from tests.broker import HOST, free_port, running_mosquitto
from tests.town import HERE, START, PublishingGateway, gateway, until

SPACES, ZONES = 2_000, 60
CHANGES_PER_S = 20
LISTENERS = 2_000
TOLD, TOLD_EVERY_S = 100, 0.2
RUNS, RUN_S = 7, 2
CONNECTIONS = 32
ALL_ZONES, STREAM = "/v1/parking/zones", "/v1/parking/stream"
READS = "Accept-Encoding: gzip, deflate, br"
HAS = "If-None-Match: *"
RATE = re.compile(r"(\d+) requests in")
P99 = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
UNLIMITED = ("--per-second", "1000000")
TOWN = Registry(
    zones=[Zone(id=f"z{number}", name=f"Zone {number}", position=HERE) for number in range(ZONES)],
    spaces=[
        Space(id=f"s{number}", zone=f"z{number % ZONES}", audience=Audience.PUBLIC if number % 25 else Audience.PMR)
        for number in range(SPACES)
    ],
    installations=[
        Installation(place=f"s{number}", device=f"d{number}", channel="1", start=START) for number in range(SPACES)
    ],
)
REFERENCE = "bare ASGI, the same bytes"


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run of wrk."""

    per_processor_s: float
    per_s: float
    p99_ms: float


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with TemporaryDirectory() as name, running_mosquitto(Path(name)) as broker, gateway(broker, "gw-busy") as sender:
        folder, street = Path(name), Street(sender)
        with serving_api(TOWN, folder, broker, *UNLIMITED) as api:
            _occupy(street, api)
            with _bare(folder, api) as bare:
                yield from _asked(street, api, bare)
                yield from asyncio.run(_listened(street, api, bare))
            yield Row(f"stopped by SIGTERM with {LISTENERS:,} listeners", asyncio.run(_stopped(api)), "s", 5, "goal")


class Street:
    """The sensors of the town, each with a car on it or not."""

    def __init__(self, sender: PublishingGateway) -> None:
        self._sender = sender
        self._occupied = [number % 3 == 0 for number in range(SPACES)]
        self._said = 0
        sender.publish(sender.status())

    def speak(self, number: int) -> None:
        """Let a sensor say what it sees."""
        self._said += 1
        self._sender.publish(
            self._sender.space(self._said, f"d{number}", occupied=self._occupied[number], at=datetime.now(UTC))
        )

    def change(self, number: int) -> None:
        """A car comes or goes."""
        self._occupied[number % SPACES] ^= True
        self.speak(number % SPACES)


def _occupy(street: Street, api: Served) -> None:
    """Let every sensor speak once."""
    for number in range(SPACES):
        street.speak(number)
    until(lambda: _unknown(api) == 0, 60)


def _unknown(api: Served) -> int:
    zones: list[dict[str, int]] = httpx.get(f"{api.address}{ALL_ZONES}").raise_for_status().json()["data"]["zones"]
    return sum(zone["unknown"] for zone in zones)


@contextmanager
def _bare(folder: Path, api: Served) -> Iterator[Served]:
    """The bare server, with what the API answers now."""
    port, file = free_port(), folder / "recorded.json"
    name, _, value = READS.partition(": ")
    with httpx.stream("GET", f"{api.address}{ALL_ZONES}", headers={name: value}) as answer:
        ours = [(key, value) for key, value in answer.headers.raw if key not in {b"date", b"server"}]
        recorded = Recorded(tuple(ours), b"".join(answer.iter_raw()))
    file.write_bytes(msgspec.json.encode(recorded))
    command = [sys.executable, "-m", "tests.bench.bare_api", str(file), str(port)]
    with running(command, folder / "bare.log") as program:
        bare = Served(program, port)
        until(lambda: program.said("") and _answers(bare.address), 30)
        yield bare


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/zones").is_success
    except httpx.TransportError:
        return False


def _asked(street: Street, api: Served, bare: Served) -> Iterator[Row]:
    """All zones, by many at once, while the town changes and while it does not."""
    url, quiet, busy = f"{api.address}{ALL_ZONES}", list[Load](), list[Load]()
    theirs, unchanged = list[Load](), list[Load]()
    for _ in range(RUNS):
        quiet.append(_load(api.program, url, READS))
        theirs.append(_load(bare.program, f"{bare.address}/zones", READS))
        unchanged.append(_load(api.program, url, HAS))
        with _changing(street):
            busy.append(_load(api.program, url, READS))
    changes = _share_of_a_core(street, api)
    rate, bare_rate = _middle(quiet, "per_processor_s"), _middle(theirs, "per_processor_s")
    yield Row("GET /v1/parking/zones, nothing changes", rate, "/s", bare_rate, REFERENCE)
    yield Row(f"  what {CHANGES_PER_S} changes a second take of a core", 100 * changes, "%")
    yield Row("  so much is left for callers on a core of its own", (1 - changes) * rate, "/s", bare_rate, REFERENCE)
    wall = _middle(busy, "per_s"), "/s", _middle(theirs, "per_s"), REFERENCE
    yield Row(f"  with {CHANGES_PER_S} changes a second, by the clock on the wall", *wall)
    p99 = _middle(busy, "p99_ms"), "ms", _middle(theirs, "p99_ms"), REFERENCE
    yield Row(f"  p99 of {CONNECTIONS} callers then", *p99)
    yield Row("304 for who has it", _middle(unchanged, "per_processor_s"), "/s")
    yield Row("  by the clock on the wall", _middle(unchanged, "per_s"), "/s")


def _share_of_a_core(street: Street, api: Served) -> float:
    """What the changes alone take, all threads of the server together: from the broker's message to the store."""
    before_s, begin = api.program.processor_s, perf_counter()
    with _changing(street):
        Event().wait(2 * RUN_S)
    return (api.program.processor_s - before_s) / (perf_counter() - begin)


def _middle(loads: list[Load], name: str) -> float:
    return float(median(getattr(load, name) for load in loads))


def _load(server: Program, url: str, header: str) -> Load:
    """Ask with wrk for some seconds."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise FileNotFoundError("wrk is not installed; apt-get install wrk")
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{RUN_S}s", "--latency", "-H", header, url]
    before_s = server.processor_s
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    spent_s = server.processor_s - before_s
    requests, p99 = RATE.search(said), P99.search(said)
    if requests is None or p99 is None or "Non-2xx" in said.replace("Non-2xx or 3xx responses: 0", ""):
        raise ValueError(f"wrk met what it should not: {said}")
    return Load(int(requests[1]) / spent_s, int(requests[1]) / RUN_S, float(p99[1]) * MILLISECONDS[p99[2]])


@contextmanager
def _changing(street: Street) -> Iterator[None]:
    """Cars come and go for the length of a `with`."""
    over = Event()

    def come_and_go() -> None:
        number = 0
        while not over.wait(1 / CHANGES_PER_S):
            number += 1
            street.change(number * 7)

    thread = Thread(target=come_and_go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def _listened(street: Street, api: Served, bare: Served) -> list[Row]:
    """From a change until the last listener has it."""
    before_mb = api.program.resident_mb
    async with crowd_of(LISTENERS, HOST, api.port, STREAM) as crowd:
        listener_kb = 1000 * (api.program.resident_mb - before_mb) / LISTENERS
        ours = [await _told(crowd, street, number) for number in range(TOLD)]
    async with crowd_of(LISTENERS, HOST, bare.port, "/stream") as crowd:
        theirs = [await _told_bare(crowd) for _ in range(TOLD)]
    reference = "a bare server's own event"
    what = f"a change until the last of {LISTENERS:,} listeners has it, median"
    return [
        Row(what, np.quantile(ours, 0.5), "ms", np.quantile(theirs, 0.5), reference),
        Row("  p99", np.quantile(ours, 0.99), "ms", np.quantile(theirs, 0.99), reference),
        Row("memory of a listener", listener_kb, "kB"),
    ]


async def _told(crowd: Crowd, street: Street, number: int) -> float:
    """One change: milliseconds until everybody has it."""
    await asyncio.sleep(TOLD_EVERY_S)
    crowd.expect(LISTENERS)
    begin = perf_counter()
    await asyncio.to_thread(street.change, number)
    return 1000 * (await crowd.all_heard() - begin)


async def _told_bare(crowd: Crowd) -> float:
    crowd.expect(LISTENERS)
    done_at = await crowd.all_heard()
    assert crowd.first_heard_of is not None
    return 1000 * (done_at - crowd.first_heard_of)


async def _stopped(api: Served) -> float:
    """Seconds from the signal to the end of the program, with everybody connected."""
    async with crowd_of(LISTENERS, HOST, api.port, STREAM):
        begin = perf_counter()
        api.program.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(api.program.process.wait, 30)
        return perf_counter() - begin
