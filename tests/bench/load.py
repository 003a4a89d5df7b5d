"""Two hundred gateways on one broker for a minute: what ingest takes in, and who waits how long while one floods.

Every gateway is an MQTT client of its own; the API is the real program. Takes several minutes, so it runs on demand.
"""

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import monotonic

import httpx
from prometheus_client.parser import text_string_to_metric_families

from cloud_api.ingest import MOST_MESSAGES
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel
from edge.messages import MOST_UNCONFIRMED, FlowInterval
from tests.bench.fleet import FACTS, START, STEP, Fleet, Pace, device, fleet, flow
from tests.bench.programs import Served, running, serving_api
from tests.bench.table import Row
from tests.broker import Mosquitto, running_mosquitto
from tests.influx import InfluxServer
from tests.town import EPOCH, LINE, REGISTRY, until

QUEUED = "max_queued_messages 1000"
"""As mosquitto has it where nothing is said, as in `deploy/mosquitto`."""
GATEWAYS = 200
SECONDS = 60.0
WINDOW = 5
"""Messages of each gateway that are out, while all send as fast as they are answered."""
BARE_BATCHES = 40
AMBLE = Pace(every_s=2.0, window=1_000)
DRAIN = Pace(every_s=0.0, window=MOST_UNCONFIRMED)
FLOODING = "gw-flooding"
FLOOD_S = 10.0
PATIENCE_S = 300.0


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        influx = InfluxServer(made(folder / "influx"))
        influx.start()
        stack.callback(influx.stop)
        yield from _pressed(made(folder / "sqlite"), "SQLite", "sqlite:///{folder}/history.db", _bare_sqlite(folder))
        yield from _pressed(made(folder / "server"), "InfluxDB", influx.url("load"), _bare_influx(influx))
        yield from _flooded(made(folder / "flood"))


def _pressed(folder: Path, name: str, store: str, bare: float) -> Iterator[Row]:
    url = store.format(folder=folder)
    with ExitStack() as stack:
        broker, (api,) = platform(stack, folder, url, ["one"])
        idle_mb = api.program.resident_mb
        all_of_it = stack.enter_context(fleet(broker, [Pace(0.0, WINDOW)] * GATEWAYS))
        begin_s, processor_s = monotonic(), api.program.processor_s
        all_of_it.send_for(SECONDS)
        all_of_it.turn_until(all_of_it.is_quiet, PATIENCE_S)
        took_s, processor_s = monotonic() - begin_s, api.program.processor_s - processor_s
        facts = FACTS * all_of_it.sent
        yield Row(f"{name}: {GATEWAYS} gateways' facts stored", facts / took_s, "facts/s", bare, "the store alone")
        yield Row("  the API's processor time for a million facts", processor_s * 1e6 / facts, "s")
        yield Row("  the API's memory at the end", api.program.resident_mb, "MB", idle_mb, "before the first message")
        yield Row("  facts confirmed that the store does not hold once", abs(facts - parts(url, all_of_it)), "facts")


def _flooded(folder: Path) -> Iterator[Row]:
    with ExitStack() as stack:
        broker, (api,) = platform(stack, folder, f"sqlite:///{folder}/history.db", ["one"])
        calm = _others_wait(broker, AMBLE)
        yield from _beside("one gateway sends all that it may", _others_wait(broker, DRAIN), calm)
        command = [sys.executable, "-m", "tests.bench.flooding", broker.host, str(broker.port), FLOODING]
        with running(command, folder / "flooding.log"):
            until(lambda: let_go(api) > 0)
            before, idle_mb = let_go(api), api.program.resident_mb
            yield from _beside("one gateway minds no window", _others_wait(broker, AMBLE), calm)
            yield Row("  let go of what it sent", (let_go(api) - before) / FLOOD_S, "messages/s")
        yield Row("  the API's memory after that", api.program.resident_mb, "MB", idle_mb, "before that")


def _others_wait(broker: Mosquitto, first: Pace) -> list[float]:
    """How long all gateways but the first waited for each confirmation."""
    with fleet(broker, [first, *[AMBLE] * (GATEWAYS - 1)]) as gateways:
        gateways.send_for(FLOOD_S)
        gateways.turn_until(gateways.is_quiet, PATIENCE_S)
        return [each.waited_s for member in gateways.members[1:] for each in member.confirmed]


