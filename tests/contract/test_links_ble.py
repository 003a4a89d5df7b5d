"""The BLE link hears BTHome sensors through the real bleak scanner, a real message bus and a stand-in for BlueZ."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bleak import BleakScanner
from bleak.backends.scanner import AdvertisementData
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from edge.drivers.links.base import Arrival, LinkError, Refused, Report, Stranger
from edge.drivers.links.ble import HELD_AT_MOST, BleConfig, BleLink
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress, Frame, Health
from firmware_sim.links.bluez import BTHOME_UUID, Bluez, BusError, PrivateBus, start_private_bus
from tests.bus import bus

__all__ = ["bus"]

PLAIN = DeviceAddress("A4:C1:38:00:00:01")
SEALED = DeviceAddress("54:48:E6:8F:80:A5")
UNKNOWN = DeviceAddress("A4:C1:38:00:00:99")
PASSER_BY = "6E:11:22:33:44:55"
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
WORKED_EXAMPLE = bytes.fromhex("41a47266c95f730011223378237214")
"""The format description's encrypted example: 25.06 °C, 50.55 %."""
USER_DATA_UUID = "0000181c-0000-1000-8000-00805f9b34fb"
FAST_PAIR_UUID = "0000fe2c-0000-1000-8000-00805f9b34fb"
PATIENCE_S = 10
SILENCE_MS = 24 * 3_600_000


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
    return bytes([0x40, 0x00, packet, 0x09, count])


def sealed(count: int, counter: int, key: bytes = KEY, address: str = SEALED) -> bytes:
    """A count, encrypted as the format description says."""
    sent = counter.to_bytes(4, "little")
    nonce = bytes.fromhex(address.replace(":", "")) + bytes.fromhex("d2fc41") + sent
    closed = AESCCM(key, tag_length=4).encrypt(nonce, bytes([0x09, count]), None)
    return b"\x41" + closed[:-4] + sent + closed[-4:]


def payloads(items: list[object]) -> list[bytes]:
    return [item.payload for item in items if isinstance(item, Frame)]


def refusals(items: list[object]) -> list[str]:
    return [item.name for item in items if isinstance(item, Refused)]


def strangers(items: list[object]) -> list[Stranger]:
    return [item for item in items if isinstance(item, Stranger)]


def play(scene: Coroutine[Any, Any, None]) -> None:
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


