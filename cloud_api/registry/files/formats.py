"""The tongues that places are read from and written in: which one a file speaks, and what each cannot carry.

In come paths, out come drafts and files. What cannot be read or written is one `ConfigError`.
"""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from cloud_api.registry.files import bnls, geojson, toml
from cloud_api.registry.files.draft import Draft
from cloud_api.registry.kinds import KINDS, kind_of
from cloud_api.registry.places import Entry, Zone
from cloud_api.registry.registry import Registry
from cloud_api.settings import ConfigError


class Format(StrEnum):
    """How places are written."""

    TOML = "toml"
    """Everything."""
    GEOJSON = "geojson"
    """Zones, spaces and counters with their closures."""
    BNLS = "bnls"
    """Car parks of the French national base, CSV."""


BY_EXTENSION: Final[Mapping[str, Format]] = {
    ".toml": Format.TOML,
    ".geojson": Format.GEOJSON,
    ".json": Format.GEOJSON,
    ".csv": Format.BNLS,
}
CARRIED: Final[Mapping[Format, frozenset[str]]] = {
    Format.TOML: frozenset(KINDS),
    Format.GEOJSON: geojson.CARRIES,
    Format.BNLS: frozenset({"zone"}),
}
"""Of which kinds of entries a format tells at all."""
NOT_IN_THE_BASE: Final = ("counting", "feed", "operator", "geometry", "price", "opening_hours", "max_stay")
"""Fields of a zone that the national base has no column for."""


def format_of(file: Path) -> Format:
    """What a file's name says. Raises `ConfigError`."""
    found = BY_EXTENSION.get(file.suffix.lower())
    if found is None:
        raise ConfigError(f"{file}: no format is known by this name; {', '.join(BY_EXTENSION)} or --format expected")
    return found


def read(file: Path, tongue: Format, known: Registry) -> Draft:
    """What a file says. Raises `ConfigError` when it cannot be read, `PlacesError` with all that is wrong in it."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: byte {error.start}: UTF-8 expected") from error
    match tongue:
        case Format.TOML:
            return toml.read(text, file)
        case Format.GEOJSON:
            return geojson.read(text, file)
        case Format.BNLS:
            return bnls.read(text, file, known)


def write(file: Path, tongue: Format, registry: Registry) -> None:
    """Write all that a format carries, the whole file or nothing. Raises `ConfigError`."""
    writers = {Format.TOML: toml.write, Format.GEOJSON: geojson.write, Format.BNLS: bnls.write}
    draft = file.with_name(f"{file.name}.new")
    try:
        draft.write_text(writers[tongue](registry), encoding="utf-8", newline="")
        draft.replace(file)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror or error}") from error


def carries(tongue: Format, entry: Entry) -> bool:
    """Whether a format tells of an entry at all."""
    if kind_of(entry) not in CARRIED[tongue]:
        return False
    return tongue is not Format.BNLS or (isinstance(entry, Zone) and entry.national is not None)


def left_out(tongue: Format, registry: Registry) -> Mapping[str, int]:
    """What a format does not carry of a registry, in words, and of how many entries."""
    entries = registry.entries
    found = Counter(_why_not(tongue, each) for each in entries if not carries(tongue, each))
    if tongue is Format.BNLS:
        told = [each for each in entries if isinstance(each, Zone) and each.national is not None]
        for field in NOT_IN_THE_BASE:
            found[f"{field} of zones"] = sum(getattr(zone, field) not in {None} for zone in told)
        found["capacity for deliveries of zones"] = sum(bool(zone.capacity.delivery) for zone in told)
    return {what: count for what, count in found.items() if count}


def _why_not(tongue: Format, entry: Entry) -> str:
    if tongue is Format.BNLS and isinstance(entry, Zone):
        return "zones without a national record"
    return f"{kind_of(entry)}s"
