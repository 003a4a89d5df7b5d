"""Schéma comptage mobilités 0.2.5 (etalab): who counts where, which way, and how many, as three CSV files.

A counter is a site, each of its two directions a channel, each hour of a channel a measure. 0 is nobody; empty is
unknown: an hour that nobody measured, of which less than nine tenths were, or whose counts cannot be so. Times are UTC.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cloud_api.flows import HourlyFlows, LocalHour
from cloud_api.flows_now import COVERED
from cloud_api.formats.picture import Town
from cloud_api.registry import Counter, Installation
from cloud_api.trust import Trust

MEDIA_TYPE: Final = "text/csv"
HOUR: Final = timedelta(hours=1)
DIRECTIONS: Final = ("in", "out")
MOBILITIES: Final = {"pedestrian": "PEDESTRIAN", "bicycle": "BIKE", "vehicle": "UNDEFINED"}
"""What the schema calls the modes of counters; a vehicle may be anything with wheels."""

SITE_FIELDS: Final = (
    "site_id",
    "parent_site_id",
    "site_name",
    "fr_insee_code",
    "xlong",
    "ylat",
    "external_ids",
    "infrastructure_type",
)
CHANNEL_FIELDS: Final = (
    "channel_id",
    "channel_provider_id",
    "site_provider_id",
    "site_id",
    "mobility_type",
    "comment",
    "counter_transmission_type",
    "publication_transmission_type",
    "counter_type",
    "direction",
    "provider_direction_code",
    "provider_direction_name",
    "data_provider_name",
    "temporality",
    "started_at",
    "ended_at",
    "last_updated_at",
    "time_step",
    "provider_portal_url",
)
MEASURE_FIELDS: Final = ("channel_id", "counter_id", "start_datetime", "end_datetime", "count")


def write_sites(counters: Iterable[Counter]) -> bytes:
    """A line for each counter."""
    return _lines(SITE_FIELDS, map(_site, counters))


def write_channels(town: Town, counters: Iterable[tuple[Counter, Sequence[Installation]]]) -> bytes:
    """Two lines for each counter that anything ever served."""
    lines = (
        _channel(town, counter, direction, serving)
        for counter, serving in counters
        if serving
        for direction in DIRECTIONS
    )
    return _lines(CHANNEL_FIELDS, lines)


def write_measures(flows: Sequence[HourlyFlows], *, head: bool) -> bytes:
    """Two lines for each hour of each counter, in the order of time; the names of the fields above them if `head`."""
    text = io.StringIO()
    lines = csv.writer(text)
    if head:
        lines.writerow(MEASURE_FIELDS)
    channels = [tuple(_channel_id(each.counter, direction) for direction in DIRECTIONS) for each in flows]
    for hours in zip(*(each.hours for each in flows), strict=True):
        lines.writerows(_measures(channels, hours))
    return text.getvalue().encode()


def _measures(
    channels: Sequence[tuple[str, ...]], hours: Sequence[LocalHour]
) -> Iterator[tuple[str | int | None, ...]]:
    """The lines of one hour: channel, no counter, start, end, count."""
    start = hours[0].start.astimezone(UTC)
    times = _utc(start), _utc(start + HOUR)
    for (in_, out), hour in zip(channels, hours, strict=True):
        known = hour.trust is Trust.FRESH and hour.coverage >= COVERED
        yield in_, None, *times, hour.in_ if known else None
        yield out, None, *times, hour.out if known else None


def _site(counter: Counter) -> Mapping[str, str]:
    return {
        "site_id": counter.id,
        "site_name": counter.name,
        "fr_insee_code": counter.insee or "",
        "xlong": f"{counter.position.lon:.6f}",
        "ylat": f"{counter.position.lat:.6f}",
    }


def _channel(town: Town, counter: Counter, direction: str, serving: Sequence[Installation]) -> Mapping[str, str]:
    ends = [each.end for each in serving if each.end is not None]
    return {
        "channel_id": _channel_id(counter.id, direction),
        "site_id": counter.id,
        "mobility_type": ",".join(sorted({MOBILITIES[each.mode] for each in serving if each.mode in MOBILITIES})),
        "counter_transmission_type": "REMOTE TRANSMISSION",
        "publication_transmission_type": "API",
        "provider_direction_code": direction.upper(),
        "provider_direction_name": counter.in_ if direction == "in" else counter.out,
        "data_provider_name": town.name,
        "started_at": _utc(min(each.start for each in serving)),
        "ended_at": _utc(max(ends)) if len(ends) == len(serving) else "",
        "time_step": "3600",
    }


def _channel_id(counter: str, direction: str) -> str:
    return f"{counter}-{direction}"


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines(fields: Sequence[str], lines: Iterable[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, restval="")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()
