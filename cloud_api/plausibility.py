"""Counts that cannot be so: pure functions of a counter's hours.

In come the hours of one channel, the right way round; out come findings: from when to when, and why in words. What
nobody measured is neither for nor against. `make bench` (`trust`) says
how often real weeks are doubted, and how many faults put into them are found.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from cloud_api.trust import Cause, lasting

HOUR: Final = timedelta(hours=1)
MOST_PER_HOUR: Final = MappingProxyType({"bicycle": 6_000, "vehicle": 4_000})
"""Two lanes' capacity each (HCM: 3,000 bicycles, 2,000 cars an hour)."""
MOST_ON_FOOT: Final = 20_000
"""Four metres of pavement at its capacity (HCM: 82 persons a minute and metre), for what no other mode is named."""
NIGHT: Final = range(3, 6)
DAY: Final = range(8, 20)
MOST_AT_NIGHT: Final = 50
"""In every hour of the night: where it is so, the day before it or after it must have had twice as many on the mean."""
NIGHT_SHARE: Final = 0.5
LONGEST_ZEROS: Final = 48
"""Measured hours without anybody."""
ZEROS_INSTEAD_OF: Final = 20.0
"""So many should have passed meanwhile, by the other hours; by chance nobody comes then once in 10**8 times."""
SILENT_HOURS: Final = 24
"""Measured hours in which one direction counts nobody, while the other counts `SILENT_BESIDE`."""
SILENT_BESIDE: Final = 100


class Counted(Struct, frozen=True, kw_only=True):
    """One measured hour of one channel, the right way round."""

    start: datetime
    in_: int | None
    out: int | None
    """None where this direction is not counted."""

    @property
    def both(self) -> int:
        """Both directions together."""
        return (self.in_ or 0) + (self.out or 0)


class Finding(Struct, frozen=True):
    """A period, start <= t < end, whose counts cannot be so."""

    start: datetime
    end: datetime
    cause: Cause


class Street(Struct, frozen=True, kw_only=True):
    """What must be known of a counter to judge it."""

    mode: str
    """The device's word for what it counts."""
    in_: str
    """What `in` means there, in the town's words."""
    out: str
    zone: ZoneInfo
    lively_at_night: bool = False
    """Whether its nights may be as lively as its days."""


def findings(hours: Sequence[Counted], street: Street) -> list[Finding]:
    """All that cannot be so in measured hours, which are in order of time; by start."""
    return _in_order([*by_any_history(hours, street), *_nights(hours, street)])


def by_any_history(hours: Sequence[Counted], street: Street) -> list[Finding]:
    """The same without lively nights: who knows more of the street's nights judges them better (`reports/quality`)."""
    return _in_order([*_beyond(hours, street), *_zeros(hours), *_silent_directions(hours, street)])


def _in_order(found: Sequence[Finding]) -> list[Finding]:
    return sorted(found, key=lambda finding: (finding.start, finding.end))


def _beyond(hours: Sequence[Counted], street: Street) -> Iterator[Finding]:
    most = MOST_PER_HOUR.get(street.mode, MOST_ON_FOOT)
    for hour in hours:
        if hour.both > most:
            cause = Cause(
                f"{hour.both} passages en une heure, plus qu’une rue n’en porte",
                f"{hour.both} in one hour, more than a street can carry",
            )
            yield Finding(hour.start, hour.start + HOUR, cause)


def _nights(hours: Sequence[Counted], street: Street) -> Iterator[Finding]:
    if street.lively_at_night:
        return
    by_day: dict[date, dict[int, Counted]] = {}
    for hour in hours:
        local = hour.start.astimezone(street.zone)
        by_day.setdefault(local.date(), {})[local.hour] = hour
    for day, known in by_day.items():
        night = [known[hour] for hour in NIGHT if hour in known]
        least = min((hour.both for hour in night), default=0)
        if len(night) < len(NIGHT) or least < MOST_AT_NIGHT:
            continue
        beside = max(_by_daylight(by_day, day - timedelta(days=1)), _by_daylight(by_day, day))
        if beside and _mean(night) > NIGHT_SHARE * beside:
            cause = Cause(
                f"au moins {least} passages à chaque heure entre 3 h et 6 h",
                f"at least {least} in every hour between 3:00 and 6:00",
            )
            yield Finding(night[0].start, night[-1].start + HOUR, cause)


def _by_daylight(by_day: Mapping[date, Mapping[int, Counted]], day: date) -> float:
    known = by_day.get(day, {})
    return _mean([known[hour] for hour in DAY if hour in known])


def _mean(hours: Sequence[Counted]) -> float:
    return sum(hour.both for hour in hours) / len(hours) if hours else 0.0


def _zeros(hours: Sequence[Counted]) -> Iterator[Finding]:
    usual = _usual(hours)
    for run in _runs(hours, lambda hour: hour.both == 0):
        missing = sum(usual[hour.start.hour] for hour in run)
        if len(run) >= LONGEST_ZEROS and (missing >= ZEROS_INSTEAD_OF or len(run) == len(hours)):
            yield _finding(run, Cause("aucun passage", "nobody counted"))


def _usual(hours: Sequence[Counted]) -> Mapping[int, float]:
    """Passages in each hour of the day, outside long runs of zeros."""
    silent = {
        hour.start for run in _runs(hours, lambda hour: hour.both == 0) if len(run) >= LONGEST_ZEROS for hour in run
    }
    known = [hour for hour in hours if hour.start not in silent]
    return {of_day: _mean([hour for hour in known if hour.start.hour == of_day]) for of_day in range(24)}


def _silent_directions(hours: Sequence[Counted], street: Street) -> Iterator[Finding]:
    two_way = [hour for hour in hours if hour.in_ is not None and hour.out is not None]
    sides = (
        (street.in_, _runs(two_way, lambda hour: hour.in_ == 0)),
        (street.out, _runs(two_way, lambda hour: hour.out == 0)),
    )
    for name, runs in sides:
        for run in runs:
            if len(run) >= SILENT_HOURS and sum(hour.both for hour in run) >= SILENT_BESIDE:
                cause = Cause(f"personne compté dans le sens « {name} »", f"nobody counted in the direction “{name}”")
                yield _finding(run, cause)


def _runs(hours: Sequence[Counted], holds: Callable[[Counted], bool]) -> Iterator[list[Counted]]:
    """Hours in a row of which it holds; hours that nobody measured do not end a run."""
    return (list(run) for held, run in groupby(hours, key=holds) if held)


def _finding(run: Sequence[Counted], what: Cause) -> Finding:
    start, end = run[0].start, run[-1].start + HOUR
    words = lasting(end - start)
    return Finding(start, end, Cause(f"{what.fr} pendant {words.fr}", f"{what.en} for {words.en}"))
