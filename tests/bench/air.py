"""What the BLE link takes in: encrypted BTHome advertisements on a private bus, beside the bare signals.

Run as a program (`python -m tests.bench.air BUS`), it is the air: BlueZ's stand-in, which tells `ready`, waits until
somebody scans, advertises, and stays until its standard input ends.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from edge.drivers.links.ble import BleConfig, BleLink
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress
from firmware_sim.encoders import bthome_v2
from firmware_sim.links.bluez import ADAPTER, ADAPTER_PATH, DEVICE, Bluez, start_private_bus
from tests.arrivals import Ticks
from tests.bench.meter import Directory, Meter, Tally, completed, opened

ADVERTISEMENTS = 2_000
SENSOR = DeviceAddress("C4:C1:38:00:00:01")
KEY = bytes(range(16))
ADOPTED = Directory(DeviceSettings(address=SENSOR, model="bthome-v2", key=KEY.hex()))
SIGNALS = "type='signal',sender='org.bluez',member='PropertiesChanged'"


def ble_link(folder: Path) -> float:
    """Decrypted advertisements per second of processor time through the BLE link."""
    with _air(folder):
        return asyncio.run(_linked())


def bare_bus(folder: Path) -> float:
    """The same signals per second of processor time by dbus-fast alone."""
    with _air(folder) as address:
        return asyncio.run(_listened(address))


async def _linked() -> float:
    meter = Meter(ADVERTISEMENTS)
    async with asyncio.TaskGroup() as tasks:
        running = await opened(BleLink(BleConfig(name="ble"), Ticks(), ADOPTED), meter, tasks)
        rate = await meter.rate()
        running.cancel()
    return rate


async def _listened(address: str) -> float:
    """All advertisements but the first, which makes the device known, are changes of its properties."""
    tally, done = Tally(ADVERTISEMENTS - 1), asyncio.Event()

    def take(message: Message) -> None:
        if message.message_type is MessageType.SIGNAL and message.body[:1] == [DEVICE] and tally.add():
            done.set()

    bus = await MessageBus(bus_address=address).connect()
    bus.add_message_handler(take)
    await bus.call(_to_bus(SIGNALS))
    await bus.call(_to_adapter("SetDiscoveryFilter", "a{sv}", [{"DuplicateData": Variant("b", value=True)}]))
    await bus.call(_to_adapter("StartDiscovery"))
    await completed(done, tally)
    bus.disconnect()
    await bus.wait_for_disconnect()
    return tally.rate


def _to_bus(rule: str) -> Message:
    bus = "org.freedesktop.DBus"
    return Message(
        destination=bus, path="/org/freedesktop/DBus", interface=bus, member="AddMatch", signature="s", body=[rule]
    )


def _to_adapter(member: str, signature: str = "", body: list[object] | None = None) -> Message:
    return Message(
        destination="org.bluez",
        path=ADAPTER_PATH,
        interface=ADAPTER,
        member=member,
        signature=signature,
        body=body or [],
    )


@contextmanager
def _air(folder: Path) -> Iterator[str]:
    """A bus with BlueZ's stand-in on it, taken for the system bus; its address."""
    bus = start_private_bus(folder)
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address
    command = [sys.executable, "-m", "tests.bench.air", bus.address]
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as air:
            if air.stdout is None or air.stdout.readline() != "ready\n":
                raise RuntimeError("the stand-in for BlueZ did not start")
            yield bus.address
    finally:
        bus.stop()


async def _advertise(bus_address: str) -> None:
    messages = [
        bthome_v2.encrypted([bthome_v2.count(number % 65_536)], KEY, SENSOR, number)
        for number in range(1, ADVERTISEMENTS + 1)
    ]
    bluez = Bluez()
    await bluez.start(bus_address)
    print("ready", flush=True)
    await bluez.scanning()
    for message in messages:
        await bluez.advertise(SENSOR, message, -70)
    await asyncio.to_thread(sys.stdin.read)
    await bluez.stop()


if __name__ == "__main__":
    asyncio.run(_advertise(sys.argv[1]))
