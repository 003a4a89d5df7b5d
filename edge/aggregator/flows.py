"""One channel's counts become interval parts: spread over time, merged, closed, numbered.

In come counts over spans of time (UTC, whole seconds); out go `FlowInterval`s, each published once and never changed.
What reaches an interval after it was closed becomes a further part of it. Nothing is ever subtracted.
"""

from datetime import UTC, datetime

from msgspec import Struct, field, structs

from edge.aggregator.spans import split
from edge.messages import Flag, FlowInterval, TimeSource

LATE_REMEMBERED = 2000
"""Closed intervals whose next part number is remembered one by one; older ones share a greater number."""
FIRST_LATE_PART = 1


class Open(Struct, frozen=True, array_like=True):
    """What is known so far of an interval that is not closed, or came after it was."""

    in_: int
    out: int | None
    covered_s: int
    flags: tuple[Flag, ...]
    source: TimeSource


class LastTotal(Struct, frozen=True, array_like=True):
    """The sensor's own counter as last believed; a direction of which none was heard yet is None."""

    in_: int | None
    out: int | None
    at_s: int


class ChannelState(Struct, frozen=True, array_like=True):
    """All that is remembered of one channel between frames: the checkpoint. A value; functions return a new one."""

    total: LastTotal | None = None
    measured_until_s: int | None = None
    """Up to when passages are accounted for."""
    gaps: tuple[tuple[int, int], ...] = ()
    """Times before that which nobody reported, for devices without totals: history frames may still fill them."""
    open: dict[int, Open] = field(default_factory=dict)
    """By start of interval."""
    closed_until_s: int = 0
    """Every interval that starts before has had its part 0, or was never measured."""
    late_parts: dict[int, int] = field(default_factory=dict)
    """Next part number of closed intervals that had late parts."""
    late_floor: int = FIRST_LATE_PART
    """Next part number of closed intervals that `late_parts` does not list."""
    seconds: int | None = None
    """Length of what is open; None before the first, and in checkpoints from before this was kept."""


class Span(Struct, frozen=True):
    """Passages counted in [start_s, end_s), UTC seconds."""

    start_s: int
    end_s: int
    in_: int
    out: int | None
    source: TimeSource
    flags: tuple[Flag, ...] = ()
    covers: bool = True
    """Whether the time itself was measured by this (a single passage measures no time)."""


def add(state: ChannelState, span: Span, seconds: int) -> ChannelState:
    """The state with the span's passages placed in intervals of `seconds`; several intervals are flagged so."""
    counts = (span.in_,) if span.out is None else (span.in_, span.out)
    pieces = list(split(span.start_s, span.end_s, counts, seconds))
    flags = _flags_of(span, len(pieces))
    opened = dict(state.open)
    for start, covered, parts in pieces:
        piece = Open(
            in_=parts[0],
            out=parts[1] if len(parts) > 1 else None,
            covered_s=covered if span.covers else 0,
            flags=flags,
            source=span.source,
        )
        opened[start] = _merge(opened.get(start), piece)
    return structs.replace(state, open=opened, seconds=seconds)


def close(
    state: ChannelState, name: tuple[str, str, str], seconds: int, now_s: int, grace_s: int
) -> tuple[ChannelState, list[FlowInterval]]:
    """The state without what is due, and the parts to publish, in order of time.

    Due is what was closed before, what is fully measured, and what ended more than `grace_s` ago. `name` is (device,
    channel, mode).
    """
    due = [start for start in sorted(state.open) if _is_due(state, start, seconds, now_s, grace_s)]
    return _publish(state, name, due, seconds, due[-1] + seconds) if due else (state, [])


def close_other_lengths(
    state: ChannelState, name: tuple[str, str, str], seconds: int
) -> tuple[ChannelState, list[FlowInterval]]:
    """The state without what is open in intervals of another length than `seconds`, and the parts to publish.

    What follows is counted in intervals of `seconds`, the one that is under way included: as a further part of it where
    a part of the same start is published.
    """
    if not state.open or state.seconds is None or state.seconds == seconds:
        return state, []
    due = sorted(state.open)
    return _publish(state, name, due, state.seconds, due[-1] // seconds * seconds + seconds)


def _publish(
    state: ChannelState, name: tuple[str, str, str], due: list[int], seconds: int, closed_until_s: int
) -> tuple[ChannelState, list[FlowInterval]]:
    late_parts = dict(state.late_parts)
    facts = []
    for start in due:
        part = 0
        if start < state.closed_until_s:
            part = late_parts.get(start, state.late_floor)
            late_parts[start] = part + 1
        facts.append(_fact(name, start, seconds, part, state.open[start]))
    gone = frozenset(due)
    late_parts, late_floor = _forget_oldest(late_parts, state.late_floor)
    closed = structs.replace(
        state,
        open={start: piece for start, piece in state.open.items() if start not in gone},
        closed_until_s=max(state.closed_until_s, closed_until_s),
        late_parts=late_parts,
        late_floor=late_floor,
    )
    return closed, facts


def _flags_of(span: Span, pieces: int) -> tuple[Flag, ...]:
    """Only what was really divided is flagged so: one interval, or no passages, leave nothing to divide."""
    divided = pieces > 1 and (span.in_ > 0 or (span.out or 0) > 0)
    if not divided:
        return tuple(flag for flag in span.flags if flag is not Flag.SPREAD)
    return span.flags if Flag.SPREAD in span.flags else (*span.flags, Flag.SPLIT)


def _merge(known: Open | None, piece: Open) -> Open:
    if known is None:
        return piece
    out = known.out if piece.out is None else piece.out + (known.out or 0)
    flags = tuple(sorted({*known.flags, *piece.flags}))
    return Open(known.in_ + piece.in_, out, known.covered_s + piece.covered_s, flags, piece.source)


def _is_due(state: ChannelState, start: int, seconds: int, now_s: int, grace_s: int) -> bool:
    measured = state.measured_until_s is not None and start + seconds <= state.measured_until_s
    return start < state.closed_until_s or measured or start + seconds + grace_s <= now_s


def _fact(name: tuple[str, str, str], start: int, seconds: int, part: int, piece: Open) -> FlowInterval:
    device, channel, mode = name
    flags = {*piece.flags, Flag.LATE} if part else set(piece.flags)
    return FlowInterval(
        device=device,
        channel=channel,
        mode=mode,
        start=datetime.fromtimestamp(start, UTC),
        seconds=seconds,
        part=part,
        in_=piece.in_,
        out=piece.out,
        covered_s=min(piece.covered_s, seconds),
        flags=tuple(sorted(flags)),
        source=piece.source,
    )


def _forget_oldest(late_parts: dict[int, int], floor: int) -> tuple[dict[int, int], int]:
    """At most `LATE_REMEMBERED` part numbers; the floor rises above the forgotten, so that no number comes twice."""
    if len(late_parts) <= LATE_REMEMBERED:
        return late_parts, floor
    forgotten = sorted(late_parts)[:-LATE_REMEMBERED]
    kept = {start: part for start, part in late_parts.items() if start not in set(forgotten)}
    return kept, max(floor, *(late_parts[start] for start in forgotten))
