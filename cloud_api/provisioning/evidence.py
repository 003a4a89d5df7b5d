"""What captured frames say of one channel: counts, presence, signal, battery, the device's clock. Pure.

In come frames as a gateway shows them (each reading one line of JSON, as `passerelle devices decode` prints it), out
come typed values, oldest first. A line that this version does not know is left out: a gateway may be newer.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from edge.messages import CapturedFrame


class Total(Struct, frozen=True, tag_field="kind", tag="total"):
    """A cumulative count."""

    channel: str
    bits: int
    mode: str | None = None
    in_: int | None = field(name="in", default=None)
    out: int | None = None
    at: datetime | None = None


class Delta(Struct, frozen=True, tag_field="kind", tag="delta"):
    """A count over a period."""

    channel: str
    in_: int = field(name="in")
    mode: str | None = None
    out: int | None = None
    at: datetime | None = None
    running: bool = False


class Event(Struct, frozen=True, tag_field="kind", tag="event"):
    """One passage."""

    channel: str
    direction: str
    mode: str | None = None
    at: datetime | None = None


class Presence(Struct, frozen=True, tag_field="kind", tag="presence"):
    """A space is occupied or free, as the device says it."""

    channel: str
    occupied: bool
    at: datetime | None = None


class Health(Struct, frozen=True, tag_field="kind", tag="health"):
    """What a device says of itself."""

    battery_v: float | None = None
    battery_pct: float | None = None
    battery_low: bool | None = None
    fault: str | None = None
    at: datetime | None = None


Reading = Total | Delta | Event | Presence | Health
Kind = TypeVar("Kind", bound=Reading)
_DECODER = msgspec.json.Decoder(Reading)


class Seen(Struct, frozen=True):
    """A frame that was heard at a known time, and what it says."""

    at: datetime
    frame: CapturedFrame
    readings: Sequence[Reading]


class Passages(Struct, frozen=True):
    """Counted in the device's first and second direction."""

    in_: int
    out: int


def seen(frames: Iterable[CapturedFrame]) -> list[Seen]:
    """Frames with a time, oldest first."""
    dated = [(frame.at, frame) for frame in frames if frame.at is not None]
    return [Seen(at, frame, list(_readings(frame))) for at, frame in sorted(dated, key=lambda pair: pair[0])]


def _readings(frame: CapturedFrame) -> Iterator[Reading]:
    for line in frame.readings:
        try:
            yield _DECODER.decode(line)
        except msgspec.MsgspecError:
            continue


def passages(evidence: Sequence[Seen], channel: str, mode: str, start: datetime, end: datetime) -> Passages | None:
    """Counted on a channel in `start` < t <= `end`; None while that cannot be told.

    Of totals that needs one before and one after; of periods and passages, one report after `start`.
    """
    totals = _totals(evidence, channel, mode)
    if totals:
        before = [total for at, total in totals if at <= start]
        after = [total for at, total in totals if start < at <= end]
        return _difference(before[-1], after[-1]) if before and after else None
    reports = [
        reading
        for each in evidence
        if start < each.at <= end
        for reading in each.readings
        if isinstance(reading, Delta | Event) and (reading.channel, reading.mode or "") == (channel, mode)
    ]
    return _sum(reports) if reports else None


def _totals(evidence: Sequence[Seen], channel: str, mode: str) -> list[tuple[datetime, Total]]:
    """Those that tell both directions, or the one that is counted."""
    return [
        (each.at, reading)
        for each in evidence
        for reading in each.readings
        if isinstance(reading, Total) and (reading.channel, reading.mode or "") == (channel, mode)
    ]


def _difference(before: Total, after: Total) -> Passages:
    size = 2**after.bits
    return Passages(
        in_=((after.in_ or 0) - (before.in_ or 0)) % size,
        out=((after.out or 0) - (before.out or 0)) % size,
    )


def _sum(reports: Iterable[Delta | Event]) -> Passages:
    in_ = out = 0
    for report in reports:
        match report:
            case Delta(running=False):
                in_, out = in_ + report.in_, out + (report.out or 0)
            case Event(direction="in"):
                in_ += 1
            case Event():
                out += 1
    return Passages(in_, out)


def states(evidence: Sequence[Seen], channel: str) -> list[tuple[datetime, bool]]:
    """When the device said what of a space: True when it called it occupied."""
    return [
        (each.at, reading.occupied)
        for each in evidence
        for reading in each.readings
        if isinstance(reading, Presence) and reading.channel == channel
    ]


def healths(evidence: Sequence[Seen]) -> list[Health]:
    """What the device said of itself, oldest first."""
    return _all(evidence, Health)


def own_times(evidence: Sequence[Seen]) -> list[tuple[datetime, datetime]]:
    """Where the device dates what it says: when it was heard, and its own time."""
    return [
        (each.at, reading.at)
        for each in evidence
        for reading in each.readings
        if reading.at is not None and not isinstance(reading, Health)
    ]


def _all(evidence: Sequence[Seen], kind: type[Kind]) -> list[Kind]:
    return [reading for each in evidence for reading in each.readings if isinstance(reading, kind)]
