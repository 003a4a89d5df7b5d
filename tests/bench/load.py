"""Two hundred gateways on one broker for a minute: what ingest takes in, who waits how long, and what a death costs.

Every gateway is an MQTT client of its own; the API is the real program. Takes several minutes, so it runs on demand.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import monotonic

from cloud_api.stores import open_store
from cloud_api.stores.base import Channel
from edge.messages import FlowInterval
from tests.bench.fleet import FACTS, START, STEP, Confirmed, Fleet, Pace, device, fleet, flow
from tests.bench.programs import Served, serving_api
from tests.bench.table import Row
from tests.broker import Mosquitto, running_mosquitto
from tests.influx import InfluxServer
from tests.town import EPOCH, LINE, REGISTRY

GATEWAYS = 200
SECONDS = 60.0
WINDOW = 5
"""Messages of each gateway that are out, while all send as fast as they are answered."""
BARE_BATCH = 500
"""Messages in one commit of the bare store: what ingest takes at most."""
BARE_BATCHES = 20
AMBLE = Pace(every_s=2.0, window=1_000)
FLOOD = Pace(every_s=0.0, window=5_000)
CALM_S = 20.0
AFTER_DEATH_S = 75.0
"""Longer than the broker keeps a dead worker's share."""
PATIENCE_S = 300.0


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        influx = InfluxServer(_made(folder / "influx"))
        influx.start()
        stack.callback(influx.stop)
        yield from _pressed(_made(folder / "sqlite"), "SQLite", "sqlite:///{folder}/history.db", _bare_sqlite(folder))
        yield from _pressed(_made(folder / "server"), "InfluxDB", influx.url("load"), _bare_influx(influx))
        yield from _flooded(_made(folder / "flood"))
        yield from _bereaved(_made(folder / "failover"), influx.url("failover"))


def _pressed(folder: Path, name: str, store: str, bare: float) -> Iterator[Row]:
    url = store.format(folder=folder)
    with ExitStack() as stack:
        broker, (api,) = _platform(stack, folder, url, ["one"])
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
        yield Row("  facts confirmed that the store does not hold once", abs(facts - _parts(url, all_of_it)), "facts")


def _flooded(folder: Path) -> Iterator[Row]:
    with ExitStack() as stack:
        broker, _ = _platform(stack, folder, f"sqlite:///{folder}/history.db", ["one"])
        calm = _others_wait(stack.enter_context(fleet(broker, [AMBLE] * GATEWAYS)))
        flooded = stack.enter_context(fleet(broker, [FLOOD, *[AMBLE] * (GATEWAYS - 1)]))
        waits = _others_wait(flooded)
        for name, part in (("half", 50), ("95 of 100", 95), ("99 of 100", 99)):
            yield Row(
                f"confirmed while one gateway floods: {name} of the others' within",
                _percentile(waits, part),
                "s",
                _percentile(calm, part),
                "nobody floods",
            )
        yield Row("  what the flooding one got stored", len(flooded.members[0].confirmed) / CALM_S, "messages/s")


def _others_wait(gateways: Fleet) -> list[float]:
    """How long all but the first waited for each confirmation."""
    gateways.send_for(CALM_S)
    gateways.turn_until(gateways.is_quiet, PATIENCE_S)
    return [each.waited_s for member in gateways.members[1:] for each in member.confirmed]


def _bereaved(folder: Path, store: str) -> Iterator[Row]:
    with ExitStack() as stack:
        broker, (victim, _) = _platform(stack, folder, store, ["one", "two"])
        gateways = stack.enter_context(fleet(broker, [AMBLE] * GATEWAYS))
        gateways.send_for(CALM_S)
        death_s = monotonic()
        victim.program.process.kill()
        gateways.send_for(AFTER_DEATH_S)
        gateways.turn_until(gateways.is_quiet, PATIENCE_S)
        after = [each for member in gateways.members for each in member.confirmed if each.sent_s >= death_s]
        late = [each for each in after if each.waited_s > AMBLE.every_s]
        yield Row("one of two workers dies: the other's first confirmation after", _first(after) - death_s, "s")
        yield Row("  until no new message waits for the dead one", max(e.sent_s for e in late) - death_s, "s")
        yield Row("  the longest that a message waited", max(each.waited_s for each in after), "s")
        yield Row(
            f"  of {len(after):,} messages after the death, late (over {AMBLE.every_s:g} s)", len(late), "messages"
        )
        lost = abs(FACTS * gateways.sent - _parts(store, gateways))
        yield Row("  facts confirmed that the store does not hold once", lost, "facts")


def _first(confirmed: Sequence[Confirmed]) -> float:
    return min(each.sent_s + each.waited_s for each in confirmed)


def _platform(stack: ExitStack, folder: Path, store: str, names: Sequence[str]) -> tuple[Mosquitto, list[Served]]:
    broker = stack.enter_context(running_mosquitto(folder))
    registry = str(folder / names[0] / "registry.db")
    apis = []
    for name in names:
        own = _made(folder / name)
        more = ["--store", store, "--registry", registry, "--ledger", str(own / "ledger.db"), "--worker", name]
        apis.append(stack.enter_context(serving_api(REGISTRY, own, broker, *more)))
    return broker, apis


def _parts(url: str, gateways: Fleet) -> int:
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
        return BARE_BATCHES * BARE_BATCH * FACTS / (monotonic() - begin_s)


def _bare_influx(server: InfluxServer) -> float:
    """The same facts as ready lines to the server; facts/s."""
    server.query('CREATE DATABASE "bare"')
    batches = ["\n".join(_line(gateway, part) for gateway, part in batch) for batch in _bare_facts()]
    begin_s = monotonic()
    for batch in batches:
        server.write("bare", batch)
    return BARE_BATCHES * BARE_BATCH * FACTS / (monotonic() - begin_s)


def _bare_facts() -> Iterator[list[tuple[str, FlowInterval]]]:
    """What ingest would take at once, again and again: each gateway's next messages."""
    for number in range(BARE_BATCHES):
        messages = (flow(f"gw-{n % GATEWAYS}", number * BARE_BATCH + n) for n in range(BARE_BATCH))
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


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
