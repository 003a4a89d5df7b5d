"""Whether gateways can do what a plan asks of them, as far as they have said what they can. Pure.

In come a plan, the registry and what gateways said of themselves, out comes the plan, or a `NotPossibleError` before
anything is written. A gateway that never said anything may do everything: what it cannot do it refuses later.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from cloud_api.provisioning.plan import NotPossibleError, Plan, nearest
from cloud_api.registry import Registry
from cloud_api.registry.places import Device, Installation
from edge.messages import ModelInfo, Models, Status

NAMES_ITS_CHANNELS: Final = "ble"
"""Models on this link have as many channels as their sensors send objects."""


class Told(NamedTuple):
    """What gateways said of themselves, by their names."""

    models: Mapping[str, Models]
    status: Mapping[str, Status]


def fitting(plan: Plan, town: Registry, told: Told) -> Plan:
    """The plan itself, if its devices are of models that their gateways know, with options and lines that they have."""
    devices = {each.address: each for each in plan.entries if isinstance(each, Device)}
    for device in devices.values():
        if device != town.devices.get(device.address):
            _check_device(device, told)
    for each in plan.entries:
        if isinstance(each, Installation) and each.end is None:
            known = devices.get(each.device) or town.devices.get(each.device)
            model = None if known is None else _model(known, told)
            if model is not None:
                _check_installation(each, model, town)
    return plan


def _check_device(device: Device, told: Told) -> None:
    if device.gateway is None:
        return
    models = told.models.get(device.gateway)
    model = _model(device, told)
    if models is not None and model is None:
        known = [each.name for each in models.models]
        raise NotPossibleError(
            "unknown-model",
            "model",
            nearest=nearest(device.model, known),
            gateway=device.gateway,
            version=models.version,
            model=device.model,
        )
    if model is not None:
        for option in sorted(set(device.options) - set(model.options)):
            expected = ", ".join(sorted(model.options)) or "none"
            raise NotPossibleError("unknown-option", "options", model=model.name, option=option, options=expected)
    _check_link(device, device.gateway, told)


def _check_link(device: Device, gateway: str, told: Told) -> None:
    status = told.status.get(gateway)
    links = [] if status is None else [link.name for link in status.links]
    if device.link is not None and links and device.link not in links:
        raise NotPossibleError("unknown-link", "link", gateway=gateway, link=device.link, links=", ".join(links))


def _check_installation(each: Installation, model: ModelInfo, town: Registry) -> None:
    if NAMES_ITS_CHANNELS in model.links:
        return
    lines = {(line.name, line.mode) for line in model.lines}
    named = ", ".join(" ".join(part for part in line if part) for line in sorted(lines))
    if each.place not in town.counters and each.place not in town.zones:
        if each.channel in {name for name, _ in lines}:
            raise NotPossibleError("sees-no-space", "channel", model=model.name, channel=each.channel)
    elif not lines:
        raise NotPossibleError("counts-nothing", "place", model=model.name, place=each.place)
    elif (each.channel, each.mode) not in lines:
        channel = f"{each.channel} {each.mode}".strip()
        raise NotPossibleError("unknown-line", "channel", model=model.name, channel=channel, lines=named)


def _model(device: Device, told: Told) -> ModelInfo | None:
    models = told.models.get(device.gateway or "")
    return None if models is None else next((each for each in models.models if each.name == device.model), None)
