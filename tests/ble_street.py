"""A street of Bluetooth sensors: one gateway's BLE link at work, and the air around it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from edge.drivers.links.base import Arrival, LinkError
from edge.drivers.links.ble import BleConfig, BleLink
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress, Frame
from firmware_sim.links.bluez import Bluez, PrivateBus

PLAIN = DeviceAddress("A4:C1:38:00:00:01")
SEALED = DeviceAddress("54:48:E6:8F:80:A5")
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
PATIENCE_S = 10


@dataclass
class Clock:
    """A monotonic clock that stands still until it is told."""

    now_ms: int = 1_000_000

    def monotonic_ms(self) -> int:
        return self.now_ms


@dataclass
class Adopted:
    """A gateway's directory: which devices are adopted, and their counters."""

    devices: tuple[DeviceSettings, ...] = (
        DeviceSettings(address=PLAIN, model="bthome-v2"),
        DeviceSettings(address=SEALED, model="bthome-v2", key=KEY.hex()),
    )
    counters: dict[str, int] = field(default_factory=dict)

    def settings(self, device: DeviceAddress) -> DeviceSettings | None:
        return next((known for known in self.devices if known.address == device), None)

    def last_counter(self, device: DeviceAddress) -> int | None:
        return self.counters.get(device)


@dataclass
class Street:
    """One gateway's BLE link at work, and the air around it."""

    air: Bluez
    link: BleLink
    clock: Clock
    items: list[object] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)
    open_gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def inbox(self, arrival: Arrival) -> None:
        await self.open_gate.wait()
        async with self.came:
            self.items.append(arrival.item)
            self.came.notify_all()

    async def until(self, enough: Callable[[list[object]], bool]) -> list[object]:
        """Everything that arrived, once it is enough."""
        async with asyncio.timeout(PATIENCE_S), self.came:
            await self.came.wait_for(lambda: enough(self.items))
        return self.items

    async def until_payload(self, payload: bytes) -> list[object]:
        """Everything that arrived up to the frame with this payload: advertisements are never overtaken."""
        return await self.until(lambda items: payload in payloads(items))


@asynccontextmanager
async def street(
    bus: PrivateBus, adopted: Adopted | None = None, config: BleConfig | None = None
) -> AsyncIterator[Street]:
    """The link at work for the length of an `async with`."""
    air, clock = Bluez(), Clock()
    await air.start(bus.address)
    link = BleLink(config or BleConfig(name="ble"), clock, adopted or Adopted())
    scene = Street(air, link, clock)
    scene.open_gate.set()
    running = asyncio.create_task(link.run(scene.inbox))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await air.scanning()
        yield scene
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await air.stop()


def plain(count: int, packet: int) -> bytes:
    """A count, as a plain advertisement tells it."""
    return bytes([0x40, 0x00, packet, 0x09, count])


def sealed(count: int, counter: int, key: bytes = KEY, address: str = SEALED) -> bytes:
    """A count, encrypted as the format description says."""
    sent = counter.to_bytes(4, "little")
    nonce = bytes.fromhex(address.replace(":", "")) + bytes.fromhex("d2fc41") + sent
    closed = AESCCM(key, tag_length=4).encrypt(nonce, bytes([0x09, count]), None)
    return b"\x41" + closed[:-4] + sent + closed[-4:]


def payloads(items: list[object]) -> list[bytes]:
    """Of the frames among them."""
    return [item.payload for item in items if isinstance(item, Frame)]


def play(scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene to its end."""
    asyncio.run(scene)


async def end_of(link: BleLink, heard: asyncio.Event | None = None) -> LinkError:
    """The error with which a link ends; `heard` is set once it has handed something over."""

    async def inbox(_arrival: Arrival) -> None:
        if heard:
            heard.set()

    with pytest.raises(LinkError) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await link.run(inbox)
    return caught.value
