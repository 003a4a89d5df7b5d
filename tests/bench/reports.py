"""How long reports take, how much memory, and who waits meanwhile: a month and a year of 10 and of 100 counters.

Out of years, from both stores. Each report is made by the command, in a process of its own; its processor time is
that of the process and of InfluxDB's server together. Filling the stores takes minutes, so this section runs when it is
asked for: in processes of their own, for a report's peak of memory is never told below that of what started it.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter

import httpx
import numpy as np

from cloud_api.registry import Installation, Registry, Space, Zone
from cloud_api.registry.store import open_registry
from cloud_api.scopes import Scope
from tests.bench.programs import COMMAND, Program, Served, serving_api
from tests.bench.table import Row
from tests.bench.years import CHANNELS, COUNTERS, HOURS, TOWN, fill_influx, fill_sqlite
from tests.broker import Mosquitto, running_mosquitto
from tests.influx import InfluxServer
from tests.town import HERE, NOW, START, kept

PERIODS = {"a month": ("2026-10-01", "2026-11-01"), "a year": ("2025-11-01", "2026-11-01")}
FORMS = ("pdf", "xlsx")
KIB = 1024
MIB = 1024 * KIB
SPACES, ZONES = 400, 20
WITH_PARKING = Registry(
    counters=list(TOWN.counters.values()),
    zones=[Zone(id=f"z{number}", name=f"Zone {number}", position=HERE) for number in range(ZONES)],
    spaces=[Space(id=f"s{number}", zone=f"z{number % ZONES}") for number in range(SPACES)],
    installations=[
        *TOWN.installations,
        *(Installation(place=f"s{each}", device=f"d{each}", channel="1", start=START) for each in range(SPACES)),
    ],
)
ASKED = ("/v1/parking/zones", "/v1/parking/zones/z1")
ASKED_EVERY_S = 0.02
QUIET_S = 10.0


@dataclass(frozen=True, slots=True)
class Made:
    """What one report took."""

    wall_s: float
    processor_s: float
    peak_mib: float
    size_kb: float


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        server = InfluxServer(folder)
        server.start()
        stack.callback(server.stop)
        kept(TOWN, folder).close()
        urls = f"sqlite:///{folder}/history.db", server.url("history")
        with ProcessPoolExecutor(2, get_context("spawn")) as fillers:
            filled = [
                fillers.submit(_seconds, fill, url) for fill, url in zip((fill_sqlite, fill_influx), urls, strict=True)
            ]
        yield Row(f"{HOURS:,} hours written, side by side", filled[0].result(), "s", filled[1].result(), "InfluxDB")
        for counters in (10, COUNTERS):
            for what, period in PERIODS.items():
                for form in FORMS:
                    make = partial(_made, folder, counters, period, form)
                    yield from _compared(f"{counters} counters, {what}, {form}", make(urls[0]), make(urls[1], server))
        broker = stack.enter_context(running_mosquitto(folder))
        for name, url in zip(("SQLite", "InfluxDB"), urls, strict=True):
            yield from _waited(name, url, folder / name, broker)


def _seconds(fill: Callable[[str], None], url: str) -> float:
    begin = perf_counter()
    fill(url)
    return perf_counter() - begin


def _compared(what: str, ours: Made, other: Made) -> Iterator[Row]:
    yield Row(what, ours.wall_s, "s", other.wall_s, "InfluxDB")
    yield Row("  processor", ours.processor_s, "s", other.processor_s, "InfluxDB, its server's with it")
    yield Row("  peak memory", ours.peak_mib, "MiB", other.peak_mib, "InfluxDB")
    yield Row("  size", ours.size_kb, "kB", other.size_kb, "InfluxDB")


def _made(
    folder: Path, counters: int, period: tuple[str, str], form: str, url: str, server: InfluxServer | None = None
) -> Made:
    """One report of so many counters."""
    file = folder / f"report.{form}"
    command = [
        *(*COMMAND, "report", "flows", "--store", url, "--registry", f"{folder}/registry.db", "--format", form),
        *("--from", period[0], "--to", period[1], "--output", str(file)),
        *(word for channel in CHANNELS[:counters] for word in ("--place", channel.device)),
    ]
    before_s = _processor_s(server)
    begin = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the report of {counters} counters ended with {status}")
    return Made(
        wall_s=perf_counter() - begin,
        processor_s=used.ru_utime + used.ru_stime + _processor_s(server) - before_s,
        peak_mib=used.ru_maxrss * KIB / MIB,
        size_kb=file.stat().st_size / 1000,
    )


def _processor_s(server: InfluxServer | None) -> float:
    return 0.0 if server is None else Program(server.process, server.folder / "influxd.log").processor_s


def _waited(store: str, url: str, folder: Path, broker: Mosquitto) -> Iterator[Row]:
    """How long who asks where to park waits while a year of all counters is made, and while nothing is."""
    folder.mkdir()
    own = "--registry", f"{folder}/registry.db", "--ledger", f"{folder}/ledger.db"
    options = "--store", url, *own, "--keep-raw", "ever", "--per-second", "1000000"
    with serving_api(WITH_PARKING, folder, broker, *options) as api:
        secret = _key(folder)
        for path in ASKED:
            quiet = _latencies(api, path, Event(), QUIET_S)
            busy, took_s = _while_made(api, path, secret)
            what = f"GET {path} while a year of all counters is made, {store}"
            yield Row(f"{what}: median", np.quantile(busy, 0.5), "ms", np.quantile(quiet, 0.5), "when nothing is")
            yield Row("  p99", np.quantile(busy, 0.99), "ms", np.quantile(quiet, 0.99), "when nothing is")
            yield Row("  the report took", took_s, "s")


def _key(folder: Path) -> str:
    with closing(open_registry(f"{folder}/registry.db")) as registry:
        return registry.keys.create("bench", [Scope.REPORT], by="bench", at=NOW)[1]


def _while_made(api: Served, path: str, secret: str) -> tuple[list[float], float]:
    over, took = Event(), list[float]()

    def make() -> None:
        begin = perf_counter()
        try:
            wish = {"from": PERIODS["a year"][0], "to": PERIODS["a year"][1], "format": "pdf"}
            headers = {"authorization": f"Bearer {secret}"}
            httpx.get(f"{api.address}/v1/reports/flows", params=wish, headers=headers, timeout=900).raise_for_status()
            took.append(perf_counter() - begin)
        finally:
            over.set()

    thread = Thread(target=make)
    thread.start()
    waited = _latencies(api, path, over, 900)
    thread.join()
    return waited, took[0]


def _latencies(api: Served, path: str, over: Event, most_s: float) -> list[float]:
    """Milliseconds of each of the requests of one caller, fifty a second, until something is over."""
    waited, first = list[float](), perf_counter()
    with httpx.Client(base_url=api.address, timeout=60) as client:
        while perf_counter() - first < most_s and not over.wait(ASKED_EVERY_S):
            begin = perf_counter()
            client.get(path).raise_for_status()
            waited.append(1000 * (perf_counter() - begin))
    return waited