def test_a_plain_advertisement_becomes_a_frame(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(PLAIN, plain(96, packet=9), rssi=-71)
            items = await here.until_payload(plain(96, packet=9))
            assert items == [Frame(device=PLAIN, payload=plain(96, packet=9), heard_ms=here.clock.now_ms, rssi_dbm=-71)]

    play(scene())


def test_an_encrypted_advertisement_becomes_a_frame_with_its_counter(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(SEALED, WORKED_EXAMPLE, rssi=-80)
            [frame] = await here.until_payload(WORKED_EXAMPLE)
            assert isinstance(frame, Frame)
            assert (frame.device, frame.counter) == (SEALED, 0x33221100)

    play(scene())


@pytest.mark.parametrize("scanning", ["active", "passive"])
def test_both_ways_of_scanning_hear_new_values_of_a_known_device(bus: PrivateBus, scanning: str) -> None:
    async def scene() -> None:
        config = BleConfig(name="ble", scanning="passive" if scanning == "passive" else "active")
        async with street(bus, config=config) as here:
            for count in range(1, 4):
                await here.air.advertise(PLAIN, plain(count, packet=count), rssi=-70)
            items = await here.until_payload(plain(3, packet=3))
            assert payloads(items) == [plain(count, packet=count) for count in range(1, 4)]

    play(scene())


def test_a_message_advertised_three_times_is_one_frame(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            for message in (plain(1, packet=1), plain(2, packet=2)):
                for _ in range(3):
                    await here.air.advertise(PLAIN, message, rssi=-70)
            await here.air.advertise(SEALED, sealed(1, counter=1), rssi=-70)
            await here.air.advertise(SEALED, sealed(1, counter=1), rssi=-70)
            await here.air.advertise(SEALED, sealed(2, counter=2), rssi=-70)
            items = await here.until_payload(sealed(2, counter=2))
            expected = [plain(1, packet=1), plain(2, packet=2), sealed(1, counter=1), sealed(2, counter=2)]
            assert payloads(items) == expected
            assert here.link.repeats == 5

    play(scene())


def test_a_recorded_message_played_again_is_refused(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            for message in (sealed(1, counter=7), sealed(2, counter=8), sealed(1, counter=7)):
                await here.air.advertise(SEALED, message, rssi=-70)
            items = await here.until(lambda items: len(items) == 3)
            assert payloads(items) == [sealed(1, counter=7), sealed(2, counter=8)]
            assert refusals(items) == ["replay"]

    play(scene())


def test_a_message_older_than_the_durable_counter_is_refused_after_a_restart(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus, Adopted(counters={SEALED: 1000})) as here:
            await here.air.advertise(SEALED, sealed(1, counter=999), rssi=-70)
            await here.air.advertise(SEALED, sealed(1, counter=1001), rssi=-70)
            items = await here.until_payload(sealed(1, counter=1001))
            assert refusals(items) == ["replay"]
            assert payloads(items) == [sealed(1, counter=1001)]

    play(scene())


def test_a_counter_that_restarts_after_a_long_silence_is_noted_and_begins_a_session(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(SEALED, sealed(1, counter=5000), rssi=-70)
            await here.until_payload(sealed(1, counter=5000))
            here.clock.now_ms += SILENCE_MS
            await here.air.advertise(SEALED, sealed(2, counter=1), rssi=-70)
            before, note, after = await here.until_payload(sealed(2, counter=1))
            assert isinstance(note, Report)
            assert isinstance(note.readings[0], Health)
            assert isinstance(before, Frame)
            assert isinstance(after, Frame)
            assert before.session != after.session

    play(scene())


def test_a_forged_message_moves_no_counter(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            forged = sealed(9, counter=0xFFFFFFFF, key=bytes(16))
            await here.air.advertise(SEALED, sealed(1, counter=1), rssi=-70)
            await here.air.advertise(SEALED, forged, rssi=-70)
            await here.air.advertise(SEALED, sealed(2, counter=2), rssi=-70)
            items = await here.until_payload(sealed(2, counter=2))
            assert payloads(items) == [sealed(1, counter=1), sealed(2, counter=2)]
            assert refusals(items) == ["wrong-mic"]
            assert [stranger.hint for stranger in strangers(items)] == ["BTHome v2, wrong key"]

    play(scene())


def test_a_device_nobody_adopted_is_told_once_in_ten_seconds(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            for count in range(5):
                await here.air.advertise(UNKNOWN, plain(count, packet=count), rssi=-90)
            await here.air.advertise(PLAIN, plain(1, packet=1), rssi=-70)
            items = await here.until_payload(plain(1, packet=1))
            assert strangers(items) == [Stranger(device=UNKNOWN, hint="BTHome v2", models=("bthome-v2",), rssi_dbm=-90)]
            here.clock.now_ms += 10_000
            await here.air.advertise(UNKNOWN, sealed(1, counter=1, address=UNKNOWN), rssi=-91)
            items = await here.until(lambda items: len(strangers(items)) == 2)
            assert strangers(items)[1].hint == "BTHome v2, needs a key"

    play(scene())


def test_an_adopted_device_without_key_is_told_to_need_one(bus: PrivateBus) -> None:
    async def scene() -> None:
        keyless = Adopted((DeviceSettings(address=SEALED, model="bthome-v2"),))
        async with street(bus, keyless) as here:
            await here.air.advertise(SEALED, WORKED_EXAMPLE, rssi=-70)
            items = await here.until(bool)
            assert items == [
                Stranger(device=SEALED, hint="BTHome v2, needs a key", models=("bthome-v2",), rssi_dbm=-70)
            ]

    play(scene())


def test_a_passer_by_leaves_no_trace(bus: PrivateBus, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(PASSER_BY, b"\x01\x02\x03", rssi=-60, uuid=FAST_PAIR_UUID)
            await here.air.advertise(PASSER_BY, b"\x04\x05\x06", rssi=-61, uuid=FAST_PAIR_UUID)
            await here.air.advertise(PASSER_BY, b"a name", rssi=-62, uuid=USER_DATA_UUID)
            await here.air.advertise(PLAIN, plain(1, packet=1), rssi=-70)
            items = await here.until_payload(plain(1, packet=1))
            assert refusals(items) == ["bthome-v1"]
            assert payloads(items) == [plain(1, packet=1)]
            assert len(items) == 2
            assert all(PASSER_BY not in repr(item) and "a name" not in repr(item) for item in items)

    with caplog.at_level(logging.DEBUG):
        play(scene())
    assert PASSER_BY.replace(":", "_") not in caplog.text
    assert PASSER_BY not in caplog.text


def test_an_adopted_device_that_speaks_version_1_is_refused_by_name(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(PLAIN, b"\x02\x00\x09", rssi=-60, uuid=USER_DATA_UUID)
            [refused] = await here.until(bool)
            assert isinstance(refused, Refused)
            assert (refused.name, refused.device, refused.data) == ("bthome-v1", PLAIN, b"\x02\x00\x09")

    play(scene())


def test_what_a_busy_gateway_cannot_hold_is_counted(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            here.open_gate.clear()
            surplus = 4
            for counter in range(1, HELD_AT_MOST + surplus + 2):
                await here.air.advertise(SEALED, sealed(counter % 256, counter), rssi=-70)
            here.open_gate.set()
            items = await here.until(lambda items: bool(refusals(items)) and len(payloads(items)) > HELD_AT_MOST)
            assert refusals(items) == ["overflow"]

    play(scene())


@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "nonsense"])
def test_no_message_bus_is_an_error_with_advice(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)

    async def scene() -> None:
        error = await end_of(BleLink(BleConfig(name="ble"), Clock(), Adopted()))
        assert "no D-Bus system bus" in error.reason
        assert "systemctl" in error.advice

    play(scene())


@pytest.mark.usefixtures("bus")
def test_a_missing_bluetoothd_is_an_error_with_advice() -> None:
    async def scene() -> None:
        error = await end_of(BleLink(BleConfig(name="ble"), Clock(), Adopted()))
        assert error.reason == "bluetoothd does not run"
        assert "install bluez" in error.advice

    play(scene())


@pytest.mark.parametrize("adapter", [None, "hci0"])
def test_an_adapter_that_is_switched_off_is_an_error_with_advice(bus: PrivateBus, adapter: str | None) -> None:
    async def scene() -> None:
        air = Bluez(powered=False)
        await air.start(bus.address)
        error = await end_of(BleLink(BleConfig(name="ble", adapter=adapter), Clock(), Adopted()))
        await air.stop()
        assert error.reason == "the Bluetooth adapter is switched off"
        assert "rfkill unblock bluetooth" in error.advice

    play(scene())


def test_an_adapter_that_is_not_there_is_named(bus: PrivateBus) -> None:
    async def scene() -> None:
        air = Bluez()
        await air.start(bus.address)
        error = await end_of(BleLink(BleConfig(name="ble", adapter="hci7"), Clock(), Adopted()))
        await air.stop()
        assert "hci7" in error.reason
        assert "bluetoothctl list" in error.advice

    play(scene())


def test_a_bluez_that_cannot_scan_passively_says_what_to_do(bus: PrivateBus) -> None:
    async def scene() -> None:
        air = Bluez(monitors=False)
        await air.start(bus.address)
        error = await end_of(BleLink(BleConfig(name="ble", scanning="passive"), Clock(), Adopted()))
        await air.stop()
        assert "experimental" in error.reason
        assert 'scanning = "active"' in error.advice

    play(scene())


async def switch_off(air: Bluez, _bus: PrivateBus) -> None:
    await air.power(on=False)


async def unplug(air: Bluez, _bus: PrivateBus) -> None:
    await air.unplug()


async def end_bluetoothd(air: Bluez, _bus: PrivateBus) -> None:
    await air.stop()


async def end_bus(_air: Bluez, bus: PrivateBus) -> None:
    bus.process.kill()


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        (switch_off, "switched off"),
        (unplug, "adapter was removed"),
        (end_bluetoothd, "bluetoothd ended"),
        (end_bus, "message bus ended"),
    ],
)
def test_a_scan_that_can_hear_no_more_ends_with_the_reason(
    bus: PrivateBus, fate: Callable[[Bluez, PrivateBus], Coroutine[Any, Any, None]], reason: str
) -> None:
    async def scene() -> None:
        air, heard = Bluez(), asyncio.Event()
        await air.start(bus.address)
        ending = asyncio.create_task(end_of(BleLink(BleConfig(name="ble"), Clock(), Adopted()), heard))
        async with asyncio.timeout(PATIENCE_S):
            await air.scanning()
            await air.advertise(PLAIN, plain(1, packet=1), rssi=-70)
            await heard.wait()
            await fate(air, bus)
            error = await ending
        await air.stop()
        assert reason in error.reason
        assert error.advice

    play(scene())


def test_a_link_that_is_run_again_hears_again_and_remembers_what_it_heard(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(SEALED, sealed(1, counter=1), rssi=-70)
            await here.until_payload(sealed(1, counter=1))
            await here.air.power(on=False)
            await here.air.power(on=True)
            again = asyncio.create_task(here.link.run(here.inbox))
            async with asyncio.timeout(PATIENCE_S):
                await here.air.scanning()
            await here.air.advertise(SEALED, sealed(1, counter=1), rssi=-70)
            await here.air.advertise(SEALED, sealed(2, counter=2), rssi=-70)
            items = await here.until_payload(sealed(2, counter=2))
            assert payloads(items) == [sealed(1, counter=1), sealed(2, counter=2)]
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)

    play(scene())


def test_bluez_hides_repeats_from_those_who_do_not_ask_for_them(bus: PrivateBus) -> None:
    """The stand-in is as sparing as BlueZ: without `DuplicateData` the link would count no repeat at all."""

    async def scene() -> None:
        air = Bluez()
        await air.start(bus.address)
        heard: list[bytes] = []
        heard_last = asyncio.Event()
        async with BleakScanner(lambda _device, seen: note(seen, heard, heard_last)):
            for message in (b"\x40\x09\x01", b"\x40\x09\x01", b"\x40\x09\x02"):
                await air.advertise(PLAIN, message, rssi=-70)
            async with asyncio.timeout(PATIENCE_S):
                await heard_last.wait()
        await air.stop()
        assert heard == [b"\x40\x09\x01", b"\x40\x09\x02"]

    play(scene())


def note(seen: AdvertisementData, heard: list[bytes], heard_last: asyncio.Event) -> None:
    heard.append(seen.service_data[BTHOME_UUID])
    if heard[-1].endswith(b"\x02"):
        heard_last.set()


def test_the_stand_in_refuses_to_take_a_name_that_is_taken(bus: PrivateBus) -> None:
    async def scene() -> None:
        first, second = Bluez(), Bluez()
        await first.start(bus.address)
        with pytest.raises(BusError, match="another BlueZ"):
            await second.start(bus.address)
        await first.stop()

    play(scene())


def test_a_machine_without_dbus_daemon_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BusError, match="dbus-daemon is not installed"):
        start_private_bus(tmp_path)
