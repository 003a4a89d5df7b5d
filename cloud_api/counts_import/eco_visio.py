"""The profile `eco-visio`: exports as Eco-Visio writes them, a column of times and one for each site or direction.

`Time;Rue Haute;Rue Haute IN;Rue Haute OUT` or `Date;Heure;…`, with `;`, `,` or tabulators between, times by the clock
on the wall or with their offset, in steps of an hour or less. Lines above the heading are passed over. A column that is
the sum of its site's directions is left out: it would count everybody twice.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby, islice, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from cloud_api.counts_import.counts import Count, Empty, Lines, Read, Refused, UnreadableError, Way, passages_in
from cloud_api.counts_import.wall_clock import instants

TIME_NAMES: Final = frozenset({"time", "date", "date/heure", "date et heure", "horodatage", "date/time", "datetime"})
HOUR_NAMES: Final = frozenset({"heure", "hour", "time"})
LINES_ABOVE: Final = 20
"""The heading stands among the first lines."""
DIRECTED: Final = re.compile(r"(?P<site>.+?)[\s_–-]+(?P<way>in|out|entrée|entree|sortie)", re.IGNORECASE)
WAYS: Final[Mapping[str, Way]] = {
    "in": Way.IN,
    "entrée": Way.IN,
    "entree": Way.IN,
    "out": Way.OUT,
    "sortie": Way.OUT,
}
FRENCH_TIME: Final = re.compile(r"(\d\d)[/-](\d\d)[/-](\d{4}) (\d\d:\d\d(?::\d\d)?)")
LOOKED_AT: Final = 48
"""So many first lines say how long a step is."""
HOUR_S: Final = 3600

_Row = tuple[int, list[str], datetime | None]
"""Line, cells, and what its time says."""
_Column = tuple[str, Way] | None
"""Site and direction; None for what is not read."""


def read(lines: Lines, zone: ZoneInfo) -> Read:
    """The counts of an export. Raises `UnreadableError`."""
    above, rest = _split(lines)
    delimiter = max(";,\t", key=above[-1].count)
    head = next(csv.reader([above[-1]], delimiter=delimiter))
    first = 2 if len(head) > 2 and head[1].strip().lower() in HOUR_NAMES else 1
    columns = _columns(head[first:])
    rows = csv.reader(rest, delimiter=delimiter)
    told = ((rows.line_num + len(above), row, _time(" ".join(row[:first]))) for row in rows if row)
    start = list(islice(told, LOOKED_AT))
    seconds = _step(start)
    for _, its in groupby(chain(start, told), key=lambda row: None if row[2] is None else row[2].date()):
        yield from _day(list(its), first, head[first:], columns, seconds, zone)


def _split(lines: Lines) -> tuple[list[str], Iterator[str]]:
    """The lines down to the heading, and those below it."""
    rest = iter(lines)
    above: list[str] = []
    for line in islice(rest, LINES_ABOVE):
        above.append(line)
        if re.split("[;,\t]", line)[0].strip(' "\n\r').lower() in TIME_NAMES:
            return above, rest
    raise UnreadableError(
        f"no heading in the first {LINES_ABOVE} lines: a first column Time, Date or Horodatage expected"
    )


def _columns(names: Sequence[str]) -> list[_Column]:
    found: list[tuple[str, Way]] = []
    for name in names:
        directed = DIRECTED.fullmatch(name.strip())
        found.append((directed["site"], WAYS[directed["way"].lower()]) if directed else (name.strip(), Way.BOTH))
    directed_sites = {site for site, way in found if way is not Way.BOTH}
    return [None if way is Way.BOTH and site in directed_sites else (site, way) for site, way in found]


def _step(rows: Sequence[_Row]) -> int:
    """The length of an interval, in seconds. Raises `UnreadableError`."""
    times = [time for _, _, time in rows if time is not None]
    steps = [after - before for before, after in pairwise(times) if (after.tzinfo is None) == (before.tzinfo is None)]
    steps = [step for step in steps if step > timedelta(0)]
    if not steps:
        raise UnreadableError("times such as 31/01/2024 13:00 or 2024-01-31 13:00 expected below the heading")
    seconds = round(min(steps).total_seconds())
    if not 60 <= seconds <= HOUR_S or HOUR_S % seconds:
        raise UnreadableError(f"its times lie {seconds} s apart; an hour, or a part of it, expected")
    return seconds


def _day(
    rows: Sequence[_Row], first: int, names: Sequence[str], columns: Sequence[_Column], seconds: int, zone: ZoneInfo
) -> Read:
    for (line, cells, _), start in zip(rows, _starts([row[2] for row in rows], zone), strict=True):
        if isinstance(start, str):
            yield Refused(line=line, field="", text=" ".join(cells[:first]), reason=start)
        elif start.timestamp() % seconds:
            reason = f"a time on a step of {seconds} s expected"
            yield Refused(line=line, field="", text=" ".join(cells[:first]), reason=reason)
        else:
            yield from _cells(line, cells[first:], names, columns, start, seconds)


def _starts(times: Sequence[datetime | None], zone: ZoneInfo) -> list[datetime | str]:
    if any(time is None for time in times):
        return ["a time such as 31/01/2024 13:00 or 2024-01-31 13:00 expected"] * len(times)
    known = [time for time in times if time is not None]
    local = instants([time for time in known if time.tzinfo is None], zone)
    of_local = iter(local)
    return [next(of_local) if time.tzinfo is None else time.astimezone(UTC) for time in known]


def _cells(
    line: int, cells: Sequence[str], names: Sequence[str], columns: Sequence[_Column], start: datetime, seconds: int
) -> Read:
    if len(cells) != len(columns):
        reason = f"{len(columns)} counts expected, {len(cells)} found"
        yield Refused(line=line, field="", text=";".join(cells), reason=reason)
        return
    for name, column, cell in zip(names, columns, cells, strict=True):
        passages = passages_in(cell)
        if column is None:
            continue
        if not cell.strip():
            yield Empty(line)
        elif passages is None:
            yield Refused(line=line, field=name, text=cell, reason="a whole number of passages expected")
        else:
            site, way = column
            yield Count(counter=site, way=way, start=start, seconds=seconds, passages=passages, line=line)


def _time(text: str) -> datetime | None:
    french = FRENCH_TIME.fullmatch(text.strip())
    try:
        return datetime.fromisoformat("{2}-{1}-{0} {3}".format(*french.groups()) if french else text.strip())
    except ValueError:
        return None
