"""Devices that gateways hear and do not read: new ones, and those that have another owner. Pure.

In come sightings and the registry, out comes one view a device, who was heard last at the front.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from cloud_api.provisioning.gateways import By, Sighting
from cloud_api.registry import Registry

FORGOTTEN_AFTER: Final = timedelta(hours=24)
NO_SIGNAL: Final = -200.0


class Belongs(StrEnum):
    """Whose a device is that is heard."""

    NOBODY = "nobody"
    STORE_ROOM = "store_room"
    RETIRED = "retired"
    ELSEWHERE = "elsewhere"
    """Another gateway reads it; this one only hears it too."""


class Hearing(Struct, frozen=True, kw_only=True):
    """One gateway that hears a device."""

    gateway: str
    link: str
    at: datetime
    """When it heard it last."""
    frames: int
    """Frames since `first_at` of the device."""
    rssi_dbm: float | None


class HeardView(Struct, frozen=True, kw_only=True):
    """A device that is heard and not read by who hears it."""

    address: str
    belongs: Belongs
    gateway: str | None
    """The gateway that reads it; null when none does."""
    models: tuple[str, ...]
    """What it may be by all that it sent, the likeliest first; empty when nobody can tell."""
    hint: str | None
    """What its network server or its advertisement calls it, or what it lacks to be read."""
    first_at: datetime
    last_at: datetime
    by: tuple[Hearing, ...]
    """Who hears it, the best signal first."""


def heard_devices(town: Registry, heard: Mapping[By, Sighting], now: datetime) -> tuple[HeardView, ...]:
    """Who was heard within a day by a gateway that does not read it; new ones before those that have an owner."""
    by_device: dict[str, list[Sighting]] = {}
    for each in heard.values():
        if now - each.device.at < FORGOTTEN_AFTER and not _reads(town, each):
            by_device.setdefault(each.device.device, []).append(each)
    views = (_view(address, sightings, town) for address, sightings in by_device.items())
    return tuple(sorted(views, key=lambda each: (each.gateway is not None, -each.last_at.timestamp(), each.address)))


def _reads(town: Registry, sighting: Sighting) -> bool:
    device = town.devices.get(sighting.device.device)
    return device is not None and device.gateway == sighting.gateway


def _view(address: str, sightings: list[Sighting], town: Registry) -> HeardView:
    newest = max(sightings, key=lambda each: each.device.at)
    told = [each.device.models for each in sightings if each.device.models]
    device = town.devices.get(address)
    return HeardView(
        address=address,
        belongs=_belongs(town, address),
        gateway=None if device is None else device.gateway,
        models=min(told, key=len) if told else (),
        hint=next((each.device.hint for each in (newest, *sightings) if each.device.hint), None),
        first_at=min(each.first_at for each in sightings),
        last_at=newest.device.at,
        by=tuple(_hearing(each) for each in sorted(sightings, key=_strength, reverse=True)),
    )


def _belongs(town: Registry, address: str) -> Belongs:
    device = town.devices.get(address)
    if device is None:
        return Belongs.NOBODY
    if device.retired is not None:
        return Belongs.RETIRED
    return Belongs.STORE_ROOM if device.gateway is None else Belongs.ELSEWHERE


def _hearing(each: Sighting) -> Hearing:
    said = each.device
    return Hearing(gateway=each.gateway, link=said.link, at=said.at, frames=each.frames, rssi_dbm=said.rssi_dbm)


def _strength(each: Sighting) -> tuple[float, str]:
    return NO_SIGNAL if each.device.rssi_dbm is None else each.device.rssi_dbm, each.gateway
