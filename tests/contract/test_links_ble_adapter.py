"""What a technician is told when adapter, bluetoothd or message bus is missing, ends or cannot do what is asked."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from bleak import BleakScanner
from bleak.backends.scanner import AdvertisementData

from edge.drivers.links.ble import BleConfig, BleLink
from firmware_sim.links.bluez import BTHOME_UUID, Bluez, BusError, PrivateBus, start_private_bus
from tests.ble_street import PATIENCE_S, PLAIN, SEALED, Adopted, Clock, end_of, payloads, plain, play, sealed, street
from tests.bus import bus as bus


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
