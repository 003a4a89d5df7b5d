"""What a chart shows, as a table: for whoever does not see it, and for what is read out where somebody points. Pure."""

from datetime import date

from msgspec import Struct

from cloud_api.reports.report import Chart, Unit
from cloud_api.reports.writing import Writing


class ChartValues(Struct, frozen=True, kw_only=True):
    """A row for each place on the horizontal axis, a column for each series; figures as the language writes them."""

    head: str
    series: tuple[str, ...]
    keys: tuple[str, ...]
    """Each row's x, as the chart's points have it."""
    labels: tuple[str, ...]
    """The same, written."""
    rows: tuple[tuple[str, ...], ...]


def values_of(chart: Chart, write: Writing) -> ChartValues:
    """The chart's values; what is not known is a dash, never 0."""
    known = {(each.x, each.series): each.y for each in chart.points}
    keys = tuple(dict.fromkeys(each.x for each in chart.points))
    series = tuple(each.name for each in chart.series)
    return ChartValues(
        head=chart.x_title,
        series=series,
        keys=keys,
        labels=tuple(write.short_day(date.fromisoformat(key)) if chart.dates else key for key in keys),
        rows=tuple(tuple(_written(known.get((key, name)), chart.unit, write) for name in series) for key in keys),
    )


def _written(value: float | None, unit: Unit, write: Writing) -> str:
    if value is None or unit is Unit.SHARE or not value.is_integer():
        return write.cell(value, unit)
    return write.cell(int(value), unit)
