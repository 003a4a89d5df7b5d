"""Brings all of one store into another, piece by piece: a channel or a space, one calendar month.

A piece that is there with the same sums is left alone, so a copy that was cut off goes on where it was, and one that is
run again brings what came since. Each piece is held against its source before the next. No more than one piece is in
memory.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import Struct

from cloud_api.stores.base import EARLIEST, LATEST, Channel, Hour, StoreError
from cloud_api.stores.kept import CommittedFlow, Kept, fold, new_parts
from cloud_api.stores.lasting import FlowSpan, LastingStore, SpaceSpan

Progress = Callable[[str, int, int], None]
"""Told of what is under way, how many pieces are done, and how many there are."""
CHANNELS, SPACES = "channels", "spaces"


class Copied(Struct, frozen=True, kw_only=True):
    """What a copy brought over, and what was there before."""

    parts: int = 0
    sums: int = 0
    """Hourly sums of parts that went before."""
    states: int = 0
    corrections: int = 0
    pieces: int = 0
    """Months of a channel or space."""
    there: int = 0
    """Pieces of these that were there already, with the same sums."""

    def __add__(self, other: "Copied") -> "Copied":
        return Copied(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


def copy_store(source: LastingStore, target: LastingStore, progress: Progress) -> Copied:
    """Copy everything, and verify it. Raises `StoreError`: at a piece that differs afterwards, or a store that is away.

    Commit times go along, keys of parts that went too.
    """
    known = source.every_correction()
    target.correct(known)
    horizon = source.horizon()
    if horizon is not None:
        target.keep([], horizon)
    forgotten = source.forgotten()
    if forgotten is not None:
        target.forget(forgotten, now=LATEST)
    copied = Copied(corrections=len(known))
    flows, spaces = source.flow_spans(), source.space_spans()
    for done, flow in enumerate(flows, start=1):
        for start, end in months(flow.first, flow.last):
            copied += _copy_flows(source, target, flow, start, end)
        progress(CHANNELS, done, len(flows))
    for done, space in enumerate(spaces, start=1):
        for start, end in months(space.first, space.last):
            copied += _copy_states(source, target, space, start, end)
        progress(SPACES, done, len(spaces))
    return copied


def months(first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The calendar months, UTC, that two instants and all between them are in."""
    start = max(first, EARLIEST).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while start <= last < LATEST:
        year, month = divmod(start.year * 12 + start.month, 12)
        end = start.replace(year=year, month=month + 1)
        yield start, end
        start = end


def _copy_flows(source: LastingStore, target: LastingStore, span: FlowSpan, start: datetime, end: datetime) -> Copied:
    channel = span.channel
    wanted = source.hours([channel], start, end)
    if not wanted:
        return Copied()
    if target.hours([channel], start, end) == wanted:
        return Copied(pieces=1, there=1)
    sums, parts = source.kept(channel, start, end), source.parts(channel, start, end)
    horizon = source.horizon()
    if sums and horizon is not None:
        target.keep(sums, horizon)
    target.take_over(parts)
    _verify(target, channel, wanted, sums, parts)
    return Copied(pieces=1, parts=len(parts), sums=len(sums))


def _verify(
    target: LastingStore, channel: Channel, wanted: list[Hour], sums: list[Kept], parts: list[CommittedFlow]
) -> None:
    """Sums are equal, or the target has more: all keys, those of the source among them."""
    start, end = wanted[0].start.replace(day=1, hour=0), _month_end(wanted[-1].start)
    found = target.hours([channel], start, end)
    if found == wanted:
        return
    there = [*target.kept(channel, start, end), *fold(target.parts(channel, start, end))]
    keys = {(each.gateway, each.epoch, each.start, key) for each in there for key in each.keys}
    missing = len(new_parts(parts, there)) + sum(
        (each.gateway, each.epoch, each.start, key) not in keys for each in sums for key in each.keys
    )
    if missing:
        raise StoreError(
            f"{channel.device} {channel.name} {channel.mode} in {start:%Y-%m}: {missing} parts are missing after the "
            f"copy: in {_total(wanted)} where it came from, in {_total(found)} where it went; run it again"
        )


def _month_end(at: datetime) -> datetime:
    return next(months(at, at))[1]


def _total(hours: list[Hour]) -> int:
    return sum(hour.in_ for hour in hours)


def _copy_states(source: LastingStore, target: LastingStore, span: SpaceSpan, start: datetime, end: datetime) -> Copied:
    wanted = source.states(span.device, span.channel, start, end)
    if not wanted:
        return Copied()
    facts = [each.fact for each in wanted]
    if [each.fact for each in target.states(span.device, span.channel, start, end)] == facts:
        return Copied(pieces=1, there=1)
    target.take_over(wanted)
    there = {each.fact.state.at for each in target.states(span.device, span.channel, start, end)}
    missing = sum(fact.state.at not in there for fact in facts)
    if missing:
        raise StoreError(
            f"{span.device} {span.channel} in {start:%Y-%m}: {missing} states of {len(facts)} are missing after the "
            "copy; run it again"
        )
    return Copied(pieces=1, states=len(wanted))
