"""The calendar that the page on reports shows is one."""

import re
from datetime import date
from pathlib import Path

from cloud_api.reports.calendar import parse_calendar

PAGE = Path(__file__).parents[2] / "docs" / "reports.md"


def test_the_calendar_on_the_page_is_read_as_it_says() -> None:
    (text,) = re.findall(r"```toml\n(\[\[market\]\].*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    calendar = parse_calendar(text, PAGE)

    assert calendar.markets_on(date(2026, 11, 28)) == ("Marché des Lices",)
    assert date(2026, 12, 24) in calendar.special_days()
