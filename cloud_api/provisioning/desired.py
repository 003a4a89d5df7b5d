"""What a gateway should do, made of what the registry says. Pure.

In come the registry, the radio keys and who holds which device, out come the devices of one gateway in the contract's
words. A device has one owner: as long as another gateway reports that it listens to it, the new one is not told of it,
or its passages would be counted twice.
"""

from collections.abc import Mapping

from cloud_api.registry import Registry
from cloud_api.registry.places import Device
from cloud_api.registry.radio_keys import NO_KEYS, RadioKeys
from edge.messages import DeviceSettings, Reported

Holders = Mapping[str, str]
"""By device, the gateway that last reported that it listens to it, though it is not its own (any more)."""


def holders_of(registry: Registry, reported: Mapping[str, Reported]) -> Holders:
    """Who still listens to devices that are not his, by what gateways report; who left the registry holds nothing."""
    return {
        device: gateway
        for gateway, report in sorted(reported.items())
        if gateway in registry.gateways
        for device in report.devices
        if not _owns(registry, gateway, device)
    }


def _owns(registry: Registry, gateway: str, device: str) -> bool:
    known = registry.devices.get(device)
    return known is not None and known.gateway == gateway


def desired_devices(
    registry: Registry, keys: Mapping[str, RadioKeys], holders: Holders, gateway: str
) -> tuple[DeviceSettings, ...]:
    """The devices that a gateway owns, in the order of their addresses; without those that another one still holds."""
    owned = (each for each in registry.devices.values() if each.gateway == gateway)
    free = (each for each in owned if each.address not in holders)
    return tuple(_settings(each, keys.get(each.address, NO_KEYS)) for each in sorted(free, key=lambda x: x.address))


def _settings(device: Device, keys: RadioKeys) -> DeviceSettings:
    return DeviceSettings(
        address=device.address,
        model=device.model,
        link=device.link,
        period_s=device.period_s,
        key=keys.key,
        nwk_skey=keys.nwk_skey,
        app_skey=keys.app_skey,
        invert_presence=device.invert_presence,
        debounce_s=device.debounce_s,
        ignored_channels=device.ignored_channels,
        line_mm=device.line_mm,
        options=device.options,
    )
