"""The registry's answers: what serves a place, which place a device serves, what belongs to a zone, what is closed.

It never changes once built, and statements that cannot all hold are refused when it is built (`ContradictionError`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TypeVar

from cloud_api.registry.contradictions import Tables, contradictions
from cloud_api.registry.geometry import Position
from cloud_api.registry.places import Closure, Counter, Device, Entry, Gateway, Installation, Space, Zone

Value = TypeVar("Value")


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
        town = Tables(
            zones=zones,
            spaces=spaces,
            counters=counters,
            installations=installations,
            gateways=gateways,
            devices=devices,
            closures=closures,
        )
        for contradiction in contradictions(town):
            raise contradiction
        self.zones: Mapping[str, Zone] = MappingProxyType({zone.id: zone for zone in zones})
        self.counters: Mapping[str, Counter] = MappingProxyType({counter.id: counter for counter in counters})
        self.gateways: Mapping[str, Gateway] = MappingProxyType({gateway.name: gateway for gateway in gateways})
        self.devices: Mapping[str, Device] = MappingProxyType({device.address: device for device in devices})
        self.installations: Sequence[Installation] = tuple(installations)
        self.closures: Sequence[Closure] = tuple(closures)
        self._closed: tuple[datetime | None, Mapping[str, Closure]] = (None, {})
        """What was asked last: all zones are looked at at one instant."""
        self._spaces = _grouped(spaces, lambda space: space.zone)
        self._by_place = _grouped(installations, lambda installation: installation.place)
        self._by_device = _grouped(installations, lambda installation: installation.device)
        self._zone_of_place = {space.id: space.zone for space in spaces} | {zone.id: zone.id for zone in zones}

    @property
    def spaces(self) -> list[Space]:
        """All spaces, those of a zone together."""
        return [space for zone in self.zones for space in self.spaces_of(zone)]

    def name_of(self, place: str) -> str:
        """What people call a counter, a space or a zone; its id where it is gone."""
        zone = self._zone_of_place.get(place, place)
        known = self.counters.get(place) or self.zones.get(zone)
        if known is None:
            return place
        return known.name if known.id == place else f"{known.name}, {place}"

    def position_of(self, place: str) -> Position | None:
        """Where a counter, a space or a zone is; a space without a position of its own is where its zone is."""
        zone = self._zone_of_place.get(place, place)
        own = next((space.position for space in self.spaces_of(zone) if space.id == place), None)
        known = self.counters.get(place) or self.zones.get(zone)
        return own or (known.position if known else None)

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
        at, known = self._closed
        if at == instant:
            return known
        closed: dict[str, Closure] = {}
        for closure in (each for each in self.closures if each.in_force_at(instant)):
            for place in (closure.place, *(space.id for space in self.spaces_of(closure.place))):
                closed[place] = max(closed.get(place, closure), closure, key=_lasts_until)
        self._closed = instant, MappingProxyType(closed)
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

    def zones_of(self, device: str) -> set[str]:
        """The zones that a device ever served."""
        places = (each.place for each in self._by_device.get(device, ()))
        return {self._zone_of_place[place] for place in places if place in self._zone_of_place}

    def knows(self, device: str) -> bool:
        """Whether a device is adopted, or ever served a place."""
        return device in self.devices or device in self._by_device


def _lasts_until(closure: Closure) -> datetime:
    return closure.end or datetime.max.replace(tzinfo=UTC)


def _grouped(values: Iterable[Value], key: Callable[[Value], str]) -> Mapping[str, Sequence[Value]]:
    groups: dict[str, list[Value]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return MappingProxyType({name: tuple(group) for name, group in groups.items()})
