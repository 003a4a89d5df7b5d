"""What is done at places: devices installed, turned round, moved, swapped, taken down. Pure.

In come the registry as it is and what is wanted at `at` (UTC), out comes a `Plan`, or a `NotPossibleError` that says
what to do instead. Passages are kept by the hour, so where they are counted installations begin and end on full hours;
what serves a space begins and ends on the minute.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from cloud_api.provisioning.addresses import parse_address
from cloud_api.provisioning.plan import NotPossibleError, Plan, nearest, together
from cloud_api.registry import Registry
from cloud_api.registry.kinds import key_of
from cloud_api.registry.places import Counting, Device, Entry, Installation

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)


def install(
    town: Registry,
    *,
    device: str,
    channel: str,
    place: str,
    at: datetime,
    mode: str = "",
    reversed_: bool = False,
    factor: float = 1.0,
) -> Plan:
    """Let a channel of an adopted device serve a place; at a counter from the last full hour on.

    What is so already is no mistake: who was not sure that it was done may say it again.
    """
    _require_in_service(town, device)
    _require_place(town, place)
    start = _before(town, place, at)
    wanted = Installation(
        place=place, device=device, channel=channel, mode=mode, start=start, reversed=reversed_, factor=factor
    )
    for each in in_force(town, device, at):
        if (each.channel, each.mode) == (channel, mode):
            return _already(each, wanted)
    _require_free(town, wanted)
    joined = _joined(town, wanted)
    return Plan(entries=(joined,), words=(f"{_named(joined)} serves {place} from {clock(joined.start)} on",))


def end(town: Registry, device: str, at: datetime, *, channel: str | None = None) -> Plan:
    """Let a device, or one of its channels, serve no place any more; at a counter until the next full hour."""
    return together(ended(town, each, at) for each in _chosen(town, device, at, channel))


def turn_round(town: Registry, device: str, at: datetime, *, channel: str | None = None) -> Plan:
    """Let a device's first direction be the street's other one, for as long as it serves there: history is mended."""
    turned = [replace(each, reversed=not each.reversed) for each in _chosen(town, device, at, channel)]
    words = [
        f"{_named(each)} at {each.place}: its first direction is the street's {'out' if each.reversed else 'in'},"
        f" since {clock(each.start)}"
        for each in turned
    ]
    return Plan(entries=tuple(turned), words=tuple(words))


def move(town: Registry, device: str, place: str, at: datetime, *, channel: str | None = None) -> Plan:
    """Let a device that was carried elsewhere serve the place where it is now.

    What it counted in the hour of the move belongs to neither place: nobody can tell at which it was.
    """
    _require_place(town, place)
    left = _one(town, device, at, channel)
    if left.place == place:
        raise NotPossibleError("installed-already", "place", device=device, place=place, since=clock(left.start))
    taken = _until(left, _before(town, left.place, at))
    start = _after(town, place, at) if taken.entries else _before(town, place, at)
    arrived = _joined(town, replace(left, place=place, start=start, end=None, reversed=False, factor=1.0), left)
    _require_free(town, arrived)
    words = f"{_named(arrived)} serves {place} from {clock(arrived.start)} on"
    return Plan((*taken.entries, arrived), _but(taken.gone, arrived), (*taken.words, words))


def correct(town: Registry, device: str, place: str, at: datetime, *, channel: str | None = None) -> Plan:
    """Let a device serve another place since it was installed: it was written down wrongly. History follows."""
    _require_place(town, place)
    wrong = _one(town, device, at, channel)
    right = replace(wrong, place=place, start=_before(town, place, wrong.start))
    _require_free(town, right)
    words = f"{_named(right)} has served {place}, not {wrong.place}, since {clock(right.start)}"
    return Plan(entries=(right,), gone=_but((wrong,), right), words=(words,))


def exchange(town: Registry, one: str, other: str, at: datetime) -> Plan:
    """Let two devices that were taken for each other each serve the other's place, since they were installed."""
    first, second = _one(town, one, at, None), _one(town, other, at, None)
    entries = (replace(first, place=second.place), replace(second, place=first.place))
    words = [f"{_named(each)} has served {each.place} since {clock(each.start)}" for each in entries]
    return Plan(entries=entries, words=tuple(words))


def swap(town: Registry, old: str, new: Device, at: datetime) -> Plan:
    """Let a new device take the place of an old one, which goes to the store room; the history of the place goes on.

    Where passages are counted both serve the place in the hour of the swap, and their parts add up. `new` names its
    address and model; gateway, link and settings are the old one's where it is of the same model and not adopted yet.
    """
    before = town.devices.get(old)
    if before is None:
        raise NotPossibleError("unknown-device", "device", nearest=nearest(old, town.devices), device=old)
    served = _chosen(town, old, at, None)
    fresh = _taking_over(town, before, new)
    same = before.model == fresh.model
    successors = tuple(
        _joined(
            town,
            replace(
                each,
                device=fresh.address,
                start=max(each.start, _before(town, each.place, at)),
                factor=each.factor if same else 1.0,
            ),
        )
        for each in served
    )
    left = together(ended(town, each, at) for each in served)
    words = [f"{_named(each)} serves {each.place} from {clock(each.start)} on" for each in successors]
    stored = replace(before, gateway=None, link=None)
    return Plan(
        entries=(stored, fresh, *left.entries, *successors),
        gone=left.gone,
        words=(f"{fresh.address} takes the place of {old}", *left.words, *words),
    )


def serving_device(town: Registry, place: str, at: datetime) -> str:
    """The one device that serves a place. Raises `NotPossibleError` when there is none, or more than one."""
    _require_place(town, place)
    devices = sorted({each.device for each in town.serving(place, at)})
    if not devices:
        raise NotPossibleError("nothing-serves", "place", place=place)
    if len(devices) > 1:
        raise NotPossibleError("several-devices", "place", place=place, devices=", ".join(devices))
    return devices[0]


