"""What a plan will change, said in the reader's tongue, line by line. Pure.

In come the registry as it is and a plan, out come lines; or of a plan that cannot be, why not and what to do.
"""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from cloud_api.provisioning.addresses_shown import grouped
from cloud_api.provisioning.plan import NotPossibleError, Plan
from cloud_api.registry import Registry
from cloud_api.registry.kinds import key_of
from cloud_api.registry.places import Closure, Counter, Device, Entry, Installation
from cloud_api.web.technician.gateway_cards import place_name
from cloud_api.web.technician.words import Words

SHOWN_SETTINGS = (
    "model",
    "label",
    "period_s",
    "invert_presence",
    "debounce_s",
    "ignored_channels",
    "line_mm",
    "options",
)


def plan_lines(town: Registry, plan: Plan, words: Words, zone: tzinfo) -> list[str]:
    """What a plan changes; nothing where all is so already."""
    lines = [line for each in plan.entries for line in _entry_lines(town, each, words, zone)]
    kept = {key_of(each) for each in plan.entries}
    gone = [each for each in plan.gone if key_of(each) not in kept and isinstance(each, Installation)]
    return [
        *lines,
        *(
            words.change_never.format(device=name_of(town, each.device), place=place_name(town, each.place))
            for each in gone
        ),
    ]


def why_not(town: Registry, error: NotPossibleError, words: Words) -> str:
    """Why something cannot be, and what to do instead."""
    facts: dict[str, Any] = dict(error.facts)
    if "place" in facts:
        facts["place"] = place_name(town, facts["place"])
    if "gateway" in facts and facts["gateway"] in town.gateways:
        facts["gateway"] = town.gateways[facts["gateway"]].label
    said = words.refusals.get(error.name, str(error)).format_map(facts)
    return said if error.nearest is None else f"{said} {words.refusal_nearest.format(nearest=error.nearest)}"


def name_of(town: Registry, address: str) -> str:
    """What people call a device: by its label where it has one."""
    known = town.devices.get(address)
    return grouped(address) if known is None or known.label is None else known.label


def first_direction(counter: Counter, *, reversed_: bool) -> tuple[str, str]:
    """What the device's first and second direction mean in the street."""
    return (counter.out, counter.in_) if reversed_ else (counter.in_, counter.out)


def _entry_lines(town: Registry, entry: Entry, words: Words, zone: tzinfo) -> Iterator[str]:
    match entry:
        case Device():
            yield from _device_lines(town, entry, words)
        case Installation():
            yield from _installation_lines(town, entry, words, zone)
        case Closure():
            place = place_name(town, entry.place)
            if any(each.id == entry.id for each in town.closures):
                yield words.change_open.format(place=place)
                return
            until = words.until_further if entry.until is None else words.until.format(time=moment(entry.until, zone))
            yield words.change_closed.format(place=place, until=until, reason=entry.reason)
        case _:
            return


def _device_lines(town: Registry, device: Device, words: Words) -> Iterator[str]:
    before = town.devices.get(device.address)
    name = device.label or grouped(device.address)
    if device.retired is not None and (before is None or before.retired is None):
        yield words.change_retired.format(device=name)
    elif device.gateway is None and before is not None and before.gateway is not None:
        yield words.change_stored.format(device=name)
    if device.gateway is not None and (before is None or before.gateway != device.gateway):
        yield words.change_gateway.format(device=name, gateway=town.gateways[device.gateway].label)
    if before is None:
        yield words.change_model.format(model=device.model)
        return
    for field in SHOWN_SETTINGS:
        if getattr(device, field) != getattr(before, field):
            yield words.change_setting.format(setting=words.settings_names[field], value=_shown(device, field, words))


def _shown(device: Device, field: str, words: Words) -> str:
    value = getattr(device, field)
    if isinstance(value, bool):
        return words.yes if value else words.no
    if value is None or value in ((), {}):
        return words.of_the_model
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _installation_lines(town: Registry, each: Installation, words: Words, zone: tzinfo) -> Iterator[str]:
    before = next((known for known in town.installations if key_of(known) == key_of(each)), None)
    named = {"device": name_of(town, each.device), "place": place_name(town, each.place)}
    if each.end is not None and (before is None or before.end != each.end):
        yield words.change_ends.format(**named, time=moment(each.end, zone))
        return
    if before is None or before.place != each.place:
        yield words.change_serves.format(**named, time=moment(each.start, zone))
    counter = town.counters.get(each.place)
    if counter is not None and (before is None or before.reversed != each.reversed or before.place != each.place):
        first, second = first_direction(counter, reversed_=each.reversed)
        yield words.change_directions.format(first=first, second=second)


def moment(at: datetime, zone: tzinfo) -> str:
    """A time by the town's clock."""
    return f"{at.astimezone(zone):%d/%m %H:%M}"
