"""What the rules leave out of seven real years, what they find of faults put into them, and how long judging takes.

Nobody knows the truth of the real years; what is known of the town tells what is wrongly accused: in the weeks of the
lockdowns hardly anybody was out, and a street was silent for an hour without any fault of its sensor.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from time import process_time
from typing import Final

import numpy as np

from cloud_api.plausibility import Street
from cloud_api.reports.hours import Flags, Floats, Hours
from cloud_api.reports.quality import FAULTS, SOUND, Fault, judged
from tests import auckland
from tests.bench.table import Row

STREET: Final = Street(mode="pedestrian", in_="in", out="out", zone=auckland.AUCKLAND)
LOCKDOWNS: Final = ((date(2020, 3, 26), date(2020, 5, 13)), (date(2021, 8, 18), date(2021, 12, 2)))
SHORT_H: Final = 8
"""Shorter silences the simulator's reader of the same file takes for quiet."""
PLANTED: Final = 4
"""Faults of each sort put into each counter."""
SEED: Final = 31
WEEK_H: Final = 168
TOWN: Final = 100
FIVE_YEARS_H: Final = 5 * 8766

Spoil = Callable[[Floats, int], int]
"""Puts a fault into counts at an hour; for how many hours."""


def rows() -> Iterator[Row]:
    """The figures of this file."""
    town = auckland.streets()
    yield from _found(town)
    for what, spoil in FAULTS_PUT_IN.items():
        yield Row(f"  found where {what}", 100 * _recall(town, spoil), "%")
    yield Row(f"judging {TOWN} counters over five years", _seconds(town), "s")


def _found(town: Mapping[str, Hours]) -> Iterator[Row]:
    judgements = [judged(hours, STREET) for hours in town.values()]
    counted = sum(int((~np.isnan(each.hours.both)).sum()) for each in judgements)
    yield Row(f"hours counted by {len(town)} real counters over seven years", counted, "h")
    for fault in FAULTS:
        if hours := sum(each.count(fault) for each in judgements):
            yield Row(f"  left out: {fault.value}", hours, "h")
    silences = [each for judgement in judgements for each in judgement.left_out if each.fault is Fault.SILENT]
    short = [each for each in silences if each.hours < SHORT_H]
    quiet = [each for each in short if _locked_down(each.start.astimezone(auckland.AUCKLAND).date())]
    yield Row(f"  silences of {SHORT_H} hours and more", len(silences) - len(short), "silences")
    yield Row("  shorter silences", len(short), "silences")
    yield Row("    of these in lockdowns: wrongly accused, most likely", len(quiet), "silences")
    yield Row("  days with some hours known and some not", sum(len(each.short_days) for each in judgements), "days")


def _locked_down(day: date) -> bool:
    return any(first <= day <= last for first, last in LOCKDOWNS)


def _recall(town: Mapping[str, Hours], spoil: Spoil) -> float:
    """The share of faults of which at least half the hours are left out."""
    random = np.random.default_rng(SEED)
    found = []
    for hours in town.values():
        sound = judged(hours, STREET).fault == SOUND
        for at in _sound_mondays(hours, sound, random):
            counts = hours.in_.copy()
            length = spoil(counts, at)
            fault = judged(replace(hours, in_=counts), STREET).fault
            found.append((fault[at : at + length] != SOUND).mean() >= 0.5)
    return float(np.mean(found))


def _sound_mondays(hours: Hours, sound: Flags, random: np.random.Generator) -> list[int]:
    """Hours at which sound weeks begin that follow sound weeks."""
    begins = np.flatnonzero((hours.weekday == 0) & (hours.hour == 0))
    whole = [at for at in begins.tolist() if at >= WEEK_H and sound[at - WEEK_H : at + WEEK_H].all()]
    return sorted(random.choice(whole, min(PLANTED, len(whole)), replace=False).tolist())


def _seconds(town: Mapping[str, Hours]) -> float:
    some = [
        replace(each, **{name: getattr(each, name)[-FIVE_YEARS_H:] for name in Hours.__slots__ if name != "zone"})
        for each in town.values()
    ]
    begin = process_time()
    for number in range(TOWN):
        judged(some[number % len(some)], STREET)
    return process_time() - begin


def _silent(hours: int) -> Spoil:
    def spoil(counts: Floats, at: int) -> int:
        counts[at : at + hours] = 0
        return hours

    return spoil


def _times(factor: float) -> Spoil:
    def spoil(counts: Floats, at: int) -> int:
        counts[at : at + WEEK_H] = np.round(counts[at : at + WEEK_H] * factor)
        return WEEK_H

    return spoil


def _repeats(counts: Floats, at: int) -> int:
    counts[at : at + WEEK_H] = counts[at - WEEK_H : at]
    return WEEK_H


def _hangs(counts: Floats, at: int) -> int:
    counts[at : at + 24] = counts[at - 12]
    return 24


def _sees_a_branch(counts: Floats, at: int) -> int:
    counts[at : at + 6] = np.random.default_rng(at).poisson(300, 6)
    return 6


FAULTS_PUT_IN: Final[Mapping[str, Spoil]] = {
    "it is silent for a week": _silent(WEEK_H),
    "it is silent for a day": _silent(24),
    "it is silent from 0:00 to 6:00": _silent(6),
    "a week was copied from the one before": _repeats,
    "it says the same for a day": _hangs,
    "it counts a branch in the wind from 0:00 to 6:00": _sees_a_branch,
    "it counts a tenth for a week": _times(0.1),
    "it counts twice as many for a week": _times(2.0),
}
