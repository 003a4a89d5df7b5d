"""A report's charts by themselves, for a poster or a page of one's own: pictures, drawings and specifications in a "
"ZIP."""

import io
from collections.abc import Iterator
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from cloud_api.reports.charts import png, specification, svg
from cloud_api.reports.report import Chart, Language, Report

WORDS: Final = "charts.txt"
"""Each chart in words, for whoever does not see it."""


def pictures(report: Report) -> bytes:
    """The ZIP's bytes, the same for the same report; of a report that can tell nothing, its words alone."""
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for chart in report.charts:
            for name, data in _files(chart, report.asked.language):
                archive.writestr(ZipInfo(name), data, ZIP_DEFLATED)
        archive.writestr(ZipInfo(WORDS), _in_words(report), ZIP_DEFLATED)
    return file.getvalue()


def _files(chart: Chart, language: Language) -> Iterator[tuple[str, bytes]]:
    yield f"{chart.key}.png", png(chart, language)
    yield f"{chart.key}.svg", svg(chart, language).encode()
    yield f"{chart.key}.vl.json", msgspec.json.encode(specification(chart))


def _in_words(report: Report) -> str:
    charts = [f"{each.title}\n{each.alternative}" for each in report.charts]
    return "\n\n".join([f"{report.title}, {report.subtitle}", *charts, *report.summary]) + "\n"
