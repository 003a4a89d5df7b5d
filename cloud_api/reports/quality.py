"""Which hours of a counter can be believed, which cannot and why, and what may stand in for them on request. Pure.

In come the hours of a counter, as much of its history as there is; out comes for every hour whether it was measured,
and for every hour that was not, or cannot be believed, the fault and its cause in words. Nothing is filled unless it is
asked for, by a method that has a name, and what is filled stands in a column of its own.

The faults are those of `cloud_api/plausibility.py`, by the same thresholds, on arrays; a long history tells more.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cloud_api.plausibility import (
    DAY,
    LONGEST_ZEROS,
    MOST_AT_NIGHT,
    MOST_ON_FOOT,
    MOST_PER_HOUR,
    NIGHT,
    NIGHT_SHARE,
    SILENT_BESIDE,
    SILENT_HOURS,
    ZEROS_INSTEAD_OF,
    Street,
)
from cloud_api.reports.flow_indicators import DAYS_A_WEEK, HOURS_A_DAY, hours_in
from cloud_api.reports.hours import MEASURED, Flags, Floats, Hours, Ints
from cloud_api.trust import Cause, lasting

QUIETEST: Final = 0.05
"""A silence is held against the hours of its kind that were quieter than 19 in 20."""
KINDS_HISTORY: Final = 8
"""So many hours of a kind (the same hour of the same weekday) make a history; without one only long zeros are told."""
STUCK_BY_CHANCE: Final = -8.0
"""Logarithm (10) of how rarely chance repeats a count for as long as that: then it is not chance."""
STUCK_HOURS: Final = 4
"""No shorter repetition is a fault."""
COPIED_BY_CHANCE: Final = -14.0
"""The same of a day, or half of one, that is like an earlier one: every day is held against every other."""
COPIED_AT_ONCE: Final = (slice(0, 12), slice(12, 24), slice(0, 24))
UNUSUAL_NIGHT: Final = 3.0
"""A night is not as lively as a day where its weekday's nights are usually a third as lively, or more."""
HOUR_S: Final = 3600

Codes = NDArray[np.int8]
Runs = NDArray[np.int64]
"""int64[run, 2]: first, and first after the last."""


class Fault(StrEnum):
    """Why an hour is left out."""

    NOT_MEASURED = "not measured"
    """There is nothing of it."""
    PARTLY_MEASURED = "partly measured"
    """Less than nine tenths of it (`hours.MEASURED`) were."""
    DOUBTED = "doubted"
    """The platform doubted it already (`implausible`), by what was known then; but of nights history decides."""
    IMPOSSIBLE = "impossible"
    """More than a street can carry."""
    NIGHT = "night"
    """As many at night as by day."""
    STUCK = "stuck"
    """The same count hour after hour."""
    COPIED = "copied"
    """The same counts, hour by hour, as on an earlier day: somebody filled a gap."""
    SILENT = "silent"
    """Nobody, where its own history says otherwise."""
    ONE_SIDED = "one-sided"
    """Nobody in one direction, many in the other."""


FAULTS: Final = tuple(Fault)
SOUND: Final = -1
"""In an array of faults, an hour that has none."""


class LeftOutHours(Struct, frozen=True, kw_only=True):
    """Hours in a row that no figure uses, and why."""

    start: datetime
    """UTC."""
    end: datetime
    """The first instant after them."""
    hours: int
    """How many of its hours are left out for this; an hour in between that has another fault is not one of them."""
    fault: Fault
    cause: Cause