def in_force(town: Registry, device: str, at: datetime) -> list[Installation]:
    """What a device serves at an instant, or will serve later."""
    return [each for each in town.installations if each.device == device and (each.end is None or at < each.end)]


def ended(town: Registry, each: Installation, at: datetime) -> Plan:
    """An installation that is over; one that would never have been in force is removed."""
    return _until(each, min(_after(town, each.place, at), each.end or datetime.max.replace(tzinfo=UTC)))


def clock(instant: datetime) -> str:
    """A time for people."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _until(each: Installation, over: datetime) -> Plan:
    if over <= each.start:
        return Plan(gone=(each,), words=(f"{_named(each)} never served {each.place}",))
    return Plan(entries=(replace(each, end=over),), words=(f"{_named(each)} serves {each.place} until {clock(over)}",))


def _counts_by_the_hour(town: Registry, place: str) -> bool:
    return place in town.counters or place in town.zones


def _before(town: Registry, place: str, at: datetime) -> datetime:
    """The last full hour where passages are counted, else the last minute."""
    if _counts_by_the_hour(town, place):
        return at.replace(minute=0, second=0, microsecond=0)
    return at.replace(second=0, microsecond=0)


def _after(town: Registry, place: str, at: datetime) -> datetime:
    """The next full hour where passages are counted, else the last minute: one device serves a space at a time."""
    start = _before(town, place, at)
    return start + HOUR if _counts_by_the_hour(town, place) and start < at else start


def _named(each: Installation) -> str:
    return " ".join(part for part in (each.device, each.channel, each.mode) if part)


def _but(gone: Sequence[Entry], kept: Installation) -> tuple[Entry, ...]:
    """Without what has the key of an entry that is kept."""
    return tuple(each for each in gone if key_of(each) != key_of(kept))


def _already(each: Installation, wanted: Installation) -> Plan:
    facts = {"device": each.device, "place": each.place, "since": clock(each.start)}
    if each.place != wanted.place:
        raise NotPossibleError("installed-elsewhere", "device", **facts)
    if each.reversed != wanted.reversed:
        raise NotPossibleError("other-way-round", "reversed", **facts)
    return Plan(words=(f"{_named(each)} serves {each.place} since {clock(each.start)} already",))


def _chosen(town: Registry, device: str, at: datetime, channel: str | None) -> list[Installation]:
    found = [each for each in in_force(town, device, at) if channel in {None, each.channel}]
    if not found:
        raise NotPossibleError("not-installed", "device", nearest=nearest(device, town.installed), device=device)
    return found


def _one(town: Registry, device: str, at: datetime, channel: str | None) -> Installation:
    found = _chosen(town, device, at, channel)
    if len(found) > 1:
        places = ", ".join(f"{each.place} ({each.channel})" for each in found)
        raise NotPossibleError("several-installations", "channel", device=device, places=places)
    return found[0]


def _joined(town: Registry, wanted: Installation, *but: Installation) -> Installation:
    """What goes on where the same has just ended, or begins when the channel is free of what it served before."""
    for each in town.installations:
        if _channel(each) != _channel(wanted) or each in but or each.end is None or not each.serves_at(wanted.start):
            continue
        if (each.place, each.reversed, each.factor) == (wanted.place, wanted.reversed, wanted.factor):
            return replace(each, end=wanted.end)
        return replace(wanted, start=_after(town, wanted.place, each.end))
    return wanted


def _channel(each: Installation) -> tuple[str, str, str]:
    return each.device, each.channel, each.mode


def _require_place(town: Registry, place: str) -> None:
    spaces = {space.id for space in town.spaces}
    if place in town.counters or place in spaces:
        return
    zone = town.zones.get(place)
    if zone is None:
        known = (*town.counters, *spaces, *town.zones)
        raise NotPossibleError("unknown-place", "place", nearest=nearest(place, known), place=place)
    if zone.counting is not Counting.ENTRANCES:
        raise NotPossibleError("uncounted-zone", "place", place=place)


def _require_in_service(town: Registry, device: str) -> None:
    known = town.devices.get(device)
    if known is None:
        raise NotPossibleError("unknown-device", "device", nearest=nearest(device, town.devices), device=device)
    if known.retired is not None:
        raise NotPossibleError("retired", "device", device=device, since=clock(known.retired))


def _require_free(town: Registry, wanted: Installation) -> None:
    """A space is served by one channel at a time; at counters several add up."""
    if _counts_by_the_hour(town, wanted.place):
        return
    for each in town.installations_of(wanted.place, wanted.start, datetime.max.replace(tzinfo=UTC)):
        if _channel(each) != _channel(wanted):
            raise NotPossibleError(
                "served-already", "place", place=wanted.place, device=each.device, since=clock(each.start)
            )


def _taking_over(town: Registry, before: Device, new: Device) -> Device:
    """The new device as its predecessor's gateway is to read it."""
    address = parse_address(new.address)
    if address == before.address:
        raise NotPossibleError("same-device", "new", device=address)
    for each in town.installations:
        if each.device == address and each.end is None:
            raise NotPossibleError(
                "installed-elsewhere", "new", device=address, place=each.place, since=clock(each.start)
            )
    known = town.devices.get(address)
    if known is not None and known.gateway not in {None, before.gateway}:
        raise NotPossibleError("adopted-elsewhere", "new", device=address, gateway=str(known.gateway))
    if known is None and new.model == before.model:
        return replace(before, address=address, label=new.label)
    return replace(known or new, address=address, gateway=before.gateway, link=before.link, retired=None)
