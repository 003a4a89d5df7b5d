"""The profile `comptage`: measures of the Schéma comptage mobilités (etalab), as `passerelle` itself publishes them.

`channel_id,counter_id,start_datetime,end_datetime,count`, a line for each channel and interval, times with offsets.
Channels that are called `…-in` and `…-out` are the two directions of one counter.
"""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from cloud_api.counts_import.counts import Count, Empty, Lines, Read, Refused, UnreadableError, Way, passages_in

FIELDS: Final = ("channel_id", "start_datetime", "end_datetime", "count")
DIRECTIONS: Final = {"-in": Way.IN, "-out": Way.OUT}
HOUR_S: Final = 3600


def read(lines: Lines, zone: ZoneInfo) -> Read:
    """The counts of an export; its times say their own offsets. Raises `UnreadableError`."""
    del zone
    rows = csv.DictReader(lines, restval="")
    missing = [name for name in FIELDS if name not in (rows.fieldnames or ())]
    if missing:
        raise UnreadableError(f"line 1: the columns {', '.join(FIELDS)} expected, no {', '.join(missing)} found")
    for row in rows:
        yield _read(rows.line_num, row)


def _read(line: int, row: Mapping[str, str]) -> Count | Refused | Empty:
    if not row["count"].strip():
        return Empty(line)
    start, end = (_instant(row[name]) for name in ("start_datetime", "end_datetime"))
    if start is None or end is None:
        name = "start_datetime" if start is None else "end_datetime"
        reason = "a time with its offset, such as 2024-01-31T13:00:00Z, expected"
        return Refused(line=line, field=name, text=row[name], reason=reason)
    seconds = round((end - start).total_seconds())
    if not 60 <= seconds <= HOUR_S or HOUR_S % seconds or start.timestamp() % seconds:
        reason = f"{seconds} s; an hour, or a part of it, expected, on a step of its own length"
        return Refused(line=line, field="end_datetime", text=row["end_datetime"], reason=reason)
    passages = passages_in(row["count"])
    if passages is None or not row["channel_id"]:
        name = "channel_id" if passages is not None else "count"
        reason = "a whole number of passages expected" if passages is None else "the name of a channel expected"
        return Refused(line=line, field=name, text=row[name], reason=reason)
    counter, way = _channel(row["channel_id"])
    return Count(counter=counter, way=way, start=start, seconds=seconds, passages=passages, line=line)


def _channel(name: str) -> tuple[str, Way]:
    for ending, way in DIRECTIONS.items():
        if name.endswith(ending) and name != ending:
            return name.removesuffix(ending), way
    return name, Way.BOTH


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if instant.tzinfo is None else instant.astimezone(UTC)
