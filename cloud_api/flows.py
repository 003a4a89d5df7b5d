"""Hourly flows of a counter: the sum of what served it, each installation within its period and the right way round.

In come a counter, a period and the store's UTC hours; out come local hours, each labelled with its offset. What nobody
measured is null, never 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from cloud_api.counters import Directions, directions_of
from cloud_api.periods import Period
from cloud_api.plausibility import Counted, Finding, Street, findings
from cloud_api.registry import Counter, Installation, Registry
from cloud_api.stores.base import Channel, Hour, Store
from cloud_api.trust import Cause, Trust
from edge.messages import Flag

SECONDS_PER_HOUR = 3600
CONTEXT = timedelta(days=3)
"""What is read before and after the period, so that days of zeros are known for what they are."""


Measured = Mapping[Channel, Mapping[datetime, Hour]]


class LocalHour(Struct, frozen=True, kw_only=True):
    """One hour of a counter."""

    start: datetime
    """Local time with its offset: on the day the clocks go back, two hours differ in it alone."""
    in_: int | None = field(name="in")
    """Persons (or vehicles) towards `in`; null when nobody measured, or the sensor does not count this direction."""
    out: int | None
    covered_s: int | None
    """Measured seconds of the hour (the mean, where several sensors add up); null when nobody measured."""
    coverage: float
    """Measured share of the hour, 0 to 1; below 1 the figures are lower bounds."""
    flags: tuple[Flag, ...]
    """What one must know to believe the figures; sorted."""
    trust: Trust = Trust.FRESH
    """`fresh`; `unknown` where nobody measured; `implausible` where the figures cannot be so."""
    cause: Cause | None = None
    """Why it cannot be so."""


class FlowTotals(Struct, frozen=True, kw_only=True):
    """The sum over the hours; what is null does not add to it."""

    in_: int | None = field(name="in")
    out: int | None
    hours: int
    """Hours in the period."""
    hours_known: int
    """Hours of which anything was measured."""
    coverage: float
    """Measured share of the whole period, 0 to 1."""


class HourlyFlows(Struct, frozen=True, kw_only=True):
    """A counter's flows, hour by hour."""

    counter: str
    name: str
    directions: Directions
    time_zone: str
    trust: Trust
    """Of the whole period: `implausible` where any of its hours is, `unknown` where nobody measured any."""
    cause: Cause | None
    calibrated: bool
    """Some of the figures are the sensor's counts times a factor from a manual count."""
    start: datetime = field(name="from")
    end: datetime = field(name="to")
    """The first instant that is no longer included."""
    hours: tuple[LocalHour, ...]
    totals: FlowTotals


def hourly_flows(registry: Registry, store: Store, counter: Counter, period: Period, zone: ZoneInfo) -> HourlyFlows:
    """Every local hour of the period. Blocks on the store. Raises `StoreError`."""
    (flows,) = hourly_flows_of(registry, store, [counter], period, zone)
    return flows


def hourly_flows_of(
    registry: Registry,
    store: Store,
    counters: Sequence[Counter],
    period: Period,
    zone: ZoneInfo,
    as_of: datetime | None = None,
) -> list[HourlyFlows]:
    """The same of several counters, read at once; with `as_of`, of what the store had committed until then.

    Blocks on the store. Raises `StoreError`.
    """
    serving = {each.id: registry.installations_of(each.id, period.start, period.end) for each in counters}
    everything = [installation for of_one in serving.values() for installation in of_one]
    measured = _measured(store, everything, Period(period.start - CONTEXT, period.end + CONTEXT), as_of)
    return [_flows(each, serving[each.id], measured, period, zone) for each in counters]