def _beside(what: str, waits: Sequence[float], calm: Sequence[float]) -> Iterator[Row]:
    for name, part in (("half", 50), ("99 of 100", 99)):
        yield Row(
            f"{what}: {name} of the others' confirmed within",
            _percentile(waits, part),
            "s",
            _percentile(calm, part),
            "while none does",
        )


def let_go(api: Served) -> float:
    """Messages of the flooding gateway that ingest did not read, so far."""
    families = text_string_to_metric_families(httpx.get(f"{api.address}/metrics", timeout=PATIENCE_S).text)
    samples = [sample for family in families for sample in family.samples]
    return sum(each.value for each in samples if each.name == "passerelle_ingest_flood_messages_total")


def platform(stack: ExitStack, folder: Path, store: str, names: Sequence[str]) -> tuple[Mosquitto, list[Served]]:
    """A broker, and workers on one store and one registry."""
    broker = stack.enter_context(running_mosquitto(folder, settings=QUEUED))
    return broker, [stack.enter_context(worker(broker, folder, store, name)) for name in names]


def worker(broker: Mosquitto, folder: Path, store: str, name: str) -> AbstractContextManager[Served]:
    """One of those that share the registry of the one called `one`, with a ledger of its own."""
    own = folder / name
    own.mkdir(exist_ok=True)
    more = ["--registry", str(folder / "one" / "registry.db"), "--ledger", str(own / "ledger.db"), "--worker", name]
    return serving_api(REGISTRY, own, broker, "--store", store, *more)


def parts(url: str, gateways: Fleet) -> int:
    """How many facts of these gateways a store holds."""
    channels = [
        Channel(device(member.name, number), LINE.name, LINE.mode)
        for member in gateways.members
        for number in range(FACTS)
    ]
    end = START + (max(member.seq for member in gateways.members) + 12) * STEP
    with closing(open_store(url)) as store:
        return sum(hour.parts for hour in store.hours(channels, START, end))


def _bare_sqlite(folder: Path) -> float:
    """The same facts into one table with the same key, as many to a commit as ingest takes at most; facts/s."""
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as db:
        db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE t (gateway, epoch, device, channel, mode, start, seconds, came, went, covered,"
            " PRIMARY KEY (device, channel, mode, start, gateway, epoch)) WITHOUT ROWID"
        )
        batches = [[_row(gateway, part) for gateway, part in batch] for batch in _bare_facts()]
        begin_s = monotonic()
        for batch in batches:
            db.execute("BEGIN")
            db.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", batch)
            db.execute("COMMIT")
        return BARE_BATCHES * MOST_MESSAGES * FACTS / (monotonic() - begin_s)


def _bare_influx(server: InfluxServer) -> float:
    """The same facts as ready lines to the server; facts/s."""
    server.query('CREATE DATABASE "bare"')
    batches = ["\n".join(_line(gateway, part) for gateway, part in batch) for batch in _bare_facts()]
    begin_s = monotonic()
    for batch in batches:
        server.write("bare", batch)
    return BARE_BATCHES * MOST_MESSAGES * FACTS / (monotonic() - begin_s)


def _bare_facts() -> Iterator[list[tuple[str, FlowInterval]]]:
    """What ingest would take at once, again and again: each gateway's next messages."""
    for number in range(BARE_BATCHES):
        messages = (flow(f"gw-{n % GATEWAYS}", number * MOST_MESSAGES + n) for n in range(MOST_MESSAGES))
        yield [(message.gateway, part) for message in messages for part in message.intervals]


def _row(gateway: str, part: FlowInterval) -> tuple[str | int | None, ...]:
    start = int(part.start.timestamp())
    return (gateway, EPOCH, part.device, part.channel, part.mode, start, part.seconds, part.in_, part.out, 300)


def _line(gateway: str, part: FlowInterval) -> str:
    tags = f"gateway={gateway},epoch={EPOCH},device={part.device},channel={part.channel},mode={part.mode}"
    fields = f"in={part.in_}i,out={part.out}i,seconds={part.seconds}i,covered=300i"
    return f"flow,{tags} {fields} {int(part.start.timestamp())}000000000"


def _percentile(values: Sequence[float], part: int) -> float:
    return quantiles(values, n=100)[part - 1]


def made(folder: Path) -> Path:
    """It, made."""
    folder.mkdir()
    return folder
