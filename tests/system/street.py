"""A town replayed faster than time: its sensors' bytes over real links into a gateway, its facts into an API.

The conductor sets the clock to the end of each quarter of an hour, sends what the sensors said in it, and waits until
the gateway has taken it in. Nothing is skipped between a sensor's bytes and the API's answer.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path

import httpx
from msgspec.structs import replace

from cloud_api.app import create_app
from cloud_api.registry.files.toml import parse_places
from cloud_api.server import ApiServer, listen
from cloud_api.settings import Broker, Settings
from cloud_api.stores.base import Store
from edge.clock import to_datetime
from edge.config import load
from edge.gateway import Gateway
from firmware_sim.encoders import hlk_ld2450
from firmware_sim.links.bluez import Bluez, start_private_bus
from firmware_sim.links.chirpstack import ChirpStackPeer
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from firmware_sim.live import Peer
from firmware_sim.peers import by_bluetooth, by_network_server, in_the_air, on_the_wire
from firmware_sim.sensors import Span, Uplink, uplinks
from firmware_sim.town import Link, Ports, Town
from tests.broker import Mosquitto
from tests.clocks import ManualClock
from tests.town import kept

STEP = timedelta(minutes=15)
FRAME = timedelta(milliseconds=100)
AHEAD = 60
"""Frames sent and not yet taken in at most: what a pseudo-terminal holds."""
COMMIT_MS = 5
"""Time enough for what is said at once to be made durable at once."""
EMPTY_FRAMES = 12
"""The radar's frames after somebody has left, before the next comes: a second of them."""
PATIENCE_S = 300
"""A loaded machine is slow, not wrong: nothing waits so long for what will come."""


async def until(condition: Callable[[], bool], what: str) -> None:
    """Let everything else go on until the condition holds. Raises `AssertionError` when it never does."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - the condition is spread over processes and threads
                await asyncio.sleep(0.001)
    except TimeoutError:
        raise AssertionError(f"waited {PATIENCE_S} s in vain: {what}") from None


@dataclass(frozen=True)
class Street:
    """A running town: sensors, gateway and API."""

    town: Town
    clock: ManualClock
    gateway: Gateway
    peers: Mapping[Link, Peer]
    client: httpx.AsyncClient
    sent: Counter[str] = field(default_factory=Counter)
    walking: list[Uplink] = field(default_factory=list)
    """The radar's frames of somebody who is in view while the clock jumps: they wait for the rest of the walk."""

    @property
    def now(self) -> datetime:
        """The replayed time."""
        return to_datetime(self.clock.utc_ms(0) or 0) + timedelta(milliseconds=self.clock.monotonic_ms())

    async def replay(self, end: datetime, links: Iterable[Link] = Link) -> None:
        """Live on until `end`, a multiple of the step."""
        instant = timedelta(microseconds=1)
        told = uplinks(Span(self.town, self.now + instant, end + instant, 300_000), frozenset(links))
        steps = groupby(told, key=partial(_step_after, self.now))
        coming = next(steps, None)
        while self.now < end:
            step = self.now + STEP
            said: list[Uplink] = []
            if coming is not None and coming[0] == step:
                said = list(coming[1])
                coming = next(steps, None)
            await self._live(said, step)

    async def answered(self, expected: Callable[[list[dict[str, object]]], bool]) -> None:
        """Wait until the API tells of its parking zones what is expected. Raises `AssertionError` if it never does."""
        zones: list[dict[str, object]] = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not expected(zones):
                    zones = (await self.client.get("/v1/parking/zones")).raise_for_status().json()["data"]["zones"]
        except TimeoutError:
            raise AssertionError(f"the API tells {zones}") from None

    async def settle(self) -> None:
        """Let all intervals close and everything reach the store."""
        self.clock.advance(7_200)
        looked = self.gateway.progress + 2
        await until(lambda: self.gateway.progress >= looked, "a look at the clock that began after it moved")
        await until(lambda: self.gateway.status().queued == 0, "an empty outbox")

    async def _live(self, said: list[Uplink], end: datetime) -> None:
        """What is said within the step is dated a second before its end; what is said at its end, at its end."""
        said, self.walking[:] = _whole_walks([*self.walking, *said], end)
        self.clock.advance((end - self.now).total_seconds() - 1)
        await self._say([uplink for uplink in said if uplink.at < end])
        self.clock.advance(1)
        await self._say([uplink for uplink in said if uplink.at == end])

    async def _say(self, said: list[Uplink]) -> None:
        await asyncio.gather(
            *(self._say_on(link, [uplink for uplink in said if uplink.device.link is link]) for link in Link)
        )

    async def _say_on(self, link: Link, said: list[Uplink]) -> None:
        for uplink in _with_pauses(said) if link is Link.SERIAL else said:
            await self.peers[link](uplink)
            self.sent[link] += 1
            if self.sent[link] % AHEAD == 0:
                await self._taken_in(link)
        await self._taken_in(link)

    async def _taken_in(self, link: Link) -> None:
        def taken() -> bool:
            return any(health.name == link and health.frames >= self.sent[link] for health in self.gateway.links())

        if self.sent[link] and not taken():
            await until(taken, f"{self.sent[link]} frames on {link}")


