"""The registry's answers: what serves a place, which place a device serves, what belongs to a zone.

It never changes once built, and statements that cannot all hold are refused when it is built (`ContradictionError`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import TypeVar

from cloud_api.registry.places import Counter, Gateway, Installation, Space, Zone

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
    ) -> None:
        """Raises `ContradictionError`."""
        _refuse_repeated_ids(zones, spaces, counters, gateways)
        _refuse_dangling(zones, spaces, counters, installations)
        _refuse_impossible_periods(installations)
        _refuse_double_service(spaces, installations)
        self.zones: Mapping[str, Zone] = MappingProxyType({zone.id: zone for zone in zones})
        self.counters: Mapping[str, Counter] = MappingProxyType({counter.id: counter for counter in counters})
        self.gateways: Mapping[str, Gateway] = MappingProxyType({gateway.name: gateway for gateway in gateways})
        self._spaces = _grouped(spaces, lambda space: space.zone)
        self._by_place = _grouped(installations, lambda installation: installation.place)
        self._by_device = _grouped(installations, lambda installation: installation.device)
        self._zone_of_space = {space.id: space.zone for space in spaces}

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
        return {self._zone_of_space[place] for place in places if place in self._zone_of_space}

    def knows(self, device: str) -> bool:
        """Whether a device ever served a place."""
        return device in self._by_device


def _grouped(values: Iterable[Value], key: Callable[[Value], str]) -> Mapping[str, Sequence[Value]]:
    groups: dict[str, list[Value]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return MappingProxyType({name: tuple(group) for name, group in groups.items()})


def _refuse_repeated_ids(
    zones: Sequence[Zone], spaces: Sequence[Space], counters: Sequence[Counter], gateways: Sequence[Gateway]
) -> None:
    _refuse_repeats("zone", "id", [zone.id for zone in zones], taken=set())
    places = {zone.id for zone in zones}
    _refuse_repeats("space", "id", [space.id for space in spaces], taken=places)
    places |= {space.id for space in spaces}
    _refuse_repeats("counter", "id", [counter.id for counter in counters], taken=places)
    _refuse_repeats("gateway", "name", [gateway.name for gateway in gateways], taken=set())


def _refuse_repeats(table: str, field: str, names: Iterable[str], taken: set[str]) -> None:
    seen = set(taken)
    for index, name in enumerate(names):
        if name in seen:
            raise ContradictionError(table, index, field, f"{name!r} is taken already; a name of its own expected")
        seen.add(name)


def _refuse_dangling(
    zones: Sequence[Zone], spaces: Sequence[Space], counters: Sequence[Counter], installations: Sequence[Installation]
) -> None:
    known_zones = {zone.id for zone in zones}
    for index, space in enumerate(spaces):
        if space.zone not in known_zones:
            raise ContradictionError("space", index, "zone", f"no zone {space.zone!r}; the id of a [[zone]] expected")
    served = {space.id for space in spaces} | {counter.id for counter in counters}
    for index, each in enumerate(installations):
        if each.place not in served:
            reason = f"no place {each.place!r}; the id of a [[counter]] or [[space]] expected"
            raise ContradictionError("installation", index, "place", reason)


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
