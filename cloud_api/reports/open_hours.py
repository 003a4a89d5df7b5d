"""When shops are open, and how much of an hour, or of a stay, lies within.

In comes a text in OpenStreetMap's syntax (`Mo-Sa 10:00-19:00; PH off`), read by `opening-hours-py`; `PH` are the public
holidays of France. Out come seconds and shares. Pure.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from opening_hours import OpeningHours, State, validate

from cloud_api.opening import COUNTRY
from cloud_api.reports.hours import Floats, Hours
from cloud_api.reports.writing import Writing

HOUR_S: Final = 3600
CLOCK: Final = re.compile(r"\b(\d\d?):(\d\d)\b")
FRENCH: Final = MappingProxyType(
    {
        "PH off": "fermé les jours fériés",
        "Mo": "lundi",
        "Tu": "mardi",
        "We": "mercredi",
        "Th": "jeudi",
        "Fr": "vendredi",
        "Sa": "samedi",
        "Su": "dimanche",
        "PH": "jours fériés",
        "off": "fermé",
    }
)
ENGLISH: Final = MappingProxyType({"PH off": "closed on public holidays", "PH": "public holidays", "off": "closed"})


@dataclass(frozen=True, slots=True)
class OpenTime:
    """How much time was open since a first moment; both arrays have the shape [change], in order of time."""

    at: Floats
    """Seconds since 1970."""
    open_s: Floats
    """Open seconds from the first moment until then; it grows evenly between two of them."""

    def until(self, times: Floats) -> Floats:
        """float64[time]: open seconds from the first moment until each time; outside the period it stands still."""
        until: Floats = np.interp(times, self.at, self.open_s)
        return until


def understood(text: str) -> bool:
    """Whether it is OpenStreetMap's syntax."""
    return validate(text)


@lru_cache(16)
def open_time(text: str, zone: ZoneInfo, first: int, last: int) -> OpenTime:
    """Open time from `first` to `last`, seconds since 1970; the text must be `understood`."""
    start, end = (datetime.fromtimestamp(at, UTC).astimezone(zone) for at in (first, last))
    intervals = OpeningHours(text, country=COUNTRY, timezone=zone).intervals(start, end)
    begins, ends, open_ = zip(
        *((since.timestamp(), until.timestamp(), state is State.OPEN) for since, until, state, _ in intervals),
        strict=True,
    )
    lengths = np.where(open_, np.subtract(ends, begins), 0.0)
    return OpenTime(np.array([*begins, ends[-1]]), np.concatenate([[0.0], np.cumsum(lengths)]))


def open_share(text: str, hours: Hours) -> Floats:
    """float64[hour]: how much of each hour is open, 0 to 1; of at least one hour, none left out."""
    edges = np.append(hours.start, hours.start[-1] + HOUR_S).astype(np.float64)
    its = open_time(text, hours.zone, int(edges[0]), int(edges[-1]))
    share: Floats = np.diff(its.until(edges)) / HOUR_S
    return share


def in_words(text: str, write: Writing) -> str:
    """`lundi–samedi 10 h–19 h ; fermé les jours fériés`; what has no word stays as it is."""
    for token, word in (FRENCH if write.is_french else ENGLISH).items():
        text = re.sub(rf"\b{token}\b", word, text)
    text = re.sub(r",\s*", ", ", text).replace("-", "–")
    return write.say(CLOCK.sub(lambda found: _clock(*found.groups()), text.replace(";", " ;")), text)


def _clock(hour: str, minute: str) -> str:
    return f"{int(hour)}\u202fh" if minute == "00" else f"{int(hour)}\u202fh\u202f{minute}"
