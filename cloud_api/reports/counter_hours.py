"""A counter's hours straight from the store into arrays: what `flows.hourly_flows` tells, to the unit, for years.

Only lively nights are not doubted here: that is for whoever knows the street's other nights (`quality`). Blocks on the
store.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from cloud_api.flows import CONTEXT, SECONDS_PER_HOUR, channel_of, counted, street_of
from cloud_api.periods import HOUR, Period
from cloud_api.plausibility import Finding, by_any_history
from cloud_api.registry import Counter, Installation, Registry
from cloud_api.reports.hours import Flags, Floats, Hours, Ints
from cloud_api.stores.base import Channel, Hour, Store

TEN_THOUSANDTHS = 10_000
"""To so much coverage is told."""


def counter_hours(
    registry: Registry, store: Store, counter: Counter, period: Period, zone: ZoneInfo, as_of: datetime | None
) -> Hours:
    """Every local hour of the period; with `as_of`, of what the store had committed until then. Raises `StoreError`."""
    installations = registry.installations_of(counter.id, period.start, period.end)
    measured = _measured(store, installations, period, as_of)
    first, size = int(period.start.timestamp()), (period.end - period.start) // HOUR
    starts = first + SECONDS_PER_HOUR * np.arange(size, dtype=np.int64)
    in_, out = np.full(size, np.nan), np.full(size, np.nan)
    covered_s, serving, known = np.zeros(size), np.zeros(size), np.zeros(size, dtype=np.bool_)
    doubts: list[Finding] = []
    for each in installations:
        rows = [hour for hour in measured[channel_of(each)] if each.serves_at(hour.start)]
        doubts += by_any_history([counted(hour, each) for hour in rows], street_of(counter, each, zone))
        its = _served(starts, each)
        serving += its
        at, its_in, its_out, its_covered_s = _arrays(rows, each, first, size)
        in_[at], out[at] = _added(in_[at], its_in), _added(out[at], its_out)
        covered_s[at] += its_covered_s
        known[at] = True
    share = np.rint(covered_s * TEN_THOUSANDTHS / (SECONDS_PER_HOUR * np.maximum(serving, 1))) / TEN_THOUSANDTHS
    day, hour = _calendar(first, size, zone)
    return Hours(
        zone=zone,
        start=starts,
        in_=in_,
        out=out,
        coverage=np.where(known, share, 0.0),
        sound=_sound(starts, known, doubts),
        day=day,
        hour=hour,
    )


def _measured(
    store: Store, installations: Sequence[Installation], period: Period, as_of: datetime | None
) -> Mapping[Channel, list[Hour]]:
    measured: dict[Channel, list[Hour]] = defaultdict(list)
    channels = sorted({channel_of(each) for each in installations})
    if channels:
        for hour in store.hours(channels, period.start - CONTEXT, period.end + CONTEXT, as_of):
            measured[hour.channel].append(hour)
    return measured


def _served(starts: Ints, installation: Installation) -> Flags:
    end = np.inf if installation.end is None else installation.end.timestamp()
    served: Flags = (starts >= installation.start.timestamp()) & (starts < end)
    return served


def _arrays(
    rows: Sequence[Hour], installation: Installation, first: int, size: int
) -> tuple[Ints, Floats, Floats, Floats]:
    """Position in the period, in, out and covered seconds of a channel's hours, the right way round and calibrated."""
    at = np.array([int(hour.start.timestamp()) - first for hour in rows], dtype=np.int64) // SECONDS_PER_HOUR
    one = np.array([hour.in_ for hour in rows], dtype=np.float64)
    other = np.array([np.nan if hour.out is None else hour.out for hour in rows], dtype=np.float64)
    covered_s = np.array([hour.covered_s for hour in rows], dtype=np.float64)
    in_, out = (other, one) if installation.reversed else (one, other)
    its = (at >= 0) & (at < size)
    factor = installation.factor
    return at[its], np.rint(in_[its] * factor), np.rint(out[its] * factor), covered_s[its]


def _added(before: Floats, more: Floats) -> Floats:
    """The sum of what is known."""
    unknown = np.isnan(before) & np.isnan(more)
    return np.where(unknown, np.nan, np.nan_to_num(before) + np.nan_to_num(more))


def _sound(starts: Ints, known: Flags, doubts: Sequence[Finding]) -> Flags:
    sound = np.ones(len(starts), dtype=np.bool_)
    for each in doubts:
        sound &= (starts < each.start.timestamp()) | (starts >= each.end.timestamp())
    return sound | ~known


@lru_cache(8)
def _calendar(first: int, size: int, zone: ZoneInfo) -> tuple[Ints, Ints]:
    """Local day and hour of each; the same for every counter of a town."""
    local = [datetime.fromtimestamp(first + SECONDS_PER_HOUR * number, zone) for number in range(size)]
    return (
        np.array([each.toordinal() for each in local], dtype=np.int64),
        np.array([each.hour for each in local], dtype=np.int64),
    )
