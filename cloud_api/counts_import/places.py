"""Imported counters as places of the town: a counter for each, and the installation by which its history serves it.

Pure. In come the tally of an import, positions and the registry; out come the entries that are new or changed. History
ends where a sensor takes over: where both serve a counter at once, their counts would add up.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct

from cloud_api.counts_import.counts import UnreadableError, Way
from cloud_api.counts_import.importing import Imported, Tally
from cloud_api.registry import Counter, Installation, Registry
from cloud_api.registry.geometry import Position
from cloud_api.registry.places import Entry
from cloud_api.stores.base import LATEST, Channel

IN: Final = "sens 1"
OUT: Final = "sens 2"
"""What directions are called until somebody says it better."""
HOUR_S: Final = 3600
LONGEST_ID: Final = 50


class Registered(Struct, frozen=True, kw_only=True):
    """What an import makes of the registry."""

    entries: tuple[Entry, ...]
    """To be added or changed."""
    gone: tuple[Entry, ...]
    """To be removed: what is changed under another key."""
    without_position: tuple[str, ...]
    """Counters of the file that are not registered: nobody said where they are."""
    until_sensor: Mapping[str, datetime]
    """Counters whose history ends earlier than the file, because a sensor serves them from then on."""


def id_of(name: str) -> str:
    """A counter's id from its name: `12 Rue Haute (été)` is `12-rue-haute-ete`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_ID].strip("-") or "compteur"


def read_positions(lines: Iterable[str]) -> dict[str, Position]:
    """Positions from CSV: name, latitude, longitude, below one heading. Raises `UnreadableError`."""
    found: dict[str, Position] = {}
    rows = csv.reader(lines)
    next(rows, None)
    for row in rows:
        try:
            position = msgspec.convert({"lat": float(row[1]), "lon": float(row[2])}, Position)
        except (IndexError, ValueError, msgspec.ValidationError):
            raise UnreadableError(f"line {rows.line_num}: name, latitude and longitude expected") from None
        found[row[0].strip()] = position
    return found


def registered(tally: Tally, ids: Mapping[str, str], positions: Mapping[str, Position], known: Registry) -> Registered:
    """What the registry must say so that the imported counts are counters' history; `ids` by name in the file."""
    names = dict.fromkeys(name for name, _ in tally.imported)
    placed = [name for name in names if ids[name] in known.counters or name in positions]
    served = [(ids[name], way, its) for (name, way), its in tally.imported.items() if name in placed]
    installed = [each for counter, way, its in served for each in _installation(counter, way, its, known)]
    counters = [
        Counter(id=ids[name], name=name, position=positions[name], in_=IN, out=OUT)
        for name in placed
        if ids[name] not in known.counters
    ]
    ends = {
        counter: sensor
        for counter, _, its in served
        if (sensor := _sensor_from(counter, its, known)) is not None and its.end is not None and sensor < its.end
    }
    new = [each for each in installed if each not in known.installations]
    return Registered(
        entries=(*counters, *new),
        gone=tuple(old for each in new for old in _same(each, known) if old.start != each.start),
        without_position=tuple(name for name in names if name not in placed),
        until_sensor=ends,
    )


def _installation(counter: str, way: Way, its: Imported, known: Registry) -> Sequence[Installation]:
    if its.first is None or its.end is None:
        return []
    before = [each for each in known.installations if _channel(each) == its.channel and each.place == counter]
    start = min([_hour(its.first), *(each.start for each in before)])
    end = max([_after(its.end), *(each.end for each in before if each.end is not None)])
    sensor = _sensor_from(counter, its, known)
    end = end if sensor is None else min(end, sensor)
    if end <= start:
        return []
    channel = its.channel
    return [
        Installation(
            place=counter,
            device=channel.device,
            channel=channel.name,
            mode=channel.mode,
            start=start,
            end=end,
            reversed=way is Way.OUT,
        )
    ]


def _sensor_from(counter: str, its: Imported, known: Registry) -> datetime | None:
    """Since when something else serves a counter that still does after the history's beginning; None where nothing."""
    others = [each for each in known.installations if each.place == counter and each.device != its.channel.device]
    return min((each.start for each in others if its.first is None or each.overlaps(its.first, LATEST)), default=None)


def _same(installation: Installation, known: Registry) -> list[Installation]:
    return [each for each in known.installations if _channel(each) == _channel(installation)]


def _channel(installation: Installation) -> Channel:
    return Channel(installation.device, installation.channel, installation.mode)


def _hour(instant: datetime) -> datetime:
    return instant - timedelta(seconds=instant.timestamp() % HOUR_S)


def _after(instant: datetime) -> datetime:
    return instant + timedelta(seconds=-instant.timestamp() % HOUR_S)
