"""Everything that runs: brokers, store, the lines to them, a gateway, an API, a modem; and the town that lives beside.

In come the town and its air, out go its frames, beat by beat, over real links. The network server's broker belongs to
the network server: it is stopped in good order only, because what it loses, no gateway ever had.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Container, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import httpx
import msgspec

from cloud_api.registry.files.toml import parse_places
from edge import messages
from edge.aggregator.device import DeviceState
from firmware_sim.links.chirpstack import ChirpStackPeer, uplink
from firmware_sim.links.lorawan import uplink as data_frame
from firmware_sim.links.rak3172 import ModemPeer
from tests.broker import HOST, Mosquitto, free_port, running_mosquitto
from tests.chaos.air import Air
from tests.chaos.clockwork import FOLDER, START, WallClock
from tests.chaos.disk import Disk, disk_of
from tests.chaos.memory import MemoryLimit, memory_limit
from tests.chaos.page import figure
from tests.chaos.programs import MAIN, PASSERELLE, Program, read_rows
from tests.chaos.proxy import Proxy
from tests.chaos.scenarios import Scenario
from tests.chaos.sensors import CountingSensor, ParkingSensor, Town, Uplink, gateway_toml, places_toml, session
from tests.influx import InfluxServer
from tests.town import kept

GATEWAY = "chaos"
DATABASE = "town"
BEAT_S = 0.25
BURST = 1_000
MANY_IN_FLIGHT = "max_inflight_messages 0"
"""The receiver's own limit counts, not mosquitto's 20: other brokers send more at once."""
CAR_MOVES = 0.08
"""Probability that a space changes in a beat."""
SAME_SECOND = 4
"""A sensor behind a network server says nothing twice within so many beats."""
ALLOWED = "topic readwrite #\n"
FORBIDDEN = f"topic deny {messages.topic('+', 'flow')}\n"
WAITED = re.compile(r"the clock is trusted, .* (\d+) observations that waited are dated")
POLL_S = 0.2
START_WITHIN_S = 60.0
_STATES = msgspec.msgpack.Decoder(DeviceState)


@dataclass(slots=True)
class Site:
    """The running whole."""

    town: Town
    air: Air
    draws: Random
    city: Mosquitto
    field: Mosquitto
    gateway: Program
    apis: dict[str, Program]
    """The workers, by name."""
    influx: InfluxServer | None
    """Where history is kept, when it is not in SQLite."""
    lines: dict[str, Proxy]
    """Between gateway and network server, gateway and city, city and API, API and store where that is a server."""
    disk: Disk
    """The gateway's own."""
    clock: WallClock
    """The gateway's."""
    memory: MemoryLimit
    """On the gateway."""
    modem: ModemPeer
    server: ChirpStackPeer
    address: str
    folder: Path

    async def live(self, beats: int) -> None:
        """Let the town live on for so many beats."""
        said: dict[str, int] = {}
        for beat in range(beats):
            now = datetime.now(UTC)
            self.publish(self.air.carry([sensor.report(self.draws) for sensor in self.town.steady]))
            self.transmit([sensor.report(self.draws) for sensor in self.town.aerial])
            for bay in self.town.bays:
                if self.draws.random() < CAR_MOVES and beat - said.get(bay.name, -SAME_SECOND) >= SAME_SECOND:
                    said[bay.name] = beat
                    speak = self.transmit if bay.in_the_air else self.publish
                    speak([bay.change(now)])
            await asyncio.sleep(BEAT_S)

    def burst(self) -> None:
        """A thousand reports of one sensor at once, as when its network comes back after days."""
        self.publish([self.town.bursting.report(self.draws) for _ in range(BURST)])

    def publish(self, uplinks: list[Uplink]) -> None:
        """From the network server to its broker, as soon as that takes it."""
        for each in uplinks:
            device = self.town.end_device(each.address)
            self.server.publish(uplink(device, counter=each.counter, port=each.port, payload=each.payload, at=each.at))

    def transmit(self, uplinks: list[Uplink]) -> None:
        """In the air, to the gateway's own modem: heard or lost."""
        for each in uplinks:
            self.modem.transmit(data_frame(session(each.address), each.counter, each.port, each.payload))

    async def first_words(self) -> None:
        """Start the gateway and the API, and let every sensor be heard once."""
        for api in self.apis.values():
            api.start()
        self.gateway.start()
        await until(lambda: f"Sending SUBACK to {GATEWAY}" in self.field.log, "the gateway's subscription")
        await self.modem.until_listening()
        self.publish([sensor.report(self.draws) for sensor in self.town.networked])
        await self.everybody_says_something()

    async def everybody_says_something(self) -> None:
        """Every sensor without a total at a network server tells its state, again where it was not heard, until the
        gateway has it durable."""
        while True:
            now = datetime.now(UTC)
            behind = self._behind()
            if not behind and not self.unheard():
                return
            await self.modem.until_listening()
            self._say_again(behind, now)
            await self._settled()

    def every_bay_speaks(self) -> None:
        """What was dated by a clock that was wrong, nobody believes before the sensor speaks again."""
        self._say_again(self.town.bays, datetime.now(UTC))

    def _say_again(self, sensors: Iterable[CountingSensor | ParkingSensor], now: datetime) -> None:
        for each in sensors:
            said = each.report(self.draws) if isinstance(each, CountingSensor) else each.heartbeat(now)
            (self.transmit if each.in_the_air else self.publish)([said])

    def taken(self, address: str) -> int:
        """The greatest frame counter of a device that is in the gateway's checkpoint; -1 when there is none."""
        for (state,) in read_rows(self.outbox, "SELECT state FROM device WHERE address = ?", address):
            counter = _STATES.decode(bytes(state)).admission.counter if isinstance(state, bytes) else None
            return -1 if counter is None else counter
        return -1

    def unheard(self) -> list[str]:
        """The counters whose last frame is not in the gateway's checkpoint."""
        return [sensor.name for sensor in self.town.networked if self.taken(sensor.address) < sensor.counter]

    def counting(self) -> list[str]:
        """The devices with passages that the gateway has not told yet: their intervals are all over."""
        rows = read_rows(self.outbox, "SELECT address, state FROM device")
        states = {str(address): _STATES.decode(state) for address, state in rows if isinstance(state, bytes)}
        return [name for name, state in states.items() if any(each.open for each in state.channels.values())]

    def queued(self) -> int:
        """Messages that the gateway still keeps."""
        return int(read_rows(self.outbox, "SELECT count(*) FROM outbox")[0][0])

    def forbid_publishing(self) -> None:
        """The broker refuses what gateways say of passages, by its rules."""
        (self.folder / "city" / "acl").write_text(f"{FORBIDDEN}{ALLOWED}")
        self.city.reload()

    def allow_publishing(self) -> None:
        """It takes it again."""
        (self.folder / "city" / "acl").write_text(ALLOWED)
        self.city.reload()

    def measured(self, faults: Container[str]) -> Iterator[str]:
        """How the gateway's memory did, and by what means its disk and memory were limited, in words."""
        if "card full" in faults or "card read-only" in faults:
            yield self.disk.how
        if "memory limit" in faults:
            yield f"memory limited by {self.memory.how}"
        if "booted without time" in faults:
            waited = sum(int(count) for count in WAITED.findall(self.gateway.log))
            yield f"the clock moved within the gateway's process; {figure(waited)} observations waited for the time"
        yield f"gateway at most {max(self.gateway.peak_mb, self.gateway.memory_mb())} MB"

    @property
    def outbox(self) -> Path:
        """The gateway's file."""
        return self.folder / "data" / "outbox.db"

    async def answering(self) -> None:
        """Return when the API says that it is ready."""
        async with httpx.AsyncClient(base_url=self.address) as client, asyncio.timeout(START_WITHIN_S):
            while not await _is_ready(client):  # noqa: ASYNC110 - another process gets ready
                await asyncio.sleep(POLL_S)

    def _behind(self) -> list[CountingSensor | ParkingSensor]:
        """Those without a total at a network server whose last frame the gateway does not have, or who said nothing."""
        sensors: tuple[CountingSensor | ParkingSensor, ...] = (*self.town.bays, *self.town.aerial)
        return [each for each in sensors if not each.counter or self.taken(each.address) < each.counter]

    async def _settled(self) -> None:
        """Give what was said a few seconds to reach the checkpoint."""
        for _ in range(int(5 / POLL_S)):
            if not self.unheard() and not self._behind():
                return
            await asyncio.sleep(POLL_S)


