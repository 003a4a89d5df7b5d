"""Whether what was decided for a device is so at its gateway, and why not. Pure."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from cloud_api.provisioning.desired import Holders
from cloud_api.provisioning.gateways import Gateways
from cloud_api.registry.places import Device, Gateway


class Standing(StrEnum):
    """How a device does at its gateway."""

    APPLIED = "applied"
    """The gateway listens to it as the registry says."""
    REFUSED = "refused"
    """The gateway cannot do what the registry says."""
    WAITING = "waiting"
    """The gateway has not answered yet: it may be off line."""
    HELD = "held"
    """Another gateway still listens to it."""
    UNMANAGED = "unmanaged"
    """The gateway takes its devices from its own configuration file."""
    NONE = "none"
    """No gateway listens to it."""


class DeviceStanding(Struct, frozen=True):
    """How a device does at its gateway, and why."""

    standing: Standing
    reason: str | None = None
    """Why it is refused, or whom it waits for."""


class GatewayStanding(Struct, frozen=True):
    """How far a gateway has come with what it is told."""

    managed: bool
    online: bool | None
    """None when it never said anything."""
    at: datetime | None
    """When it last said how it does."""
    desired: int | None
    """The revision that it is told; None when it is told none."""
    reported: int | None
    """The revision that it has in force."""

    @property
    def settled(self) -> bool:
        """Whether it has answered to the last that it was told."""
        return not self.managed or (self.desired is not None and self.desired == self.reported)


def gateway_standing(gateway: Gateway, known: Gateways) -> GatewayStanding:
    """How far a gateway of the registry has come."""
    status = known.status.get(gateway.name)
    desired, reported = known.desired.get(gateway.name), known.reported.get(gateway.name)
    return GatewayStanding(
        managed=gateway.managed,
        online=None if status is None else status.online,
        at=None if status is None else status.at,
        desired=None if desired is None else desired.revision,
        reported=None if reported is None else reported.revision,
    )


def device_standing(device: Device, gateway: Gateway | None, known: Gateways, holders: Holders) -> DeviceStanding:
    """How a device does at the gateway that the registry names for it."""
    if gateway is None:
        return DeviceStanding(Standing.NONE)
    if not gateway.managed:
        return DeviceStanding(Standing.UNMANAGED)
    holder = holders.get(device.address)
    if holder is not None:
        return DeviceStanding(Standing.HELD, f"gateway {holder} still listens to it")
    standing = gateway_standing(gateway, known)
    if not standing.settled:
        return DeviceStanding(Standing.WAITING, _waits_for(gateway, standing))
    return _reported_standing(device, gateway, known)


def _reported_standing(device: Device, gateway: Gateway, known: Gateways) -> DeviceStanding:
    report = known.reported[gateway.name]
    for refused in report.refused:
        if refused.where == device.address:
            return DeviceStanding(Standing.REFUSED, refused.reason)
    if device.address in report.devices:
        return DeviceStanding(Standing.APPLIED)
    return DeviceStanding(Standing.WAITING, f"gateway {gateway.name} was not told of it yet")


def _waits_for(gateway: Gateway, standing: GatewayStanding) -> str:
    if standing.online is None:
        return f"gateway {gateway.name} has never been on line"
    return f"gateway {gateway.name} is {'about to answer' if standing.online else 'off line'}"
