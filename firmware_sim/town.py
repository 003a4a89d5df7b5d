"""A town: its counters, parking spaces and sensors, what truly happens there, and the files that describe it to others.

In comes a description (`saint_aubin` is one), out come the truth of any moment, the API's `places.toml` and the
gateway's `gateway.toml`. It never sends anything: see `sensors` and `live`.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from firmware_sim.links.lorawan import Session
from firmware_sim.parking import Drivers
from firmware_sim.toml import table
from firmware_sim.walkers import Count, Walkers

PCR2, LD2450, TPS110, NPS405, BTHOME = "parametric-pcr2", "hlk-ld2450", "bosch-tps110", "nwave-nps405", "bthome-v2"
CHANNELS = {PCR2: ("line1", "pedestrian"), LD2450: ("line1", "pedestrian"), BTHOME: ("1", "")}
"""Channel and mode under which a counter's model reports."""
SPACE_CHANNEL = "1"


class Link(StrEnum):
    """How a sensor's bytes travel; also the name of the gateway's link."""

    CHIRPSTACK = "chirpstack"
    LORA = "rak3172"
    SERIAL = "serial"
    BLE = "ble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One sensor."""

    address: str
    """devEUI, DevAddr or BLE address as the gateway writes it; a name on the serial wire."""
    model: str
    link: Link
    period_s: int
    """It speaks at least this often."""
    key: bytes | None = field(default=None, repr=False)
    """BTHome bind key."""
    session: Session | None = field(default=None, repr=False)
    """LoRaWAN session of a device that is heard without a network server."""


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees, WGS 84."""

    lat: float
    lon: float

    def moved(self, north_m: float, east_m: float) -> "Position":
        """The position so many metres away, near 47° north."""
        return Position(round(self.lat + north_m / 111_200, 6), round(self.lon + east_m / 75_900, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A place where people are counted, and its sensor."""

    id: str
    name: str
    position: Position
    in_: str
    """Where people go whom the sensor counts as `in`."""
    out: str
    street: str
    """Of which it counts a part; counters of one street are told together."""
    section: str
    """The line across the street that it counts; side by side on one line they are added."""
    walkers: Walkers
    device: Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """One parking space, its drivers and its sensor."""

    id: str
    position: Position
    audience: str
    drivers: Drivers
    device: Device


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxStay:
    """For how long a car may stay."""

    minutes: int
    hours: str
    """When that holds, as OpenStreetMap writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingZone:
    """Bays that a driver thinks of as one place."""

    id: str
    name: str
    position: Position
    bays: tuple[Bay, ...]
    max_stay: MaxStay | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the gateway finds its links and its broker."""

    broker: tuple[str, int]
    """Host and port of the broker, ChirpStack's and the city's alike."""
    serial: str
    """The radar's serial port."""
    modem: str
    """The LoRa modem's serial port."""
    ble: bool = True
    """Whether there is a Bluetooth adapter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """The town and what truly happens in it: any moment can be asked for."""

    name: str
    gateway: str
    """The name of the gateway that hears all its sensors."""
    seed: int
    opened: datetime
    """UTC, on the hour: all sensors were switched on then, and count from then on."""
    zone: ZoneInfo
    counters: tuple[Counter, ...]
    parking: tuple[ParkingZone, ...]

    def bays(self) -> Iterator[Bay]:
        """All parking spaces."""
        for zone in self.parking:
            yield from zone.bays

    def devices(self) -> Iterator[Device]:
        """All sensors."""
        yield from (counter.device for counter in self.counters)
        yield from (bay.device for bay in self.bays())

    def counter(self, id_: str) -> Counter:
        """The counter of that id. Raises `KeyError`."""
        return {counter.id: counter for counter in self.counters}[id_]

    def truth_hour(self, counter: str, hour: datetime) -> tuple[int, int]:
        """How many people truly passed (in, out) in the hour that begins at `hour` (UTC). Raises `KeyError`."""
        count = self.counter(counter).walkers.count(hour)
        return count.in_, count.out

    def totals_at(self, counter: str, moment: datetime) -> Count:
        """How many people truly passed from `opened` to `moment`. Raises `KeyError`."""
        return self.counter(counter).walkers.totals_at(moment)

    def occupied(self, moment: datetime) -> dict[str, bool]:
        """Whether each bay, by id, is truly taken at `moment`."""
        return {bay.id: bay.drivers.occupied(moment) for bay in self.bays()}

    def free(self, moment: datetime) -> dict[str, int]:
        """How many bays of each zone, by id, are truly free at `moment`."""
        return {zone.id: sum(not bay.drivers.occupied(moment) for bay in zone.bays) for zone in self.parking}

    def places_toml(self) -> str:
        """The API's registry file: gateway, zones, spaces, counters, installations since `opened`."""
        return "\n".join(self._places())

    def gateway_toml(self, ports: Ports, data: Path) -> str:
        """The gateway's configuration; `data` is the folder of its outbox. It holds keys: write it with mode 0600."""
        host, port = ports.broker
        return "\n".join(
            [
                table("gateway", name=self.gateway, data=str(data), clock="system"),
                table("broker", host=host, port=port),
                *self._links(ports),
                *(_device_table(device) for device in self.devices() if ports.ble or device.link is not Link.BLE),
            ]
        )

    def _places(self) -> Iterator[str]:
        yield table("[gateway]", name=self.gateway, label=self.name)
        for zone in self.parking:
            limit = {} if zone.max_stay is None else {"max_stay": asdict(zone.max_stay)}
            yield table("[zone]", id=zone.id, name=zone.name, position=_place(zone.position), **limit)
            for bay in zone.bays:
                position = _place(bay.position)
                yield table("[space]", id=bay.id, zone=zone.id, audience=bay.audience, position=position)
                yield self._installation(bay.id, bay.device, SPACE_CHANNEL, "")
        for counter in self.counters:
            words = {"in": counter.in_, "out": counter.out, "street": counter.street, "section": counter.section}
            yield table("[counter]", id=counter.id, name=counter.name, position=_place(counter.position), **words)
            yield self._installation(counter.id, counter.device, *CHANNELS[counter.device.model])

    def _installation(self, place: str, device: Device, channel: str, mode: str) -> str:
        since = {"from": self.opened}
        return table("[installation]", place=place, device=device.address, channel=channel, mode=mode, **since)

    def _links(self, ports: Ports) -> Iterator[str]:
        radar = next(device for device in self.devices() if device.link is Link.SERIAL)
        host, port = ports.broker
        yield table("[link]", kind="chirpstack", name=Link.CHIRPSTACK, host=host, port=port, client_id=self.gateway)
        yield table("[link]", kind="rak3172", name=Link.LORA, port=ports.modem)
        yield table(
            "[link]", kind="serial", name=Link.SERIAL, port=ports.serial, model=radar.model, device=radar.address
        )
        if ports.ble:
            yield table("[link]", kind="ble", name=Link.BLE)


def _device_table(device: Device) -> str:
    keys: dict[str, str] = {}
    if device.key is not None:
        keys["key"] = device.key.hex()
    if device.session is not None:
        keys |= {"nwk_skey": device.session.nwk_skey.hex(), "app_skey": device.session.app_skey.hex()}
    return table(
        "[device]", address=device.address, model=device.model, link=device.link, period_s=device.period_s, **keys
    )


def _place(position: Position) -> dict[str, float]:
    return {"lat": position.lat, "lon": position.lon}