async def until(condition: Callable[[], bool], what: str, patience_s: float = START_WITHIN_S) -> None:
    """Wait until the condition holds. Raises `TimeoutError` that says what was waited for."""
    try:
        async with asyncio.timeout(patience_s):
            while not condition():  # noqa: ASYNC110 - the condition is in other processes
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise TimeoutError(f"waited {patience_s:g} s in vain for {what}") from None


@asynccontextmanager
async def running_site(town: Town, air: Air, draws: Random, folder: Path, scenario: Scenario) -> AsyncIterator[Site]:
    """Brokers, store, lines and modem run; gateway and API are ready to be started, and end with the `async with`."""
    async with AsyncExitStack() as opened:
        city = opened.enter_context(_city_broker(folder / "city"))
        field = opened.enter_context(_field_broker(folder / "field"))
        database = opened.enter_context(_influx(folder / "influx")) if scenario.influx else None
        lines = {"network": Proxy(field.port), "uplink": Proxy(city.port), "ingest": Proxy(city.port)}
        if database is not None:
            lines["store"] = Proxy(database.port)
        ports = {name: await line.open() for name, line in lines.items()}
        for line in lines.values():
            opened.push_async_callback(line.close)
        modem = ModemPeer()
        modem.start()
        opened.callback(modem.close)
        server = ChirpStackPeer(field.host, field.port)
        opened.callback(server.close)
        trust = "ntp" if scenario.clock else "system"
        (folder / "gateway.toml").write_text(
            gateway_toml(town, GATEWAY, ports["uplink"], ports["network"], modem.path, trust)
        )
        kept(parse_places(places_toml(town), folder), folder)
        store = f"sqlite:///{folder / 'history.db'}"
        if database is not None:
            store = database.url(DATABASE).replace(f":{database.port}/", f":{ports['store']}/")
        http = [free_port() for _ in range(scenario.workers)]
        apis = {f"API {n}": _api(folder, store, ports["ingest"], port, n) for n, port in enumerate(http, 1)}
        wall_clock = WallClock(folder)
        wall_clock.lose(0)
        wall_clock.put_right()
        config = str(folder / "gateway.toml")
        gateway = _gateway(
            folder, (START, config, "INFO", "text") if scenario.clock else (MAIN, "edge", "--config", config)
        )
        site = Site(
            town=town,
            air=air,
            draws=draws,
            city=city,
            field=field,
            gateway=gateway,
            apis=apis,
            influx=database,
            lines=lines,
            disk=opened.enter_context(disk_of(gateway, folder / "data", folder / "card.img")),
            clock=wall_clock,
            memory=opened.enter_context(memory_limit(gateway)),
            modem=modem,
            server=server,
            address=f"http://{HOST}:{http[0]}",
            folder=folder,
        )
        opened.push_async_callback(site.gateway.stop)
        for api in apis.values():
            opened.push_async_callback(api.stop)
        yield site


