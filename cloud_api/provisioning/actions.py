"""What is done to devices themselves: adopted, set, handed over to another gateway, taken away, retired. Pure.

In come the registry as it is and what is wanted, out comes a `Plan`, or a `NotPossibleError` that says what to do
instead. What is done at places is in `installing`.
"""

from datetime import datetime

from msgspec.structs import replace

from cloud_api.provisioning.addresses import parse_address
from cloud_api.provisioning.installing import clock, ended, in_force
from cloud_api.provisioning.plan import NotPossibleError, Plan, nearest
from cloud_api.registry import Registry
from cloud_api.registry.places import Device


def adopt(town: Registry, device: Device) -> Plan:
    """Let a device be listened to by its gateway, or lie in the store room; one that is its own already is set anew.

    One that was retired comes back into service.
    """
    wanted = replace(device, address=parse_address(device.address), retired=None)
    known = town.devices.get(wanted.address)
    if wanted.gateway is not None:
        _require_gateway(town, wanted.gateway)
    if known is not None and known.gateway not in {None, wanted.gateway}:
        raise NotPossibleError("adopted-elsewhere", "gateway", device=wanted.address, gateway=str(known.gateway))
    where = f"gateway {wanted.gateway}" if wanted.gateway else "the store room"
    return Plan(entries=(wanted,), words=(f"{wanted.address} ({wanted.model}) is adopted by {where}",))


def change(town: Registry, device: Device) -> Plan:
    """Let an adopted device have other settings, or another gateway."""
    known = device_of(town, device.address)
    if device.gateway is not None:
        _require_gateway(town, device.gateway)
    changed = [name for name in device.__struct_fields__ if getattr(device, name) != getattr(known, name)]
    return Plan(entries=(device,), words=(f"{device.address}: {', '.join(changed) or 'nothing'} changes",))


def hand_over(town: Registry, address: str, gateway: str, link: str | None = None) -> Plan:
    """Let another gateway listen to a device; where it is installed does not change."""
    known = device_of(town, address)
    if known.retired is not None:
        raise NotPossibleError("retired", "device", device=known.address, since=clock(known.retired))
    _require_gateway(town, gateway)
    moved = replace(known, gateway=gateway, link=link)
    return Plan(
        entries=(moved,), words=(f"{known.address} goes from {known.gateway or 'the store room'} to {gateway}",)
    )


def put_in_store_room(town: Registry, address: str, at: datetime) -> Plan:
    """Take a device from its gateway and from the places that it serves; it may be adopted again."""
    known = device_of(town, address)
    return _taken_down(town, replace(known, gateway=None, link=None), at, "goes to the store room")


def retire(town: Registry, address: str, at: datetime) -> Plan:
    """Take a device out of service for good: from its gateway and from its places, whose history stays."""
    known = device_of(town, address)
    return _taken_down(town, replace(known, gateway=None, link=None, retired=at), at, "is retired")


def invert_presence(town: Registry, address: str) -> Plan:
    """Let a device's occupied be free and its free occupied from now on; what it said until now stays."""
    known = device_of(town, address)
    inverted = replace(known, invert_presence=not known.invert_presence)
    words = "says occupied for free: it is inverted" if inverted.invert_presence else "is believed as it speaks"
    return Plan(entries=(inverted,), words=(f"{known.address} {words}",))


def device_of(town: Registry, address: str) -> Device:
    """An adopted device. Raises `NotPossibleError`, which names the nearest one."""
    known = town.devices.get(address) or town.devices.get(parse_address(address))
    if known is None:
        raise NotPossibleError("unknown-device", "device", nearest=nearest(address, town.devices), device=address)
    return known


def _require_gateway(town: Registry, name: str) -> None:
    if name not in town.gateways:
        raise NotPossibleError("unknown-gateway", "gateway", nearest=nearest(name, town.gateways), gateway=name)


def _taken_down(town: Registry, device: Device, at: datetime, words: str) -> Plan:
    served = [ended(town, each, at) for each in in_force(town, device.address, at)]
    return Plan(
        entries=(device, *(entry for each in served for entry in each.entries)),
        gone=tuple(entry for each in served for entry in each.gone),
        words=(f"{device.address} {words}", *(line for each in served for line in each.words)),
    )
