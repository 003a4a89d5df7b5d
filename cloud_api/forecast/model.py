"""How many spaces will be free, learned from one series of spaces and what is known of it now.

Every space is taken for a chain of two states, free and occupied, that all spaces of the series share. *Usual* is how
full the series is at a quarter-hour of a day: the mean of the days like it, the newer counting more. *Memory* is how
much of the present difference from the usual is left after a lead time, and how much of its last half hour's change
goes on: a regression for each lead time and part of the day, drawn towards that over all parts. A space that is
occupied now then stays so by as much as memory lasts, and all are moved together by a common shift whose size is the
one under which the past was most likely.

Limits: spaces are alike, so a series of very different bays is forecast a little too wide. What never was (a first
market, works in the street) is not foreseen. A town whose weeks change needs some three weeks to be learned anew. Pure.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from cloud_api.forecast.days import Calendar, likeness
from cloud_api.forecast.distribution import Chances, Spaces, density, free_spaces
from cloud_api.forecast.occupancy import QUARTER_S, Floats, Ints, Occupancy, start_of

QUARTERS_A_DAY: Final = 96
AHEAD: Final = 9 * QUARTERS_A_DAY
"""How far the usual is worked out past what was learned: a model serves for a week, a day ahead, and some hours."""
SHORTEST: Final = 96
"""Known quarter-hours without which nothing is learned: one day."""
LEADS: Final = np.array([1, 2, 4, 8, 16, 32, 48, 96])
"""The lead times at which memory is learned, in quarter-hours; between them it is interpolated."""
PARTS: Final = 8
"""Parts of the day, three hours each, by local time."""
TREND: Final = 2
"""The last change is that over two quarter-hours."""
DRAWN: Final = 60.0
"""How many quarter-hours the regression over all parts counts for in each part."""
SPREADS: Final = np.array([0.0, 0.2, 0.4, 0.7, 1.0, 1.4])
"""The common shifts that are tried, standard deviations of log-odds."""
SMOOTH: Final = np.array([1.0, 2.0, 3.0, 2.0, 1.0])


class Model(Struct, frozen=True, eq=False):
    """What was learned of one series."""

    usual: Floats
    """float64[quarter], the usual share of occupied spaces from `first` until `AHEAD` after what was learned from."""
    first: int
    """The first quarter-hour of `usual`, counted from 1970."""
    memory: Floats
    """float64[1 + lead, part, 2]: what is left of the difference and of its change; lead 0 is now."""
    spread: Floats
    """float64[1 + lead]: the standard deviation of the common shift of log-odds."""
    zone: ZoneInfo

    def usual_at(self, at: datetime, minutes: Floats) -> Floats:
        """The usual share so many minutes, float64[lead], after a moment."""
        quarters = (at.timestamp() + 60 * minutes) / QUARTER_S - self.first
        return np.interp(quarters, np.arange(len(self.usual)), self.usual)

    def chances(self, at: datetime, share: float, earlier: float, minutes: Floats) -> Chances:
        """What may become of one space so many minutes, float64[lead], after `at`.

        `share` is occupied now, `earlier` was half an hour before (NaN where that is not known).
        """
        now, before = self.usual_at(at, np.array([0.0, -TREND * QUARTER_S / 60]))
        apart = share - now
        change = 0.0 if np.isnan(earlier) else apart - (earlier - before)
        kept, trend = self._memory_at(at, minutes)
        return _chances(share, self.usual_at(at, minutes) + kept * apart + trend * change, kept, self._spread(minutes))

    def numbers(self, at: datetime, spaces: Spaces, earlier: float, minutes: Floats) -> Floats:
        """float64[lead, number free]: how likely each number of free spaces is so many minutes after `at`."""
        return free_spaces(spaces, self.chances(at, spaces.share, earlier, minutes))

    def _memory_at(self, at: datetime, minutes: Floats) -> tuple[Floats, Floats]:
        parts = _parts(np.asarray(at.timestamp() + 60 * minutes, dtype=np.int64), self.zone)
        knots = np.concatenate(([0], LEADS)) * QUARTER_S / 60
        upper = np.clip(np.searchsorted(knots, minutes), 1, len(knots) - 1)
        weight = np.clip((minutes - knots[upper - 1]) / (knots[upper] - knots[upper - 1]), 0, 1)[:, None]
        memory = (1 - weight) * self.memory[upper - 1, parts] + weight * self.memory[upper, parts]
        return memory[:, 0], memory[:, 1]

    def _spread(self, minutes: Floats) -> Floats:
        return np.interp(minutes, np.concatenate(([0], LEADS)) * QUARTER_S / 60, self.spread)


def learn(past: Occupancy, capacity: int, calendar: Calendar, zone: ZoneInfo) -> Model | None:
    """What a series of `capacity` spaces teaches; None where it is shorter than a day."""
    if np.count_nonzero(~np.isnan(past.share)) < SHORTEST:
        return None
    quarters = np.arange(past.first, past.end + AHEAD)
    usual = _usual(past, quarters, calendar, zone)
    apart = past.share - usual[: len(past.share)]
    parts = _parts(quarters[: len(past.share)] * QUARTER_S, zone)
    memory = np.concatenate((_at_once(), np.stack([_regressed(apart, parts, int(lead)) for lead in LEADS])))
    spread = [
        _likeliest_spread(past.share, usual, apart, memory[1 + index], parts, int(lead), capacity)
        for index, lead in enumerate(LEADS)
    ]
    return Model(usual, past.first, memory, np.array([0.0, *spread]), zone)


def _usual(past: Occupancy, quarters: Ints, calendar: Calendar, zone: ZoneInfo) -> Floats:
    """float64[quarter]: the mean share of the days like each quarter-hour's own, which is itself left out."""
    day, slot = _local(quarters, zone)
    days = np.arange(day[0], day[-1] + 1)
    kinds = [calendar.kind(date.fromordinal(int(each))) for each in days]
    alike = np.stack(
        [likeness(kind, kinds, (days - each).astype(float)) for kind, each in zip(kinds, days, strict=True)]
    )
    np.fill_diagonal(alike, 0)
    table = np.full((len(days), QUARTERS_A_DAY), np.nan)
    table[day[: len(past.share)] - day[0], slot[: len(past.share)]] = past.share
    known = ~np.isnan(table)
    weight = _smoothed(alike @ known.astype(float))
    total = _smoothed(alike @ np.where(known, table, 0))
    overall = float(np.nanmean(past.share))
    mean = np.where(weight > 0, total / np.where(weight > 0, weight, 1), overall)
    return np.asarray(mean[day - day[0], slot], dtype=np.float64)


