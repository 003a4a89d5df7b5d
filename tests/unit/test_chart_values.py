"""What a chart shows can be read as a table: each place on its axis, each series, and a dash for what is not known."""

from cloud_api.reports.chart_values import values_of
from cloud_api.reports.report import Chart, ChartKind, Language, Point, Role, Series, Unit
from cloud_api.reports.writing import writing_in


def chart(unit: Unit, *points: Point, dates: bool = False) -> Chart:
    return Chart(
        key="chart",
        kind=ChartKind.STACKED_BARS,
        title="",
        alternative="",
        x_title="jour",
        y_title="",
        unit=unit,
        series=(Series("mesurés", Role.MEASURED), Series("estimés", Role.ESTIMATED)),
        points=points,
        dates=dates,
    )


def test_a_day_has_a_figure_for_each_series_and_a_dash_where_nothing_is_known() -> None:
    told = values_of(
        chart(
            Unit.PASSAGES,
            Point("2026-11-10", "mesurés", 1713.0),
            Point("2026-11-10", "estimés", 0.0),
            Point("2026-11-11", "mesurés", None),
            dates=True,
        ),
        writing_in(Language.FRENCH),
    )

    assert told.head == "jour"
    assert told.keys == ("2026-11-10", "2026-11-11")
    assert told.labels == ("mar. 10/11/2026", "mer. 11/11/2026")
    assert told.rows == (("1\u202f713", "0"), ("–", "–"))


def test_shares_are_percentages() -> None:
    told = values_of(chart(Unit.SHARE, Point("9", "mesurés", 1.0)), writing_in(Language.ENGLISH))

    assert (told.labels, told.rows) == (("9",), (("100.0%", "–"),))