def _flows(
    counter: Counter, installations: Sequence[Installation], measured: Measured, period: Period, zone: ZoneInfo
) -> HourlyFlows:
    doubts = [
        finding
        for each in installations
        for finding in findings(_counted_by(each, measured), street_of(counter, each, zone))
    ]
    hours = tuple(_local_hour(hour, installations, measured, zone, doubts) for hour in period.hours())
    doubtful = [hour for hour in hours if hour.trust is Trust.IMPLAUSIBLE]
    return HourlyFlows(
        counter=counter.id,
        name=counter.name,
        directions=directions_of(counter),
        time_zone=zone.key,
        trust=doubtful[0].trust if doubtful else _known_at_all(hours),
        cause=doubtful[0].cause if doubtful else None,
        calibrated=any(each.factor != 1 for each in installations),
        start=period.start.astimezone(zone),
        end=period.end.astimezone(zone),
        hours=hours,
        totals=_totals(hours),
    )


def channel_of(installation: Installation) -> Channel:
    """The channel that an installation puts to use."""
    return Channel(installation.device, installation.channel, installation.mode)


def counted(hour: Hour, installation: Installation) -> Counted:
    """A channel's hour the right way round, as measured."""
    in_, out = (hour.out, hour.in_) if installation.reversed else (hour.in_, hour.out)
    return Counted(start=hour.start, in_=in_, out=out)


def street_of(counter: Counter, installation: Installation, zone: ZoneInfo) -> Street:
    """What must be known of a counter to judge what one of its channels counts."""
    return Street(
        mode=installation.mode,
        in_=counter.in_,
        out=counter.out,
        zone=zone,
        lively_at_night=counter.lively_at_night,
    )


def _measured(store: Store, installations: Sequence[Installation], period: Period, as_of: datetime | None) -> Measured:
    channels = sorted({channel_of(each) for each in installations})
    if not channels:
        return {}
    measured: dict[Channel, dict[datetime, Hour]] = {channel: {} for channel in channels}
    for hour in store.hours(channels, period.start, period.end, as_of):
        measured[hour.channel][hour.start] = hour
    return measured


def _local_hour(
    start: datetime,
    installations: Sequence[Installation],
    measured: Measured,
    zone: ZoneInfo,
    doubts: Sequence[Finding],
) -> LocalHour:
    serving = [each for each in installations if each.serves_at(start)]
    known = [(each, hour) for each in serving if (hour := measured[channel_of(each)].get(start)) is not None]
    covered_s = sum(hour.covered_s for _, hour in known)
    doubt = next((each for each in doubts if known and each.start <= start < each.end), None)
    return LocalHour(
        start=start.astimezone(zone),
        trust=Trust.UNKNOWN if not known else Trust.FRESH if doubt is None else Trust.IMPLAUSIBLE,
        cause=None if doubt is None else doubt.cause,
        in_=known_sum(calibrated(hour.out if each.reversed else hour.in_, each.factor) for each, hour in known),
        out=known_sum(calibrated(hour.in_ if each.reversed else hour.out, each.factor) for each, hour in known),
        covered_s=covered_s // len(serving) if known else None,
        coverage=round(covered_s / (SECONDS_PER_HOUR * len(serving)), 4) if known else 0.0,
        flags=tuple(sorted(frozenset[Flag]().union(*(hour.flags for _, hour in known)))),
    )


def _counted_by(installation: Installation, measured: Measured) -> list[Counted]:
    hours = (hour for hour in measured[channel_of(installation)].values() if installation.serves_at(hour.start))
    return [counted(hour, installation) for hour in sorted(hours, key=lambda hour: hour.start)]


def _known_at_all(hours: Sequence[LocalHour]) -> Trust:
    return Trust.FRESH if any(hour.covered_s is not None for hour in hours) else Trust.UNKNOWN


def _totals(hours: Sequence[LocalHour]) -> FlowTotals:
    return FlowTotals(
        in_=known_sum(hour.in_ for hour in hours),
        out=known_sum(hour.out for hour in hours),
        hours=len(hours),
        hours_known=sum(hour.covered_s is not None for hour in hours),
        coverage=round(sum(hour.coverage for hour in hours) / len(hours), 4),
    )


def known_sum(counts: Iterable[int | None]) -> int | None:
    """The sum of what is known; None when nothing is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def calibrated(count: int | None, factor: float) -> int | None:
    """The count times the factor of a manual count, to the nearest whole passage; as measured where there is none."""
    return count if count is None or factor == 1 else round(count * factor)
