"""What is wrong with one entry by itself, beyond what its types say: opening hours, outlines, formulas. Pure.

It is asked of what comes into the registry, never of what is there: a stricter reader must not end a running town.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec
from opening_hours import validate

from cloud_api.registry.geometry import Geometry
from cloud_api.registry.places import Entry, MaxStay, Space, Zone

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet runs when it opens a CSV file (OWASP, *CSV Injection*)."""
TELEPHONE: Final = re.compile(r"\+[0-9][0-9 .()-]*")
"""Begins as one of them, and names nothing that could be run."""


def faults(entry: Entry) -> Iterator[tuple[str, str]]:
    """The fields that cannot be as they are, each with why and what was expected."""
    yield from _formulas(entry)
    match entry:
        case Zone():
            yield from _hours(entry.opening_hours)
            yield from _limit(entry.max_stay)
            yield from _outline(entry.geometry)
        case Space():
            yield from _hours(entry.opening_hours)
            yield from _limit(entry.max_stay)
        case _:
            return


def _formulas(entry: Entry) -> Iterator[tuple[str, str]]:
    for field, text in msgspec.to_builtins(entry).items():
        if isinstance(text, str) and text.startswith(FORMULA) and not TELEPHONE.fullmatch(text):
            yield field, f"{text!r} begins as a spreadsheet's formula does; a letter or a figure expected"


def _hours(text: str | None) -> Iterator[tuple[str, str]]:
    if text is not None and not validate(text):
        yield "opening_hours", f"{text!r}; OpenStreetMap's syntax (`Mo-Sa 07:00-21:00; PH off`) expected"


def _limit(limit: MaxStay | None) -> Iterator[tuple[str, str]]:
    if limit is not None and limit.hours is not None and not validate(limit.hours):
        yield "max_stay", f"hours {limit.hours!r}; OpenStreetMap's syntax (`Mo-Sa 09:00-19:00; PH off`) expected"


def _outline(geometry: Geometry | None) -> Iterator[tuple[str, str]]:
    if geometry is None:
        return
    from shapely import from_geojson, is_valid_reason  # slow to load, and hardly any entry has an outline
    from shapely.errors import ShapelyError

    try:
        shape = from_geojson(msgspec.json.encode(geometry))
    except ShapelyError as error:
        yield "geometry", f"{error}; a shape of RFC 7946 expected, each ring closed"
        return
    reason = is_valid_reason(shape)
    if reason != "Valid Geometry":
        yield "geometry", f"{reason}; a line or an area that does not cross itself expected"
