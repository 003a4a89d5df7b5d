"""What cannot all hold among a town's statements: dangling references, names taken twice, double service. Pure.

In come the tables of a town, out come all contradictions, each with the entry and the field that is to blame.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from msgspec import Struct

from cloud_api.registry.places import Closure, Counter, Counting, Device, Entry, Gateway, Installation, Space, Zone


class ContradictionError(Exception):
    """Statements that cannot all hold: which table, which entry, which field, and why."""

    def __init__(self, table: str, index: int, field: str, reason: str) -> None:
        self.table = table
        self.index = index
        """0-based place of the entry in its table."""
        self.field = field
        self.reason = reason
        super().__init__(f"{table} {index + 1}, {field}: {reason}")


class Tables(Struct, frozen=True, kw_only=True):
    """All that is said of a town, by kind and in order."""

    zones: Sequence[Zone] = ()
    spaces: Sequence[Space] = ()
    counters: Sequence[Counter] = ()
    installations: Sequence[Installation] = ()
    gateways: Sequence[Gateway] = ()
    devices: Sequence[Device] = ()
    closures: Sequence[Closure] = ()


def tables_of(entries: Iterable[Entry]) -> Tables:
    """Entries by kind, each kind in the order in which they come."""
    known = list(entries)
    return Tables(
        zones=[each for each in known if isinstance(each, Zone)],
        spaces=[each for each in known if isinstance(each, Space)],
        counters=[each for each in known if isinstance(each, Counter)],
        installations=[each for each in known if isinstance(each, Installation)],
        gateways=[each for each in known if isinstance(each, Gateway)],
        devices=[each for each in known if isinstance(each, Device)],
        closures=[each for each in known if isinstance(each, Closure)],
    )


def contradictions(town: Tables) -> Iterator[ContradictionError]:
    """All contradictions in a town, those between its names first."""
    yield from _repeated_places(town)
    yield from _repeats("gateway", "name", [gateway.name for gateway in town.gateways])
    yield from _repeats("device", "address", [device.address for device in town.devices])
    yield from _repeats("closure", "id", [closure.id for closure in town.closures])
    yield from _unclear_counting(town.zones)
    yield from _dangling_places(town)
    yield from _dangling_closures(town)
    yield from _dangling_devices(town)
    yield from _impossible_periods(town)
    yield from _impossible_closures(town.closures)
    yield from _double_service(town)


def _repeated_places(town: Tables) -> Iterator[ContradictionError]:
    zones, spaces = [zone.id for zone in town.zones], [space.id for space in town.spaces]
    yield from _repeats("zone", "id", zones)
    yield from _repeats("space", "id", spaces, taken=zones)
    yield from _repeats("counter", "id", [counter.id for counter in town.counters], taken=[*zones, *spaces])


def _repeats(table: str, field: str, names: Iterable[str], taken: Iterable[str] = ()) -> Iterator[ContradictionError]:
    seen = set(taken)
    for index, name in enumerate(names):
        if name in seen:
            yield ContradictionError(table, index, field, f"{name!r} is taken already; a name of its own expected")
        seen.add(name)


def _unclear_counting(zones: Sequence[Zone]) -> Iterator[ContradictionError]:
    for index, zone in enumerate(zones):
        if zone.counting is Counting.FEED and zone.feed is None:
            yield ContradictionError("zone", index, "feed", "missing; counting by feed expects its name and id")
        if zone.counting is not Counting.FEED and zone.feed is not None:
            reason = f"given, yet counting is {zone.counting.value!r}; counting 'feed' expected"
            yield ContradictionError("zone", index, "counting", reason)


def _dangling_places(town: Tables) -> Iterator[ContradictionError]:
    known_zones = {zone.id for zone in town.zones}
    for index, space in enumerate(town.spaces):
        if space.zone not in known_zones:
            yield ContradictionError("space", index, "zone", f"no zone {space.zone!r}; the id of a [[zone]] expected")
    entered = {zone.id for zone in town.zones if zone.counting is Counting.ENTRANCES}
    served = {space.id for space in town.spaces} | {counter.id for counter in town.counters} | entered
    for index, each in enumerate(town.installations):
        if each.place not in served:
            what = "a zone that is not counted at its entrances" if each.place in known_zones else "no place"
            reason = f"{what} {each.place!r}; the id of a [[counter]] or [[space]] expected"
            yield ContradictionError("installation", index, "place", reason)


def _dangling_closures(town: Tables) -> Iterator[ContradictionError]:
    closable = {zone.id for zone in town.zones} | {space.id for space in town.spaces}
    for index, each in enumerate(town.closures):
        if each.place not in closable:
            reason = f"no place {each.place!r}; the id of a zone or space expected"
            yield ContradictionError("closure", index, "place", reason)


def _dangling_devices(town: Tables) -> Iterator[ContradictionError]:
    known = {gateway.name for gateway in town.gateways}
    for index, each in enumerate(town.devices):
        if each.gateway is not None and each.gateway not in known:
            reason = f"no gateway {each.gateway!r}; the name of a gateway expected"
            yield ContradictionError("device", index, "gateway", reason)
        if each.gateway is not None and each.retired is not None:
            reason = f"{each.gateway!r} of a device that is retired; none expected"
            yield ContradictionError("device", index, "gateway", reason)


def _impossible_closures(closures: Sequence[Closure]) -> Iterator[ContradictionError]:
    for index, each in enumerate(closures):
        if each.end is not None and each.end < each.start:
            yield ContradictionError("closure", index, "to", f"{each.end}; a time not before `from` expected")


def _impossible_periods(town: Tables) -> Iterator[ContradictionError]:
    spaces = {space.id for space in town.spaces}
    for index, each in enumerate(town.installations):
        step_s, expected = (60, "a full minute") if each.place in spaces else (3600, "a full hour")
        for field, instant in (("from", each.start), ("to", each.end)):
            if instant is not None and instant.timestamp() % step_s:
                yield ContradictionError("installation", index, field, f"{instant}; {expected} expected")
        if each.end is not None and each.end <= each.start:
            yield ContradictionError("installation", index, "to", f"{each.end}; a time after `from` expected")


Numbered = tuple[int, Installation]


def _double_service(town: Tables) -> Iterator[ContradictionError]:
    numbered = list(enumerate(town.installations))
    space_ids = {space.id for space in town.spaces}
    of_space = [(index, each) for index, each in numbered if each.place in space_ids]
    yield from _overlaps(of_space, _place, "place", "is served by another device in the same period")
    yield from _overlaps(numbered, _channel, "channel", "serves another place in the same period")


def _place(numbered: Numbered) -> str:
    return numbered[1].place


def _channel(numbered: Numbered) -> str:
    _, installation = numbered
    return f"{installation.device} {installation.channel} {installation.mode}".rstrip()


def _overlaps(
    numbered: Iterable[Numbered], name_of: Callable[[Numbered], str], field: str, reason: str
) -> Iterator[ContradictionError]:
    in_order = sorted(numbered, key=lambda pair: (name_of(pair), pair[1].start))
    for name, group in groupby(in_order, key=name_of):
        for (_, earlier), (index, later) in pairwise(group):
            if earlier.end is None or later.start < earlier.end:
                yield ContradictionError("installation", index, field, f"{name!r} {reason}")
