"""What an outbox that has reached a limit lets go of, and what is told of it.

In come entries in order, a stretch of the outbox at a time; out come those that remain and a `Dropped`. Health goes
first, then flow intervals are merged into hours, then states go that newer ones supersede, and counts last. Pure. Must
never change what was handed to a broker: it may be stored under its own key.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct, structs

from edge import messages
from edge.entries import Entry
from edge.messages import (
    FLOWS_PER_MESSAGE,
    Dropped,
    Flag,
    Flow,
    FlowInterval,
    HealthReport,
    Limit,
    MessageError,
    Space,
    Trimmed,
)

Trimmable = Flow | Space | HealthReport
Queued = tuple[Entry, Trimmable]

MEGABYTE = 1_000_000
STAGES: Mapping[Limit, tuple[Trimmed, ...]] = {
    Limit.DAYS: (Trimmed.HEALTH, Trimmed.MERGED, Trimmed.SPACE),
    Limit.BYTES: tuple(Trimmed),
}
"""What goes for which reason, in order. Age alone loses no count: an hour of counts takes little room."""
_KINDS: Mapping[Trimmed, type[Trimmable]] = {
    Trimmed.HEALTH: HealthReport,
    Trimmed.MERGED: Flow,
    Trimmed.SPACE: Space,
    Trimmed.FLOW: Flow,
}
_AGAIN = frozenset({Trimmed.MERGED, Trimmed.SPACE})
"""What is found by comparing the entries of one stretch: where one gave way, the stretches after it reach further."""


class Limits(Struct, frozen=True, kw_only=True):
    """How much an outbox may hold."""

    days: int
    """Days on which the gateway ran."""
    bytes: int

    @property
    def enough(self) -> int:
        """Once there is too much, bytes that may stay: the next trimming is then some time away."""
        return self.bytes * 9 // 10


class Sweep(Struct, frozen=True, kw_only=True):
    """How far a trimming has come: it goes through the outbox once for each thing that may go, or more often."""

    why: Limit
    until: int
    """The last sequence number it looks at."""
    what: Trimmed = Trimmed.HEALTH
    behind: int = 0
    """Up to here it has looked."""
    changed: bool = False
    """Something gave way since it began at the first entry."""
    told: Dropped | None = None
    """What is told of it so far, under the number that it was given."""


class Relief(Struct, frozen=True):
    """What becomes of a stretch of the outbox."""

    kept: tuple[Entry, ...]
    """What remains of it, under the same sequence numbers."""
    told: Dropped | None = None
    """What gave way; None when nothing did. Without a number yet."""


def relieve(sweep: Sweep, stretch: Sequence[Entry], *, sent_until: int, excess: int) -> Relief:
    """What remains of a stretch when about `excess` bytes must go; entries up to `sent_until` may be stored already.

    Merging takes all that it finds, as it loses nothing; and what is too old goes, whatever its size.
    """
    kind = _KINDS[sweep.what]
    queued = [(entry, message) for entry in stretch if (message := _read(entry, kind)) and _moments(message)]
    match sweep.what:
        case Trimmed.MERGED:
            return _merge(sweep, stretch, [each for each in queued if each[0].seq > sent_until])
        case Trimmed.SPACE:
            going = _superseded(queued)
        case _:
            going = queued
    if sweep.why is Limit.BYTES:
        going = list(_oldest(going, excess))
    return _drop(sweep, stretch, going, sent_until) if going else Relief(tuple(stretch))


def onward(sweep: Sweep, stretch: Sequence[Entry], told: Dropped | None) -> Sweep | None:
    """The sweep after a stretch, of which `told` is told now; None when it is over."""
    if stretch:
        changed = sweep.changed or told != sweep.told
        return structs.replace(sweep, behind=stretch[-1].seq, changed=changed, told=told)
    if sweep.changed and sweep.what in _AGAIN:
        return structs.replace(sweep, behind=0, changed=False)
    stages = STAGES[sweep.why]
    further = stages[stages.index(sweep.what) + 1 :]
    return Sweep(why=sweep.why, until=sweep.until, what=further[0]) if further else None


def together(known: Dropped, new: Dropped) -> Dropped:
    """One account of both, under the number of the first."""
    return structs.replace(
        known,
        messages=known.messages + new.messages,
        in_=known.in_ + new.in_,
        out=known.out + new.out,
        start=min(known.start, new.start),
        end=max(known.end, new.end),
        perhaps_stored=known.perhaps_stored + new.perhaps_stored,
    )


def merged(intervals: Iterable[FlowInterval]) -> list[FlowInterval]:
    """The parts of each channel's UTC hour in one, which has the key of the first of them: no two share a key.

    Counts, coverage and flags of the hour are those of its parts.
    """
    hours: dict[tuple[str, str, str, datetime], list[FlowInterval]] = defaultdict(list)
    for each in intervals:
        hour = each.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        hours[each.device, each.channel, each.mode, hour].append(each)
    return [_one(sorted(parts, key=lambda part: (part.start, part.part))) for parts in hours.values()]


def _one(parts: Sequence[FlowInterval]) -> FlowInterval:
    first, *others = parts
    if not others:
        return first
    outs = [part.out for part in parts if part.out is not None]
    end = max(_end(part) for part in parts)
    seconds = int((end - first.start).total_seconds())
    return structs.replace(
        first,
        seconds=seconds,
        in_=sum(part.in_ for part in parts),
        out=sum(outs) if outs else None,
        covered_s=min(sum(part.covered_s for part in parts), messages.HOUR_S),
        flags=tuple(sorted({Flag.MERGED}.union(*(part.flags for part in parts)))),
    )


def _merge(sweep: Sweep, stretch: Sequence[Entry], queued: Sequence[Queued]) -> Relief:
    flows = [message for _, message in queued if isinstance(message, Flow)]
    parts = [part for flow in flows for part in flow.intervals]
    hours = merged(parts)
    if len(hours) == len(parts):
        return Relief(tuple(stretch))
    per_message = max(FLOWS_PER_MESSAGE, -(-len(hours) // len(flows)))
    fewer = {
        flow.seq: messages.encode(structs.replace(flow, intervals=tuple(hours[first : first + per_message])))
        for flow, first in zip(flows, range(0, len(hours), per_message), strict=False)
    }
    gone = {flow.seq for flow in flows} - fewer.keys()
    kept = (structs.replace(entry, body=fewer.get(entry.seq, entry.body)) for entry in stretch if entry.seq not in gone)
    start, end = _period(queued)
    told = Dropped(
        gateway=flows[0].gateway,
        epoch=flows[0].epoch,
        what=sweep.what,
        why=sweep.why,
        messages=len(flows),
        start=start,
        end=end,
    )
    return Relief(tuple(kept), told)


def _drop(sweep: Sweep, stretch: Sequence[Entry], gone: Sequence[Queued], sent_until: int) -> Relief:
    numbers = {entry.seq for entry, _ in gone}
    parts = [part for _, message in gone if isinstance(message, Flow) for part in message.intervals]
    start, end = _period(gone)
    told = Dropped(
        gateway=gone[0][1].gateway,
        epoch=gone[0][1].epoch,
        what=sweep.what,
        why=sweep.why,
        messages=len(gone),
        in_=sum(part.in_ for part in parts),
        out=sum(part.out or 0 for part in parts),
        start=start,
        end=end,
        perhaps_stored=sum(entry.seq <= sent_until for entry, _ in gone),
    )
    return Relief(tuple(entry for entry in stretch if entry.seq not in numbers), told)


def _oldest(queued: Iterable[Queued], excess: int) -> Iterator[Queued]:
    """The first of them, until they make up for the excess."""
    for each in queued:
        if excess <= 0:
            return
        excess -= len(each[0].body)
        yield each


def _superseded(queued: Sequence[Queued]) -> list[Queued]:
    """Those of which every state is followed by a newer one of the same space, oldest first."""
    newest: dict[tuple[str, str], datetime] = {}
    old = []
    for entry, message in reversed(queued):
        states = message.states if isinstance(message, Space) else ()
        told = {(state.device, state.channel): state.at for state in states}
        if all(space in newest and newest[space] >= at for space, at in told.items()):
            old.append((entry, message))
        newest |= {space: max(at, newest.get(space, at)) for space, at in told.items()}
    return old[::-1]


def _read(entry: Entry, kind: type[Trimmable]) -> Trimmable | None:
    """The message of an entry if it is of that kind; what cannot be read is not judged, and stays."""
    try:
        if messages.kind_of(entry.topic) is not kind:
            return None
        message = messages.decode(entry.topic, entry.body)
    except MessageError:
        return None
    return message if isinstance(message, Trimmable) else None


def _period(queued: Sequence[Queued]) -> tuple[datetime, datetime]:
    """The earliest and the latest moment that messages tell of."""
    moments = [moment for _, message in queued for moment in _moments(message)]
    return min(moments), max(moments)


def _moments(message: Trimmable) -> list[datetime]:
    match message:
        case Flow():
            return [moment for part in message.intervals for moment in (part.start, _end(part))]
        case Space():
            return [state.at for state in message.states]
        case HealthReport():
            return [message.health.at]


def _end(part: FlowInterval) -> datetime:
    return part.start + timedelta(seconds=part.seconds)
