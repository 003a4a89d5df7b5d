"""Periods as people write them: local dates or dated times; as stores want them: UTC, by the hour.

In come texts and a time zone, out comes a `Period`, or one `PeriodError` that says what was expected. Days are cut
where the town's clocks cut them, so one has 23, 24 or 25 hours.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

LONGEST: Final = timedelta(days=400)
"""No period is longer: a year and what one compares it with."""
YEARS: Final = range(2000, 2100)
HOUR: Final = timedelta(hours=1)
EXPECTED: Final = "a date (2026-03-29) or a time with its offset (2026-03-29T08:00:00+02:00) expected"


class PeriodError(Exception):
    """A period that makes no sense: which of its ends, and what was expected."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        """`from` or `to`."""
        self.reason = reason
        super().__init__(f"{field}: {reason}")


class Period(Struct, frozen=True):
    """Whole hours from `start` to before `end`, UTC."""

    start: datetime
    end: datetime

    def hours(self) -> Iterator[datetime]:
        """The start of each hour, UTC."""
        hour = self.start
        while hour < self.end:
            yield hour
            hour += HOUR


def parse_period(start: str, end: str, zone: ZoneInfo) -> Period:
    """The hours that lie wholly or partly in `start` <= t < `end`. Raises `PeriodError`."""
    first = _parse("from", start, zone)
    last = _parse("to", end, zone)
    if last <= first:
        raise PeriodError(
            "to", "a time after `from` expected; `to` itself is not included, so one day ends on the next"
        )
    if last - first > LONGEST:
        raise PeriodError("to", f"at most {LONGEST.days} days after `from` expected")
    return Period(_hour_of(first), _hour_after(last))


def _parse(field: str, text: str, zone: ZoneInfo) -> datetime:
    instant = _midnight(text, zone) or _instant(text)
    if instant is None:
        raise PeriodError(field, f"{text!r}: {EXPECTED}{_lost_plus(text)}")
    if instant.year not in YEARS:
        raise PeriodError(field, f"{text!r}: a year from {YEARS.start} to {YEARS.stop - 1} expected")
    return instant.astimezone(UTC)


def _midnight(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=zone)
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


def _lost_plus(text: str) -> str:
    """What goes wrong most: a `+` that is not escaped arrives as a space."""
    return "; in a URL the + of the offset is written %2B" if " " in text else ""


def _hour_of(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _hour_after(instant: datetime) -> datetime:
    hour = _hour_of(instant)
    return hour if hour == instant else hour + HOUR
