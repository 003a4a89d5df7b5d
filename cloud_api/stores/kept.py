"""What retention leaves of flow parts: a sum for each hour and outbox, and the keys of what is in it. Pure.

In come parts, out come sums that add up to the same hours. A key stays when its part goes: a part that comes again,
however late, is recognised by it and counted once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from cloud_api.stores.base import HOUR_S, Channel, Hour, StoredFlow, StoredSpace, from_seconds, to_seconds
from edge.messages import Flag, FlowInterval

PARTS_A_SECOND: Final = 1_000_000
"""More than one interval can have: a key is the second within the hour at which it starts, times this, plus `part`."""
SETTLED: Final = timedelta(hours=6)
"""What is committed so long after an hour's end is summed by itself, for reports as of a date in between."""

Key = int
_Name = tuple[str, str, Channel, datetime, Key]
"""Gateway, epoch, channel, hour and key: what no two parts share."""


class CommittedFlow(Struct, frozen=True):
    """A part, and when a store committed it first."""

    fact: StoredFlow
    at: datetime


class CommittedSpace(Struct, frozen=True):
    """A state of a space, and when a store committed it first."""

    fact: StoredSpace
    at: datetime


class Kept(Struct, frozen=True, kw_only=True):
    """The sum of parts of one channel, outbox and hour, that are kept no longer by themselves.

    (gateway, epoch, channel, start, first) is its key, where `first` is the least of its `keys`.
    """

    gateway: str
    epoch: str
    channel: Channel
    start: datetime
    """UTC, on the hour."""
    in_: int
    out: int | None
    """None where every part counts one direction only."""
    covered_s: int
    flags: frozenset[Flag]
    keys: frozenset[Key]
    committed: datetime
    """When the last of its parts was committed."""

    @property
    def first(self) -> Key:
        """What tells it apart from others of its hour and outbox: no two share a key."""
        return min(self.keys)


def channel_of(interval: FlowInterval) -> Channel:
    """What history of an interval is stored under."""
    return Channel(interval.device, interval.channel, interval.mode)


def hour_of(at: datetime) -> datetime:
    """The UTC hour in which an instant is."""
    return from_seconds(to_seconds(at) // HOUR_S * HOUR_S)


def key_of(interval: FlowInterval) -> Key:
    """What names a part within its channel, outbox and hour."""
    return to_seconds(interval.start) % HOUR_S * PARTS_A_SECOND + interval.part


def fold(parts: Iterable[CommittedFlow]) -> list[Kept]:
    """Parts with distinct keys, summed; those that came late by themselves, by when they came."""
    groups: dict[tuple[str, str, Channel, datetime, datetime | None], list[CommittedFlow]] = defaultdict(list)
    for part in parts:
        hour = hour_of(part.fact.interval.start)
        came_late = part.at if part.at > hour + timedelta(seconds=HOUR_S) + SETTLED else None
        groups[part.fact.gateway, part.fact.epoch, channel_of(part.fact.interval), hour, came_late].append(part)
    return [_sum(gateway, epoch, channel, hour, some) for (gateway, epoch, channel, hour, _), some in groups.items()]


def _sum(gateway: str, epoch: str, channel: Channel, hour: datetime, parts: list[CommittedFlow]) -> Kept:
    intervals = [part.fact.interval for part in parts]
    outs = [each.out for each in intervals if each.out is not None]
    return Kept(
        gateway=gateway,
        epoch=epoch,
        channel=channel,
        start=hour,
        in_=sum(each.in_ for each in intervals),
        out=sum(outs) if outs else None,
        covered_s=sum(each.covered_s for each in intervals),
        flags=frozenset(flag for each in intervals for flag in each.flags),
        keys=frozenset(map(key_of, intervals)),
        committed=max(part.at for part in parts),
    )


def new_parts(parts: Iterable[CommittedFlow], kept: Iterable[Kept]) -> list[CommittedFlow]:
    """The parts that are in no sum yet, each key once: as it was committed first."""
    known: dict[tuple[str, str, Channel, datetime], set[Key]] = defaultdict(set)
    for each in kept:
        known[each.gateway, each.epoch, each.channel, each.start] |= each.keys
    fresh = []
    for part in sorted(parts, key=lambda part: part.at):
        interval, key = part.fact.interval, key_of(part.fact.interval)
        there = known[part.fact.gateway, part.fact.epoch, channel_of(interval), hour_of(interval.start)]
        if key not in there:
            there.add(key)
            fresh.append(part)
    return fresh


def without_parts(kept: Iterable[Kept], parts: Iterable[CommittedFlow]) -> list[Kept]:
    """The sums that tell of more than these parts."""
    known = {_name_of(part) for part in parts}
    return [each for each in kept if not known.issuperset(_names_of(each))]


def first_told(parts: Iterable[CommittedFlow], kept: Iterable[Kept]) -> list[CommittedFlow]:
    """The same parts, none committed later than a sum that it is in."""
    latest: dict[_Name, datetime] = {}
    for each in kept:
        latest.update(dict.fromkeys(_names_of(each), each.committed))
    return [CommittedFlow(part.fact, min(part.at, latest.get(_name_of(part), part.at))) for part in parts]


def _name_of(part: CommittedFlow) -> _Name:
    interval = part.fact.interval
    hour = hour_of(interval.start)
    return part.fact.gateway, part.fact.epoch, channel_of(interval), hour, key_of(interval)


def _names_of(kept: Kept) -> Iterator[_Name]:
    return ((kept.gateway, kept.epoch, kept.channel, kept.start, key) for key in kept.keys)


def hours_of(kept: Collection[Kept], parts: Iterable[CommittedFlow], as_of: datetime | None = None) -> Iterator[Hour]:
    """Hours from sums and from parts that may be in them already; as of an instant, from what had come by then.

    Exactly so wherever all parts of a sum are there.
    """
    told = first_told(parts, kept)
    alone = without_parts(kept, told)
    sums = [*alone, *fold(part for part in new_parts(told, alone) if as_of is None or part.at <= as_of)]
    together: dict[tuple[Channel, datetime], list[Kept]] = defaultdict(list)
    for each in sums:
        if as_of is None or each.committed <= as_of:
            together[each.channel, each.start].append(each)
    for (channel, start), some in together.items():
        outs = [each.out for each in some if each.out is not None]
        yield Hour(
            channel=channel,
            start=start,
            in_=sum(each.in_ for each in some),
            out=sum(outs) if outs else None,
            covered_s=min(HOUR_S, sum(each.covered_s for each in some)),
            flags=frozenset(flag for each in some for flag in each.flags),
            parts=sum(len(each.keys) for each in some),
        )


def keys_text(keys: Iterable[Key]) -> str:
    """Keys as a store writes them: ` 0 300 300.1 `, seconds with the part where it is not 0, a space around each."""
    return f" {' '.join(map(_key_text, sorted(keys)))} "


def _key_text(key: Key) -> str:
    second, part = divmod(key, PARTS_A_SECOND)
    return f"{second}.{part}" if part else str(second)


def keys_of(text: str) -> frozenset[Key]:
    """Keys from what a store has written."""
    return frozenset(_key(word) for word in text.split())


def _key(word: str) -> Key:
    second, _, part = word.partition(".")
    return int(second) * PARTS_A_SECOND + int(part or 0)
