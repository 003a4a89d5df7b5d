"""How a chart looks: one specification (Vega-Lite, by altair) for the page, the PDF and the picture.

Colours are of Okabe and Ito's palette, told apart by people who see colours differently, and by their lightness in
grey. Drawn by `vl-convert`, offline.
"""

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Any, Final

from cloud_api.reports.report import Chart, ChartKind, Language, Role, Unit
from cloud_api.reports.writing import FRENCH

COLOURS: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.MEASURED: "#0072b2",
        Role.PARTIAL: "#e69f00",
        Role.ESTIMATED: "#9fd3f0",
        Role.MISSING: "#bbbbbb",
        Role.NOW: "#0072b2",
        Role.THEN: "#d55e00",
        Role.RANGE: "#cfe4f2",
    }
)
"""Okabe and Ito, Color Universal Design (2008)."""
WIDTH: Final = 640
HEIGHT: Final = 220
LOW: Final = 90
"""The height of a chart that goes with another."""
SQUARE: Final = 26
FONT: Final = "Liberation Sans, Arial, sans-serif"
FRENCH_FIGURES: Final = MappingProxyType(
    {"decimal": ",", "thousands": "\u202f", "grouping": [3], "currency": ["", "\u00a0€"]}
)
_SUNDAY_FIRST: Final = [FRENCH.weekdays[-1], *FRENCH.weekdays[:-1]]
FRENCH_DATES: Final = MappingProxyType(
    {
        "dateTime": "%A %e %B %Y à %X",
        "date": "%d/%m/%Y",
        "time": "%H:%M:%S",
        "periods": ["", ""],
        "days": _SUNDAY_FIRST,
        "shortDays": [f"{day[:3]}." for day in _SUNDAY_FIRST],
        "months": list(FRENCH.months),
        "shortMonths": list(FRENCH.short_months),
    }
)


def specification(chart: Chart) -> dict[str, Any]:
    """The chart in Vega-Lite: a JSON value, the same for the same chart.

    It is not held against altair's schema here, which takes longer than the whole chart; the tests do so.
    """
    import altair as alt
    from altair.utils.schemapi import debug_mode

    with debug_mode(False):
        styled = _styled(chart)
        with alt.data_transformers.enable("default", consolidate_datasets=False):
            return dict(styled.to_dict(validate=False))


def _styled(chart: Chart) -> Any:
    match chart.kind:
        case ChartKind.STACKED_BARS:
            drawn = _bars(chart)
        case ChartKind.LINES:
            drawn = _lines(chart)
        case ChartKind.HEAT:
            drawn = _heat(chart)
    return (
        drawn.properties(description=chart.alternative)
        .configure(font=FONT, background="white")
        .configure_axis(labelFontSize=11, titleFontSize=12, titleFontWeight="normal", gridColor="#e5e5e5")
        .configure_legend(orient="top", title=None, labelFontSize=12)
        .configure_view(stroke=None)
    )


def svg(chart: Chart, language: Language) -> str:
    """The chart as SVG, one picture with its text alternative to whoever has it read aloud."""
    import vl_convert

    drawn = str(vl_convert.vegalite_to_svg(specification(chart), **locale(language)))
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(chart.alternative)}" ', 1)


def png(chart: Chart, language: Language, scale: float = 2.0) -> bytes:
    """The chart as a picture."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(specification(chart), scale=scale, **locale(language)))


def locale(language: Language) -> dict[str, Any]:
    """How figures and dates are written on axes, as `vl-convert` wants it; empty for English."""
    if language is Language.ENGLISH:
        return {}
    return {"format_locale": dict(FRENCH_FIGURES), "time_format_locale": dict(FRENCH_DATES)}


def _bars(chart: Chart) -> Any:
    import altair as alt

    return (
        alt.Chart(_data(chart), width=WIDTH, height=LOW if chart.unit is Unit.HOURS else HEIGHT)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=_x(chart),
            y=alt.Y("y:Q", title=chart.y_title, axis=alt.Axis(format=",d", tickCount=4)),
            color=_colour(chart),
            order=alt.Order("order:Q"),
        )
    )


def _lines(chart: Chart) -> Any:
    import altair as alt

    return (
        alt.Chart(_data(chart), width=WIDTH, height=HEIGHT)
        .mark_line(point=True, strokeWidth=2)
        .encode(
            x=_x(chart),
            y=alt.Y("y:Q", title=chart.y_title, axis=alt.Axis(format=_figures(chart), tickCount=5)),
            color=_colour(chart),
            strokeDash=alt.StrokeDash("series:N", sort=_names(chart), legend=None),
        )
    )


def _heat(chart: Chart) -> Any:
    import altair as alt

    return (
        alt.Chart(_data(chart), width=alt.Step(SQUARE), height=alt.Step(SQUARE))
        .mark_rect(stroke="white")
        .encode(
            x=alt.X("x:O", title=chart.x_title, sort=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("series:N", title=chart.y_title or None, sort=_names(chart)),
            color=alt.Color(
                "y:Q",
                scale=alt.Scale(scheme="blues", domainMin=0),
                legend=alt.Legend(orient="right", format=_figures(chart), title=None),
            ),
        )
    )


def _x(chart: Chart) -> Any:
    import altair as alt

    if chart.dates:
        axis = alt.Axis(format="%d/%m", labelAngle=0, tickCount=12, labelOverlap=True)
        return alt.X("x:T", timeUnit="utcyearmonthdate", title=None, axis=axis)
    return alt.X("x:O", title=chart.x_title, sort=None, axis=alt.Axis(labelAngle=0, labelOverlap=True))


def _colour(chart: Chart) -> Any:
    import altair as alt

    return alt.Color(
        "series:N",
        sort=_names(chart),
        scale=alt.Scale(domain=_names(chart), range=[COLOURS[each.role] for each in chart.series]),
    )


def _figures(chart: Chart) -> str:
    return ".0%" if chart.unit is Unit.SHARE else ",d"


def _names(chart: Chart) -> list[str]:
    return [each.name for each in chart.series]


def _data(chart: Chart) -> Any:
    import altair as alt

    order = {each.name: number for number, each in enumerate(chart.series)}
    return alt.Data(
        values=[{"x": each.x, "series": each.series, "y": each.y, "order": order[each.series]} for each in chart.points]
    )