def _step_after(start: datetime, uplink: Uplink) -> datetime:
    """The end of the step in which it is said, of those that follow `start`."""
    return start - (start - uplink.at) // STEP * STEP


def _whole_walks(said: list[Uplink], end: datetime) -> tuple[list[Uplink], list[Uplink]]:
    """What can be sent now, and the radar's frames of a walk that `end` cuts in two."""
    frames = [uplink for uplink in said if uplink.device.link is Link.SERIAL]
    first_cut, following = len(frames), end + FRAME
    while first_cut and following - frames[first_cut - 1].at <= FRAME:
        first_cut, following = first_cut - 1, frames[first_cut - 1].at
    cut = frames[first_cut:]
    return [uplink for uplink in said if uplink not in cut], cut


def _with_pauses(frames: list[Uplink]) -> list[Uplink]:
    """The radar's empty frames between two people, of which the replay tells only a few."""
    told: list[Uplink] = []
    for uplink in frames:
        if told and uplink.at - told[-1].at > FRAME:
            empty = Uplink(device=uplink.device, at=told[-1].at, payload=hlk_ld2450.report([]))
            told.extend([empty] * EMPTY_FRAMES)
        told.append(uplink)
    return told


@asynccontextmanager
async def running_street(
    town: Town, start: datetime, store: Store, mosquitto: Mosquitto, folder: Path
) -> AsyncIterator[Street]:
    """The town from `start` on, on real links, a real broker and a real HTTP server."""
    clock = ManualClock(start)
    async with AsyncExitStack() as opened:
        peers, ports = await _open_peers(opened, mosquitto, folder)
        (folder / "gateway.toml").write_text(town.gateway_toml(ports, folder / "gateway"))
        config = load(folder / "gateway.toml")
        gateway = Gateway(replace(config, gateway=replace(config.gateway, commit_ms=COMMIT_MS)), clock)
        client = await opened.enter_async_context(running_api(town, clock, store, mosquitto, folder, "1"))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(gateway.run())
            async with asyncio.timeout(PATIENCE_S):
                await gateway.listening()
            yield Street(town, clock, gateway, peers, client)
            gateway.stop()
            await running


@asynccontextmanager
async def running_api(
    town: Town, clock: ManualClock, store: Store, mosquitto: Mosquitto, folder: Path, worker: str
) -> AsyncIterator[httpx.AsyncClient]:
    """The API on that store, and a client to ask it."""
    settings = Settings(
        broker=Broker(host=mosquitto.host, port=mosquitto.port),
        ledger=folder / f"ledger-{worker}.db",
        time_zone=town.zone,
        worker=worker,
    )
    api = create_app(
        settings,
        store=store,
        registry=kept(parse_places(town.places_toml(), Path(town.name)), folder),
        clock=lambda: to_datetime((clock.utc_ms(0) or 0) + clock.monotonic_ms()),
    )
    server = ApiServer(api)
    with listen("127.0.0.1", 0) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as client:
            yield client
        server.should_exit = True
        await serving


async def _open_peers(opened: AsyncExitStack, mosquitto: Mosquitto, folder: Path) -> tuple[Mapping[Link, Peer], Ports]:
    radar, modem, bluez = SerialPeer(), ModemPeer(), Bluez()
    chirpstack = ChirpStackPeer(mosquitto.host, mosquitto.port)
    bus = start_private_bus(folder)
    opened.callback(bus.stop)
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address
    await bluez.start(bus.address)
    opened.push_async_callback(bluez.stop)
    modem.start()
    opened.callback(modem.close)
    opened.callback(radar.unplug)
    opened.callback(chirpstack.close)
    peers: dict[Link, Peer] = {
        Link.CHIRPSTACK: by_network_server(chirpstack),
        Link.LORA: in_the_air(modem),
        Link.SERIAL: on_the_wire(radar),
        Link.BLE: by_bluetooth(bluez),
    }
    return peers, Ports(broker=(mosquitto.host, mosquitto.port), serial=radar.path, modem=modem.path)
