"""A pair of wires with Modbus units on it, and the link that reads them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from edge.drivers.links.modbus import ModbusConfig, ModbusLink
from edge.messages import DeviceSettings
from edge.readings import Frame
from firmware_sim.links.modbus import BusPeer, Unit
from tests.arrivals import Collected, Ticks

Option = bool | int | float | str
SEEED: dict[str, Option] = {"unit": 1, "register": 256, "count": 3, "temperature_at": 2}
SEN0310: dict[str, Option] = {"unit": 11, "register": 5, "count": 2, "distance_unit": "cm", "temperature_at": 1}
SEN0492: dict[str, Option] = {"unit": 80, "register": 52, "count": 1}
PATIENT_S = 5.0
BRISK_S = 0.2
"""Answers that come must be in time on a busy machine, too; those that do not come must not be waited for long."""
BAY = DeviceSettings(address="bay", model="modbus-register", link="pair", options=SEEED)
GATE = DeviceSettings(address="gate", model="modbus-register", link="pair", options=SEN0310)
LANE = DeviceSettings(address="lane", model="modbus-register", link="pair", options=SEN0492)


class Adopted:
    """The devices that the gateway has adopted on this link; they may change."""

    def __init__(self, *devices: DeviceSettings) -> None:
        self.devices = devices

    def on_link(self, link: str) -> tuple[DeviceSettings, ...]:
        """See `Roster`."""
        assert link == "pair"
        return self.devices


def a_bay() -> Unit:
    """A distance sensor over a space: 1,480 mm, 23.5 °C."""
    return Unit({0x0100: 1480, 0x0101: 1490, 0x0102: 235})


def a_gate() -> Unit:
    """A distance sensor beside a way: 120 cm, 23.5 °C."""
    return Unit({5: 120, 6: 235})


def config_of(port: str, timeout_s: float) -> ModbusConfig:
    """The link's section."""
    section = {"kind": "modbus", "name": "pair", "port": port, "poll_s": 0.05, "timeout_s": timeout_s}
    return msgspec.convert(section, ModbusConfig)


@asynccontextmanager
async def wired(path: Path, units: dict[int, Unit], *, echo: bool = False) -> AsyncIterator[BusPeer]:
    """The pair with its units, each by its number."""
    pair = BusPeer(path / "usb-rs485", echo=echo)
    pair.units = units
    pair.start()
    try:
        yield pair
    finally:
        pair.close()


def link_to(pair: BusPeer, *devices: DeviceSettings, timeout_s: float = PATIENT_S) -> ModbusLink:
    """The link that reads these devices on a pair."""
    return ModbusLink(config_of(pair.path, timeout_s), Ticks(), Adopted(*devices))


def frames_of(collected: Collected, device: DeviceSettings) -> list[Frame]:
    """What came from one device."""
    return [frame for frame in collected.frames if frame.device == device.address]


def heard(device: DeviceSettings, times: int) -> Callable[[Collected], bool]:
    """Whether a device was heard so often."""
    return lambda seen: len(frames_of(seen, device)) >= times


def missed(times: int) -> Callable[[Collected], bool]:
    """Whether so many answers did not come, and nothing else was refused."""
    return lambda seen: seen.refused == ["no-answer"] * times