def _field_broker(folder: Path) -> AbstractContextManager[Mosquitto]:
    """The network server's: it remembers its sessions when it ends in good order.

    Without rules: mosquitto 2.0.11 keeps nothing for a session that it has read from its file and whose client is still
    away when `topic` rules say what it may read (with `pattern` rules it does).
    """
    folder.mkdir()
    return running_mosquitto(folder, settings=_remembering(folder))


def _city_broker(folder: Path) -> AbstractContextManager[Mosquitto]:
    """The city's, with rules that can be changed; killed, it forgets what it has not saved: all of it."""
    folder.mkdir()
    acl = folder / "acl"
    acl.write_text(ALLOWED)
    acl.chmod(0o600)
    return running_mosquitto(folder, settings=f"{_remembering(folder)}\nacl_file {acl}")


def _remembering(folder: Path) -> str:
    return "\n".join(("persistence true", f"persistence_location {folder}/", MANY_IN_FLIGHT))


@contextmanager
def _influx(folder: Path) -> Iterator[InfluxServer]:
    folder.mkdir()
    server = InfluxServer(folder)
    server.start()
    server.query(f'CREATE DATABASE "{DATABASE}"')
    try:
        yield server
    finally:
        server.stop()


def _gateway(folder: Path, start: Sequence[str]) -> Program:
    command = (sys.executable, "-c", *start)
    return Program(command, folder / "gateway.log", (folder / "data" / "outbox.db",), {FOLDER: str(folder)})


def _api(folder: Path, store: str, broker_port: int, port: int, worker: int) -> Program:
    ledger = folder / f"ledger-{worker}.db"
    options = {
        "--registry": folder / "registry.db",
        "--store": store,
        "--ledger": ledger,
        "--worker": worker,
        "--broker": f"mqtt://{HOST}:{broker_port}",
        "--port": port,
        "--tiles": "none",
    }
    command = (*PASSERELLE, "api", *(str(word) for option in options.items() for word in option))
    return Program(command, folder / f"api-{worker}.log", (folder / "history.db", ledger))


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).is_success
    except httpx.TransportError:
        return False
