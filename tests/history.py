"""Builders of stored facts, and the sums that a store must answer, worked out the plain way."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cloud_api.stores.base import Channel, Correction, CorrectionCause, Hour, StoredFlow, StoredSpace
from edge.messages import Flag, FlowInterval, SpaceState

MIDNIGHT = datetime(2026, 3, 29, tzinfo=UTC)
"""The day on which France goes to summer time, at 01:00 UTC."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = "0123456789abcdef"
OTHER_EPOCH = "fedcba9876543210"
CHANNEL = Channel("2f0c", "line1", "pedestrian")


def flow(
    start: datetime = MIDNIGHT,
    *,
    in_: int = 3,
    out: int | None = 2,
    part: int = 0,
    covered_s: int = 300,
    flags: tuple[Flag, ...] = (),
    channel: Channel = CHANNEL,
    epoch: str = EPOCH,
    gateway: str = "mairie",
) -> StoredFlow:
    """One part of a five-minute interval."""
    interval = FlowInterval(
        device=channel.device,
        channel=channel.name,
        mode=channel.mode,
        start=start,
        seconds=300,
        part=part,
        in_=in_,
        out=out,
        covered_s=covered_s,
        flags=flags,
    )
    return StoredFlow(gateway=gateway, epoch=epoch, interval=interval)


def day(channel: Channel = CHANNEL, start: datetime = MIDNIGHT) -> list[StoredFlow]:
    """All 288 intervals of a day, no two counts alike."""
    return [
        flow(start + timedelta(minutes=5 * index), in_=index, out=1000 + index, channel=channel) for index in range(288)
    ]


def space(
    at: datetime = MIDNIGHT,
    *,
    occupied: bool = True,
    since: datetime | None = None,
    device: str = "5a11",
    name: str = "1",
) -> StoredSpace:
    """One state of one space."""
    state = SpaceState(device=device, channel=name, occupied=occupied, at=at, since=since)
    return StoredSpace(gateway="mairie", state=state)


def correction(at: datetime = MIDNIGHT, *, occupied: int = 0, place: str = "halles") -> Correction:
    """A car park that was seen empty while the count said three too few."""
    return Correction(
        place=place, at=at, occupied=occupied, cause=CorrectionCause.EMPTY, counted=-3, note="ronde de nuit"
    )


def summed(facts: Iterable[StoredFlow]) -> list[Hour]:
    """The hours of facts with distinct keys."""
    together: dict[tuple[Channel, datetime], list[FlowInterval]] = defaultdict(list)
    for fact in facts:
        interval = fact.interval
        channel = Channel(interval.device, interval.channel, interval.mode)
        hour = interval.start.replace(minute=0, second=0)
        together[channel, hour].append(interval)
    return [_sum(channel, start, parts) for (channel, start), parts in sorted(together.items())]


def _sum(channel: Channel, start: datetime, parts: list[FlowInterval]) -> Hour:
    outs = [part.out for part in parts if part.out is not None]
    return Hour(
        channel=channel,
        start=start,
        in_=sum(part.in_ for part in parts),
        out=sum(outs) if outs else None,
        covered_s=min(sum(part.covered_s for part in parts), 3600),
        flags=frozenset(flag for part in parts for flag in part.flags),
        parts=len(parts),
    )