class ShortDay(Struct, frozen=True, kw_only=True):
    """A local day that has not all its hours: it takes no part in what is made of whole days."""

    day: date
    hours: int
    """How many it has by the town's clock: 23, 24 or 25."""
    measured: int
    """Of so many something can be believed; at least one, and not all."""

    @property
    def cause(self) -> Cause:
        """In words."""
        share = f"{self.measured}/{self.hours}"
        return Cause(f"heures connues : {share}", f"hours known: {share}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The hours of a counter with the verdict on each; arrays have the shape [hour]."""

    hours: Hours
    """As they came, `sound` where nothing speaks against them."""
    fault: Codes
    """Index into `FAULTS`; `SOUND` where the hour is measured and can be believed."""
    left_out: tuple[LeftOutHours, ...]
    """All hours that no figure uses, in order of time."""
    short_days: tuple[ShortDay, ...]

    @property
    def measured(self) -> Floats:
        """Passages in both directions; NaN where the hour is left out."""
        return np.where(self.fault == SOUND, self.hours.both, np.nan)

    @property
    def missing(self) -> Flags:
        """Hours that are left out."""
        missing: Flags = self.fault != SOUND
        return missing

    def count(self, fault: Fault) -> int:
        """How many hours are left out for a fault."""
        return int((self.fault == FAULTS.index(fault)).sum())


def judged(hours: Hours, street: Street) -> Quality:
    """The verdict on every hour. Give all the history there is: a counter is held against its own."""
    fault = np.full(len(hours), SOUND, dtype=np.int8)
    stretches: list[LeftOutHours] = []
    for find in _RULES:
        for found, name, cause in find(hours, fault == SOUND, street):
            new = found[fault[found] == SOUND]
            if len(new):
                fault[new] = FAULTS.index(name)
                stretches.append(_stretch(hours, new, name, cause))
    return Quality(
        hours=replace(hours, sound=~np.isin(fault, [FAULTS.index(each) for each in _UNSOUND])),
        fault=fault,
        left_out=tuple(sorted(stretches, key=lambda each: (each.start, each.end))),
        short_days=tuple(_short_days(hours, fault == SOUND)),
    )


Found = tuple[Ints, Fault, Callable[[timedelta], Cause]]
"""Positions of the hours, what is wrong with them, and how it is said of a length of time."""


def _unmeasured(hours: Hours, _: Flags, __: Street) -> Iterator[Found]:
    nothing = np.isnan(hours.both) | (hours.coverage <= 0)
    for start, end in _runs(nothing, hours.start):
        yield np.arange(start, end), Fault.NOT_MEASURED, _said("aucune mesure", "nothing measured")
    for start, end in _runs(~nothing & (hours.coverage < MEASURED), hours.start):
        words = _said("mesuré pour moins de neuf dixièmes", "measured for less than nine tenths")
        yield np.arange(start, end), Fault.PARTLY_MEASURED, words


def _doubted(hours: Hours, known: Flags, _: Street) -> Iterator[Found]:
    for start, end in _runs(known & ~hours.sound, hours.start):
        words = _said("comptage déjà jugé invraisemblable", "counts judged implausible before")
        yield np.arange(start, end), Fault.DOUBTED, words


def _impossible(hours: Hours, known: Flags, street: Street) -> Iterator[Found]:
    most = MOST_PER_HOUR.get(street.mode, MOST_ON_FOOT)
    for at in np.flatnonzero(known & (np.nan_to_num(hours.both) > most)):
        count = int(hours.both[at])
        words = Cause(
            f"{count} passages en une heure, plus qu’une rue n’en porte",
            f"{count} in one hour, more than a street can carry",
        )
        yield np.array([at]), Fault.IMPOSSIBLE, _always(words)


def _nights(hours: Hours, known: Flags, street: Street) -> Iterator[Found]:
    if not len(hours) or street.lively_at_night:
        return
    counts, rows = _by_day(hours, known)
    night = counts[:, NIGHT.start : NIGHT.stop]
    daylight = counts[:, DAY.start : DAY.stop]
    by_daylight = np.nansum(daylight, axis=1) / np.maximum((~np.isnan(daylight)).sum(axis=1), 1)
    beside = np.maximum(by_daylight, np.concatenate([[0.0], by_daylight[:-1]]))
    least = np.where(np.isnan(night).any(axis=1), 0.0, np.nan_to_num(night).min(axis=1))
    mean = night.mean(axis=1)
    lively = (least >= MOST_AT_NIGHT) & (beside > 0) & (mean > NIGHT_SHARE * beside)
    weekday = (np.arange(len(counts)) + hours.weekday[0]) % DAYS_A_WEEK
    for row in np.flatnonzero(lively & ~_new_year(int(hours.day[0]), len(counts))):
        of_its_kind = mean[(weekday == weekday[row]) & ~np.isnan(mean)]
        if len(of_its_kind) >= KINDS_HISTORY and mean[row] <= UNUSUAL_NIGHT * np.median(of_its_kind):
            continue
        words = Cause(
            f"au moins {int(least[row])} passages à chaque heure entre 3 h et 6 h",
            f"at least {int(least[row])} in every hour between 3:00 and 6:00",
        )
        its = np.flatnonzero(known & (rows == row) & (hours.hour >= NIGHT.start) & (hours.hour < NIGHT.stop))
        yield its, Fault.NIGHT, _always(words)


def _new_year(first: int, days: int) -> Flags:
    """Which days are the first of January, when everybody is out."""
    its = [(each.month, each.day) == (1, 1) for each in map(date.fromordinal, range(first, first + days))]
    return np.array(its, dtype=np.bool_)


def _copied(hours: Hours, known: Flags, _: Street) -> Iterator[Found]:
    """Days and halves that are hour by hour like an earlier one in both directions, beyond chance."""
    if not len(hours):
        return
    counts, rows = _by_day(hours, known)
    ways = _by_day(replace(hours, out=np.full(len(hours), np.nan)), known)[0]
    days_before = np.zeros(counts.shape, dtype=np.int64)
    for part in COPIED_AT_ONCE:
        seen: dict[bytes, int] = {}
        for row in np.flatnonzero(_rarity(counts[:, part]).sum(axis=1) <= COPIED_BY_CHANCE).tolist():
            its = counts[row, part].tobytes() + ways[row, part].tobytes()
            days_before[row, part] = np.maximum(days_before[row, part], row - seen.setdefault(its, row))
    apart = np.where(known, days_before[rows, hours.hour], 0)
    for days in np.unique(apart[apart > 0]).tolist():
        words = _said(
            f"mêmes comptages, heure par heure, que {days} jours avant,",
            f"the same counts, hour by hour, as {days} days before,",
        )
        for start, end in _runs(apart == days, hours.start):
            yield np.arange(start, end), Fault.COPIED, words


def _rarity(counts: Floats) -> Floats:
    """Logarithm (10) of how rarely chance repeats each count: two of a mean m are alike once in 2 sqrt(pi m) times."""
    rarity: Floats = np.where(counts > 0, -np.log10(2 * np.sqrt(np.pi * np.maximum(counts, 1))), 0.0 * counts)
    return rarity


def _stuck(hours: Hours, known: Flags, _: Street) -> Iterator[Found]:
    """Repetitions beyond chance."""
    at = np.flatnonzero(known)
    in_, out = np.nan_to_num(hours.in_[at], nan=-1), np.nan_to_num(hours.out[at], nan=-1)
    same = np.concatenate([[False], (np.diff(in_) == 0) & (np.diff(out) == 0)]) & (hours.both[at] > 0)
    rarity = _rarity(in_) + _rarity(out)
    for start, end in _runs(same):
        first, length = start - 1, end - start + 1
        if length >= STUCK_HOURS and (length - 1) * rarity[start] <= STUCK_BY_CHANCE:
            count = int(hours.both[at[first]])
            words = _said(f"toujours {count} passages", f"{count} every time")
            yield at[first:end], Fault.STUCK, words


def _silent(hours: Hours, known: Flags, _: Street) -> Iterator[Found]:
    """Zeros for days where people should have passed, or for hours that were never so quiet."""
    at = np.flatnonzero(known)
    zero = hours.both[at] == 0
    runs = _runs(zero)
    long = _marked(len(at), runs[runs[:, 1] - runs[:, 0] >= SILENT_HOURS])
    kind = hours.weekday[at] * HOURS_A_DAY + hours.hour[at]
    usual, quietest = _usual(hours.both[at][~long], hours.hour[at][~long], kind[~long])
    expected, at_least = (np.concatenate([[0.0], np.cumsum(each)]) for each in (usual[hours.hour[at]], quietest[kind]))
    for start, end in runs:
        for_days = end - start >= LONGEST_ZEROS and (
            expected[end] - expected[start] >= ZEROS_INSTEAD_OF or end - start == len(at)
        )
        if for_days or at_least[end] - at_least[start] >= ZEROS_INSTEAD_OF:
            yield at[start:end], Fault.SILENT, _said("aucun passage", "nobody counted")


def _one_sided(hours: Hours, known: Flags, street: Street) -> Iterator[Found]:
    at = np.flatnonzero(known & ~np.isnan(hours.in_) & ~np.isnan(hours.out))
    counted = np.concatenate([[0.0], np.cumsum(hours.both[at])])
    for name, side in ((street.in_, hours.in_), (street.out, hours.out)):
        for start, end in _runs(side[at] == 0):
            if end - start >= SILENT_HOURS and counted[end] - counted[start] >= SILENT_BESIDE:
                words = _said(f"personne compté dans le sens « {name} »", f"nobody counted in the direction “{name}”")
                yield at[start:end], Fault.ONE_SIDED, words


_RULES: Final = (_unmeasured, _doubted, _impossible, _nights, _stuck, _silent, _one_sided, _copied)
"""In their order: an hour has the first fault that is found of it."""
_UNSOUND: Final = (
    Fault.DOUBTED,
    Fault.IMPOSSIBLE,
    Fault.NIGHT,
    Fault.STUCK,
    Fault.COPIED,
    Fault.SILENT,
    Fault.ONE_SIDED,
)


def _usual(counts: Floats, hour: Ints, kind: Ints) -> tuple[Floats, Floats]:
    """The mean of each hour of the day, float64[24], and the quietest of each hour of the week, float64[168]."""
    seen = np.bincount(hour, minlength=HOURS_A_DAY)
    means = np.bincount(hour, weights=counts, minlength=HOURS_A_DAY) / np.maximum(seen, 1)
    quietest = np.zeros(DAYS_A_WEEK * HOURS_A_DAY)
    order = np.lexsort((counts, kind))
    first = np.searchsorted(kind[order], np.arange(len(quietest) + 1))
    size = np.diff(first)
    its = size >= KINDS_HISTORY
    quietest[its] = counts[order][first[:-1][its] + np.floor(QUIETEST * size[its]).astype(np.int64)]
    return means, quietest


def _by_day(hours: Hours, known: Flags) -> tuple[Floats, Ints]:
    """float64[day, 24] passages, NaN where not known, of every day from the first to the last; and each hour's row."""
    rows = hours.day - hours.day[0]
    counts = np.full((int(rows[-1]) + 1, HOURS_A_DAY), np.nan)
    counts[rows[known], hours.hour[known]] = hours.both[known]
    return counts, rows


def _runs(flags: Flags, start_s: Ints | None = None) -> Runs:
    """Where they hold in a row; of hours that begin at `start_s`, a row ends where the next hour is not there."""
    if not len(flags):
        return np.empty((0, 2), dtype=np.int64)
    apart = (
        np.zeros(len(flags), dtype=np.bool_) if start_s is None else np.concatenate([[0], np.diff(start_s)]) > HOUR_S
    )
    held = np.concatenate([[False], flags, [False]])
    starts = np.flatnonzero(flags & (~held[:-2] | apart))
    ends = np.flatnonzero(flags & (~held[2:] | np.append(apart[1:], False))) + 1
    return np.stack([starts, ends], axis=1)


def _marked(size: int, runs: Runs) -> Flags:
    steps = np.zeros(size + 1, dtype=np.int64)
    np.add.at(steps, runs[:, 0], 1)
    np.add.at(steps, runs[:, 1], -1)
    return np.cumsum(steps[:-1]) > 0


def _said(fr: str, en: str) -> Callable[[timedelta], Cause]:
    """How it is said of a length of time."""

    def words(length: timedelta) -> Cause:
        lasts = lasting(length)
        return Cause(f"{fr} pendant {lasts.fr}", f"{en} for {lasts.en}")

    return words


def _always(cause: Cause) -> Callable[[timedelta], Cause]:
    return lambda _: cause


def _stretch(hours: Hours, at: Ints, fault: Fault, words: Callable[[timedelta], Cause]) -> LeftOutHours:
    start, end = (datetime.fromtimestamp(int(each), UTC) for each in (hours.start[at[0]], hours.start[at[-1]] + HOUR_S))
    return LeftOutHours(start=start, end=end, hours=len(at), fault=fault, cause=words(end - start))


def _short_days(hours: Hours, sound: Flags) -> Iterator[ShortDay]:
    numbers, row = np.unique(hours.day, return_inverse=True)
    measured = np.bincount(row, weights=sound, minlength=len(numbers))
    for number, known in zip(numbers.tolist(), measured.tolist(), strict=True):
        day = date.fromordinal(number)
        has = hours_in(day, hours.zone)
        if 0 < known < has:
            yield ShortDay(day=day, hours=has, measured=int(known))
