"""What the sums of counters say together: totals, the usual week, peaks, a change. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from cloud_api.flows import known_sum
from cloud_api.reports.flow_facts import PlaceCompared, PlaceYear
from cloud_api.reports.flow_indicators import DAY_PARTS, DAYS_A_WEEK, HOURS_A_DAY, DayPart, Total
from cloud_api.reports.hours import Floats
from cloud_api.reports.place_hours import DaySums, PlaceSums
from cloud_api.reports.report import Cell
from cloud_api.reports.streets import SectionSums, StreetSums

PEAKS: Final = 5


def week_of(places: Sequence[PlaceSums]) -> Floats:
    """float64[7, 24] passages of each hour of the week: the sum of the counters' means; NaN where one has none."""
    week: Floats = np.sum([each.week for each in places], axis=0)
    return week


def total_of(days: DaySums) -> tuple[Cell, Cell, Cell]:
    """In, out and both; None where nothing of it was counted."""
    in_ = int(days.in_.sum()) if days.in_known.any() else None
    out = int(days.out.sum()) if days.out_known.any() else None
    return in_, out, int(days.counted.sum()) if days.known.any() else None


def part_shares(week: Floats) -> dict[DayPart, float]:
    """The share of each part of the day in a usual week; NaN where no hour of the week is known."""
    by_hour = np.nansum(week, axis=0)
    whole = float(by_hour.sum())
    shares = {part: float(by_hour[list(hours)].sum()) for part, hours in DAY_PARTS.items()}
    shares[DayPart.NIGHT] = whole - sum(shares.values())
    return {part: share / whole if whole else float("nan") for part, share in shares.items()}


def peaks_of(week: Floats) -> list[tuple[int, int, float]]:
    """Weekday, hour and mean of the hours of the week with most passages."""
    known = [
        (weekday, hour, float(week[weekday, hour]))
        for weekday in range(DAYS_A_WEEK)
        for hour in range(HOURS_A_DAY)
        if not np.isnan(week[weekday, hour])
    ]
    return sorted(known, key=lambda each: (-each[2], each[0], each[1]))[:PEAKS]


def busiest_day(days: DaySums) -> int | None:
    """The day of most passages among those that were measured whole; None where there is none."""
    whole = days.measured_h == days.hours
    return int(np.argmax(np.where(whole, days.counted, -1))) if whole.any() else None


def open_share_of(days: DaySums) -> float | None:
    """The share of what was counted in sound hours that was counted while shops were open; None of nobody."""
    sound = float(days.sound.sum())
    return float(days.open.sum()) / sound if sound else None


def year_of(years: Sequence[PlaceYear]) -> Total | None:
    """What all counters counted since the first of January; None of no counter."""
    totals = [each.total for each in years]
    if not totals:
        return None
    hours = sum(each.hours for each in totals)
    return Total(
        start=totals[0].start,
        in_=known_sum(each.in_ for each in totals),
        out=known_sum(each.out for each in totals),
        hours=hours,
        measured=sum(each.measured for each in totals),
        coverage=sum(each.coverage * each.hours for each in totals) / hours,
    )


def town_of(streets: Sequence[StreetSums]) -> SectionSums:
    """All streets together: passages of each, never persons; a mean only where every street has one."""
    wholes = [each.whole for each in streets]
    means = [each.per_day for each in wholes if each.per_day is not None]
    return SectionSums(
        name="",
        counters=sum(each.counters for each in wholes),
        passages=sum(each.passages for each in wholes),
        per_day=sum(means) if len(means) == len(wholes) else None,
        days=min(each.days for each in wholes),
        hours=sum(each.hours for each in wholes),
        known_h=sum(each.known_h for each in wholes),
    )


def change_of(compared: Sequence[PlaceCompared]) -> tuple[float, float, list[str]] | None:
    """Passages per day now and then over the counters that can be compared, and their names; None where none can."""
    known = [(each.name, each.compared) for each in compared if each.compared is not None]
    if not known:
        return None
    return sum(its.now for _, its in known), sum(its.then for _, its in known), [name for name, _ in known]