def _smoothed(table: Floats) -> Floats:
    """float64[day, slot] with each slot a weighted sum of itself and its neighbours of the day."""
    padded = np.pad(table, ((0, 0), (2, 2)), mode="wrap")
    return np.asarray(sum(w * padded[:, i : i + QUARTERS_A_DAY] for i, w in enumerate(SMOOTH)), dtype=np.float64)


def _regressed(apart: Floats, parts: Ints, lead: int) -> Floats:
    """float64[part, 2]: how the difference after `lead` quarter-hours depends on that of now and on its change."""
    memory = np.zeros((PARTS, 2))
    if len(apart) <= lead + TREND:
        return memory
    now, then = apart[TREND:-lead], apart[TREND + lead :]
    features = np.stack((now, now - apart[: -lead - TREND]), axis=1)
    known = ~np.isnan(features).any(axis=1) & ~np.isnan(then)
    features, then, part = features[known], then[known], parts[TREND + lead :][known]
    if len(then) < SHORTEST // 2:
        return memory
    square = features.T @ features / len(then) + 1e-4 * np.eye(2)
    pooled = np.linalg.solve(square, features.T @ then / len(then))
    for each in range(PARTS):
        own = features[part == each]
        memory[each] = np.linalg.solve(
            own.T @ own + DRAWN * square, own.T @ then[part == each] + DRAWN * (square @ pooled)
        )
    return memory


def _likeliest_spread(
    share: Floats, usual: Floats, apart: Floats, memory: Floats, parts: Ints, lead: int, capacity: int
) -> float:
    """The one of `SPREADS` under which the past was most likely at this lead time."""
    starts = np.arange(TREND, len(share) - lead)
    known = ~np.isnan(apart[starts] + apart[starts - TREND] + apart[starts + lead])
    starts = starts[known]
    if len(starts) < SHORTEST // 2:
        return float(SPREADS[-2])
    kept, trend = memory[parts[starts + lead]].T
    mean = usual[starts + lead] + kept * apart[starts] + trend * (apart[starts] - apart[starts - TREND])
    occupied, then = np.round(capacity * share[starts]), np.round(capacity * (1 - share[starts + lead]))
    likelihoods = [
        np.log(density(then, capacity - occupied, occupied, _chances(share[starts], mean, kept, spread))).sum()
        for spread in SPREADS
    ]
    return float(SPREADS[np.argmax(likelihoods)])


def _chances(share: float | Floats, occupied: Floats, kept: Floats, spread: float | Floats) -> Chances:
    """A mean share of occupied spaces, float64[lead], told apart by what each space is now; the mean is kept."""
    mean = np.clip(occupied, 0.0, 1.0)
    most = np.minimum((1 - mean) / np.maximum(1 - share, 1e-9), mean / np.maximum(share, 1e-9))
    stays = np.clip(kept, 0.0, np.minimum(most, 1.0))
    return Chances(
        stays_free=np.clip(1 - (mean - stays * share), 0, 1),
        gets_free=np.clip(1 - (mean + stays * (1 - share)), 0, 1),
        spread=np.broadcast_to(spread, mean.shape),
    )


def _at_once() -> Floats:
    """float64[1, part, 2]: at lead 0 all of the difference is left."""
    return np.broadcast_to(np.array([1.0, 0.0]), (1, PARTS, 2))


def _parts(seconds: Ints, zone: ZoneInfo) -> Ints:
    """int64[moment]: the part of the local day of moments given in seconds since 1970."""
    _, slot = _local(seconds // QUARTER_S, zone)
    return slot * PARTS // QUARTERS_A_DAY


def _local(quarters: Ints, zone: ZoneInfo) -> tuple[Ints, Ints]:
    """int64[quarter] each: the local day as an ordinal, and the quarter-hour of that day by the clock on the wall."""
    local: Sequence[datetime] = [start_of(int(quarter)).astimezone(zone) for quarter in quarters]
    day = np.array([each.toordinal() for each in local], dtype=np.int64)
    return day, np.array([4 * each.hour + each.minute // 15 for each in local], dtype=np.int64)
