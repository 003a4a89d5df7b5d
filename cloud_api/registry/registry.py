"""The registry's answers: what serves a place, which place a device serves, what belongs to a zone, what is closed.

It never changes once built, and statements that cannot all hold are refused when it is built (`ContradictionError`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from types import MappingProxyType
from typing import TypeVar

from cloud_api.registry.places import Closure, Counter, Counting, Device, Entry, Gateway, Installation, Space, Zone

Value = TypeVar("Value")


class ContradictionError(Exception):
    """Statements that cannot all hold: which table, which entry, which field, and why."""

    def __init__(self, table: str, index: int, field: str, reason: str) -> None:
        self.table = table
        self.index = index
        """0-based place of the entry in its table."""
        self.field = field
        self.reason = reason
        super().__init__(f"{table} {index + 1}, {field}: {reason}")


class Registry:
    """All places of a town, and what serves them. Built once, then only asked.

    Guards that every reference leads somewhere, that a space is served by one channel at a time and that a channel
    serves one place at a time.
    """

    def __init__(
        self,
        *,
        zones: Sequence[Zone] = (),
        spaces: Sequence[Space] = (),
        counters: Sequence[Counter] = (),
        installations: Sequence[Installation] = (),
        gateways: Sequence[Gateway] = (),
        devices: Sequence[Device] = (),
        closures: Sequence[Closure] = (),
    ) -> None:
        """Raises `ContradictionError`."""
        _refuse_repeated_ids(zones, spaces, counters)
        _refuse_repeats("gateway", "name", [gateway.name for gateway in gateways], taken=set())
        _refuse_repeats("device", "address", [device.address for device in devices], taken=set())
        _refuse_repeats("closure", "id", [closure.id for closure in closures], taken=set())
        _refuse_unclear_counting(zones)
        _refuse_dangling(zones, spaces, counters, installations)
        _refuse_dangling_closures(zones, spaces, closures)
        _refuse_dangling_devices(gateways, devices)
        _refuse_impossible_periods(installations)
        _refuse_impossible_closures(closures)
        _refuse_double_service(spaces, installations)
        self.zones: Mapping[str, Zone] = MappingProxyType({zone.id: zone for zone in zones})
        self.counters: Mapping[str, Counter] = MappingProxyType({counter.id: counter for counter in counters})
        self.gateways: Mapping[str, Gateway] = MappingProxyType({gateway.name: gateway for gateway in gateways})
        self.devices: Mapping[str, Device] = MappingProxyType({device.address: device for device in devices})
        self.installations: Sequence[Installation] = tuple(installations)
        self.closures: Sequence[Closure] = tuple(closures)
        self._spaces = _grouped(spaces, lambda space: space.zone)
        self._by_place = _grouped(installations, lambda installation: installation.place)
        self._by_device = _grouped(installations, lambda installation: installation.device)
        self._zone_of_place = {space.id: space.zone for space in spaces} | {zone.id: zone.id for zone in zones}

    @property
    def spaces(self) -> list[Space]:
        """All spaces, those of a zone together."""
        return [space for zone in self.zones for space in self.spaces_of(zone)]

    @property
    def entries(self) -> list[Entry]:
        """Everything that it was built from: what is named by others before those who name it."""
        return [
            *self.zones.values(),
            *self.spaces,
            *self.counters.values(),
            *self.gateways.values(),
            *self.devices.values(),
            *self.installations,
            *self.closures,
        ]

    @property
    def installed(self) -> frozenset[str]:
        """The devices that ever served a place."""
        return frozenset(self._by_device)

    def closures_at(self, instant: datetime) -> Mapping[str, Closure]:
        """Every zone and space that is closed at an instant, with the closure that lasts longest.

        The spaces of a closed zone are closed with it; a zone whose every space is closed by itself is not named.
        """
        closed: dict[str, Closure] = {}
        for closure in (each for each in self.closures if each.in_force_at(instant)):
            for place in (closure.place, *(space.id for space in self.spaces_of(closure.place))):
                closed[place] = max(closed.get(place, closure), closure, key=_lasts_until)
        return closed

    def spaces_of(self, zone: str) -> Sequence[Space]:
        """The spaces of a zone, in the order of the file."""
        return self._spaces.get(zone, ())

    def installations_of(self, place: str, start: datetime, end: datetime) -> list[Installation]:
        """What served a counter or space at any time in `start` <= t < `end`, oldest first."""
        serving = (each for each in self._by_place.get(place, ()) if each.overlaps(start, end))
        return sorted(serving, key=lambda each: each.start)

    def serving(self, place: str, instant: datetime) -> list[Installation]:
        """What serves a place at an instant; a counter may be served by several channels, which add up."""
        return [each for each in self._by_place.get(place, ()) if each.serves_at(instant)]

    def place_of(self, device: str, channel: str, instant: datetime, mode: str = "") -> str | None:
        """The place that a channel serves at an instant."""
        for each in self._by_device.get(device, ()):
            if (each.channel, each.mode) == (channel, mode) and each.serves_at(instant):
                return each.place
        return None

    def zones_of(self, device: str) -> set[str]:
        """The zones that a device ever served."""
        places = (each.place for each in self._by_device.get(device, ()))
        return {self._zone_of_place[place] for place in places if place in self._zone_of_place}

    def knows(self, device: str) -> bool:
        """Whether a device ever served a place."""
        return device in self._by_device


def _lasts_until(closure: Closure) -> datetime:
    return closure.end or datetime.max.replace(tzinfo=UTC)


def _grouped(values: Iterable[Value], key: Callable[[Value], str]) -> Mapping[str, Sequence[Value]]:
    groups: dict[str, list[Value]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return MappingProxyType({name: tuple(group) for name, group in groups.items()})


def _refuse_repeated_ids(zones: Sequence[Zone], spaces: Sequence[Space], counters: Sequence[Counter]) -> None:
    _refuse_repeats("zone", "id", [zone.id for zone in zones], taken=set())
    places = {zone.id for zone in zones}
    _refuse_repeats("space", "id", [space.id for space in spaces], taken=places)
    places |= {space.id for space in spaces}
    _refuse_repeats("counter", "id", [counter.id for counter in counters], taken=places)


def _refuse_repeats(table: str, field: str, names: Iterable[str], taken: set[str]) -> None:
    seen = set(taken)
    for index, name in enumerate(names):
        if name in seen:
            raise ContradictionError(table, index, field, f"{name!r} is taken already; a name of its own expected")
        seen.add(name)


def _refuse_unclear_counting(zones: Sequence[Zone]) -> None:
    for index, zone in enumerate(zones):
        if zone.counting is Counting.FEED and zone.feed is None:
            raise ContradictionError("zone", index, "feed", "missing; counting by feed expects its name and id")
        if zone.counting is not Counting.FEED and zone.feed is not None:
            reason = f"given, yet counting is {zone.counting.value!r}; counting 'feed' expected"
            raise ContradictionError("zone", index, "counting", reason)


def _refuse_dangling(
    zones: Sequence[Zone], spaces: Sequence[Space], counters: Sequence[Counter], installations: Sequence[Installation]
) -> None:
    known_zones = {zone.id for zone in zones}
    for index, space in enumerate(spaces):
        if space.zone not in known_zones:
            raise ContradictionError("space", index, "zone", f"no zone {space.zone!r}; the id of a [[zone]] expected")
    entered = {zone.id for zone in zones if zone.counting is Counting.ENTRANCES}
    served = {space.id for space in spaces} | {counter.id for counter in counters} | entered
    for index, each in enumerate(installations):
        if each.place not in served:
            what = "a zone that is not counted at its entrances" if each.place in known_zones else "no place"
            reason = f"{what} {each.place!r}; the id of a [[counter]] or [[space]] expected"
            raise ContradictionError("installation", index, "place", reason)


def _refuse_dangling_closures(zones: Sequence[Zone], spaces: Sequence[Space], closures: Sequence[Closure]) -> None:
    closable = {zone.id for zone in zones} | {space.id for space in spaces}
    for index, each in enumerate(closures):
        if each.place not in closable:
            reason = f"no place {each.place!r}; the id of a zone or space expected"
            raise ContradictionError("closure", index, "place", reason)


def _refuse_dangling_devices(gateways: Sequence[Gateway], devices: Sequence[Device]) -> None:
    known = {gateway.name for gateway in gateways}
    for index, each in enumerate(devices):
        if each.gateway is not None and each.gateway not in known:
            reason = f"no gateway {each.gateway!r}; the name of a gateway expected"
            raise ContradictionError("device", index, "gateway", reason)


def _refuse_impossible_closures(closures: Sequence[Closure]) -> None:
    for index, each in enumerate(closures):
        if each.end is not None and each.end < each.start:
            raise ContradictionError("closure", index, "to", f"{each.end}; a time not before `from` expected")


def _refuse_impossible_periods(installations: Sequence[Installation]) -> None:
    for index, each in enumerate(installations):
        if not _on_the_hour(each.start):
            raise ContradictionError("installation", index, "from", f"{each.start}; a full hour expected")
        if each.end is not None and not _on_the_hour(each.end):
            raise ContradictionError("installation", index, "to", f"{each.end}; a full hour expected")
        if each.end is not None and each.end <= each.start:
            raise ContradictionError("installation", index, "to", f"{each.end}; a time after `from` expected")


def _on_the_hour(instant: datetime) -> bool:
    return instant.timestamp() % 3600 == 0


def _refuse_double_service(spaces: Sequence[Space], installations: Sequence[Installation]) -> None:
    numbered = sorted(enumerate(installations), key=lambda pair: pair[1].start)
    space_ids = {space.id for space in spaces}
    of_space = [(index, each) for index, each in numbered if each.place in space_ids]
    _refuse_overlap(of_space, lambda each: each.place, "place", "is served by another device in the same period")
    _refuse_overlap(numbered, _channel, "channel", "serves another place in the same period")


def _channel(installation: Installation) -> str:
    return f"{installation.device} {installation.channel} {installation.mode}".rstrip()


def _refuse_overlap(
    numbered: Sequence[tuple[int, Installation]], key: Callable[[Installation], str], field: str, reason: str
) -> None:
    groups = _grouped(numbered, lambda pair: key(pair[1]))
    for name, group in groups.items():
        for (_, earlier), (index, later) in pairwise(group):
            if earlier.end is None or later.start < earlier.end:
                raise ContradictionError("installation", index, field, f"{name!r} {reason}")
