"""What a technician sees of gateways and the devices that they listen to, and how far each has come. Pure."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from cloud_api.provisioning.desired import holders_of
from cloud_api.provisioning.gateways import Gateways
from cloud_api.provisioning.standing import Standing, device_standing, gateway_standing
from cloud_api.registry import Registry
from cloud_api.registry.places import Device, Gateway
from cloud_api.web.technician.hearing import age, bare
from cloud_api.web.technician.words import Words


class DeviceLine(Struct, frozen=True, kw_only=True):
    """An adopted device in a list."""

    address: str
    label: str
    model: str
    places: tuple[str, ...]
    standing: Standing
    reason: str


class GatewayCard(Struct, frozen=True, kw_only=True):
    """A gateway, and the devices that are its own."""

    name: str
    label: str
    online: bool | None
    state: str
    pending: bool
    """Whether it has yet to answer to what it was told."""
    devices: tuple[DeviceLine, ...]


STORE_ROOM = ""
"""Stands for the gateway of devices that have none."""


def gateway_cards(
    town: Registry, known: Gateways, words: Words, now: datetime, *, wanted: str = ""
) -> list[GatewayCard]:
    """Every gateway with its devices, those that wait or are refused first; `wanted`: a part of a label or address."""
    served = places_by_device(town, now)
    holders = holders_of(town, known.reported)
    cards = []
    for gateway in sorted(town.gateways.values(), key=lambda each: each.label.casefold()):
        standing = gateway_standing(gateway, known)
        devices = [
            _line(each, town, known, holders, served, words)
            for each in town.devices.values()
            if each.gateway == gateway.name and _is_wanted(each, served, wanted)
        ]
        card = GatewayCard(
            name=gateway.name,
            label=gateway.label,
            online=standing.online,
            state=_state(standing.online, standing.at, words, now),
            pending=not standing.settled,
            devices=tuple(sorted(devices, key=_urgency)),
        )
        cards.append(card)
    return [each for each in cards if each.devices or not wanted]


def stored_lines(town: Registry, known: Gateways, words: Words, now: datetime, *, wanted: str = "") -> list[DeviceLine]:
    """Devices in the store room: adopted once, of no gateway now."""
    served = places_by_device(town, now)
    devices = (each for each in town.devices.values() if each.gateway is None and each.retired is None)
    return [_line(each, town, known, {}, served, words) for each in devices if _is_wanted(each, served, wanted)]


def places_by_device(town: Registry, now: datetime) -> Mapping[str, tuple[str, ...]]:
    """The places that each device serves now or is about to, in the town's words."""
    served: dict[str, tuple[str, ...]] = {}
    for each in town.installations:
        if each.end is None or now < each.end:
            served[each.device] = (*served.get(each.device, ()), place_name(town, each.place))
    return {device: tuple(dict.fromkeys(places)) for device, places in served.items()}


def place_name(town: Registry, place: str) -> str:
    """What people call a place: a counter or a car park by its name, a space by its own and its zone's."""
    if place in town.counters:
        return town.counters[place].name
    if place in town.zones:
        return town.zones[place].name
    zone = next((each.zone for each in town.spaces if each.id == place), None)
    return place if zone is None else f"{town.zones[zone].name}, {place}"


def _line(
    device: Device,
    town: Registry,
    known: Gateways,
    holders: Mapping[str, str],
    served: Mapping[str, tuple[str, ...]],
    words: Words,
) -> DeviceLine:
    gateway = None if device.gateway is None else town.gateways.get(device.gateway)
    standing, reason = why(device, gateway, known, holders, words)
    return DeviceLine(
        address=device.address,
        label=device.label or "",
        model=device.model,
        places=served.get(device.address, ()),
        standing=standing,
        reason=reason,
    )


def why(
    device: Device, gateway: Gateway | None, known: Gateways, holders: Mapping[str, str], words: Words
) -> tuple[Standing, str]:
    """How a device does at its gateway, and why, for people."""
    found = device_standing(device, gateway, known, holders)
    if gateway is None:
        return found.standing, ""
    match found.standing:
        case Standing.WAITING:
            online = gateway_standing(gateway, known).online
            said = words.waits_never if online is None else words.waits_answer if online else words.waits_off
            return found.standing, said.format(gateway=gateway.label)
        case Standing.HELD:
            return found.standing, words.held_by.format(gateway=holders[device.address])
        case Standing.REFUSED:
            return found.standing, words.refused_by.format(gateway=gateway.label, reason=found.reason)
        case _:
            return found.standing, ""


def _is_wanted(device: Device, served: Mapping[str, tuple[str, ...]], wanted: str) -> bool:
    said = (device.address, device.label or "", *served.get(device.address, ()))
    return any(bare(wanted) in bare(each) for each in said)


def _urgency(line: DeviceLine) -> tuple[bool, bool, str]:
    troubled = line.standing in {Standing.REFUSED, Standing.HELD}
    return not troubled, line.standing is not Standing.WAITING, line.label or line.address


def _state(online: bool | None, at: datetime | None, words: Words, now: datetime) -> str:
    if online is None:
        return words.gateway_never
    if not online:
        return words.gateway_off
    return words.gateway_on if at is None else f"{words.gateway_on}, {age(at, words, now)}"
