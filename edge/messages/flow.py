"""Passages counted: interval parts, and the batches they travel in."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from edge.messages.base import HOUR_S, MAX_BATCH, Count, Message, Name, TimeSource, Utc

FLOWS_PER_MESSAGE = 200
"""A gateway puts no more flow intervals in one: with the longest names they stay below `MAX_MESSAGE_BYTES`."""
IntervalSeconds = Annotated[int, Meta(ge=60, le=HOUR_S)]


class Flag(StrEnum):
    """What one must know to believe a part of an interval."""

    SPLIT = "split"
    """A reporting period crossed interval borders and was divided in proportion to time."""
    SPREAD = "spread"
    """Reports were missed; a later total recovered the passages and they were spread over the gap."""
    LATE = "late"
    """It arrived after the interval was closed and published."""
    RESET = "reset"
    """The sensor's counter stepped back: what it counted in between is unknown."""
    LOST = "lost"
    """Reports of a device without totals are known to be missing here."""
    CLOCK = "clock"
    """The gateway's clock was not synchronised, or stepped; the time is the best known."""
    DISAGREES = "disagrees"
    """The device's total and its own period counts do not agree; the total was believed."""
    MERGED = "merged"
    """Parts of one hour in one: the gateway's outbox had reached its limit. It begins where the first of them did."""


class FlowInterval(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Passages counted on one channel in one closed interval: one part of it, to be added to the others."""

    device: Name
    """Hardware address of the sensor."""
    channel: Name
    """The counted line (`line1`)."""
    mode: str = ""
    """`pedestrian`, `bicycle`, `vehicle`, …; empty where the device does not tell."""
    start: Utc = field()
    """Start of the interval, UTC, a multiple of `seconds` within its hour; where `merged`, that of its first part."""
    seconds: IntervalSeconds = field()
    """Length of the interval, 60 to 900 and a divisor of 3600; where `merged`, up to the end of its last part. In a
    store, up to 3600 where it came from another system's export."""
    part: Annotated[int, Meta(ge=0, lt=1_000_000)] = 0
    """0 for what was known when the interval closed, 1, 2, … for what came later."""
    in_: Count = field(name="in")
    """Persons (or vehicles) in the device's first direction."""
    out: Count | None = None
    """In its second direction; None where it counts one direction only."""
    covered_s: Annotated[int, Meta(ge=0, le=HOUR_S)] = field()
    """Seconds of the interval that this part measured; the coverage of an hour is the sum over its parts."""
    flags: tuple[Flag, ...] = ()
    """Sorted, without repeats."""
    source: TimeSource = TimeSource.GATEWAY
    """Whose clock dated it."""


class Flow(Message, frozen=True, kw_only=True):
    """A batch of interval parts that were committed together."""

    kind = "flow"
    intervals: Annotated[tuple[FlowInterval, ...], Meta(max_length=MAX_BATCH)]
    """What was committed together, each interval part once."""
