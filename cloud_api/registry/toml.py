"""`places.toml` as a registry: the tables `zone`, `space`, `counter`, `installation`, … (`TABLES`), each repeated.

In comes a file, out comes a `Registry`, or one `PlacesError` with the file, the line, the field and what was expected.
"""

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from cloud_api.registry.places import Closure, Counter, Device, Gateway, Installation, Space, Zone
from cloud_api.registry.registry import ContradictionError, Registry
from cloud_api.settings import ConfigError

Entry = TypeVar("Entry", Zone, Space, Counter, Installation, Gateway, Device, Closure)

TABLES: Final = ("zone", "space", "counter", "installation", "gateway", "device", "closure")
_TABLE_LINE: Final = re.compile(r"\s*\[\[\s*(\w+)\s*\]\]")
_FIELD_LINE: Final = re.compile(r"\s*([\w-]+)\s*=")
_PATH_IN_ERROR: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<field>.*)`)?$", re.DOTALL)
_LINE_IN_ERROR: Final = re.compile(r"^(?P<what>.*) \(at line (?P<line>\d+), column \d+\)$", re.DOTALL)

Lines = dict[tuple[str, int, str], int]
"""The line on which a field of the n-th entry of a table stands; field "" is the table's own line."""


class PlacesError(ConfigError):
    """A mistake in `places.toml`: the file, the line, the field, and what was expected."""

    def __init__(self, file: Path, reason: str, *, line: int | None = None, field: str = "") -> None:
        self.file = file
        self.line = line
        """1-based; None where no line is to blame (no such file)."""
        self.field = field
        self.reason = reason
        super().__init__(str(self))

    def __str__(self) -> str:
        place = "" if self.line is None else f", line {self.line}"
        field = f", field {self.field}" if self.field else ""
        return f"{self.file}{place}{field}: {self.reason}"


def load_places(file: Path) -> Registry:
    """The registry that a file describes. Raises `PlacesError`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlacesError(file, f"cannot be read: {error}") from error
    return parse_places(text, file)


def parse_places(text: str, file: Path) -> Registry:
    """The registry that a text describes; `file` is only named in errors. Raises `PlacesError`."""
    document = _document(text, file)
    lines = _lines(text)
    for name in document:
        if name not in TABLES:
            reason = f"not known; one of {', '.join(f'[[{table}]]' for table in TABLES)} expected"
            raise PlacesError(file, reason, line=lines.get((name, 0, "")), field=name)
    try:
        return Registry(
            zones=_entries(Zone, "zone", document, lines, file),
            spaces=_entries(Space, "space", document, lines, file),
            counters=_entries(Counter, "counter", document, lines, file),
            installations=_entries(Installation, "installation", document, lines, file),
            gateways=_entries(Gateway, "gateway", document, lines, file),
            devices=_entries(Device, "device", document, lines, file),
            closures=_entries(Closure, "closure", document, lines, file),
        )
    except ContradictionError as error:
        line = _line_of(lines, error.table, error.index, error.field)
        raise PlacesError(file, error.reason, line=line, field=error.field) from error


def _document(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE_IN_ERROR.match(str(error))
        if found is None:
            raise PlacesError(file, f"no TOML: {error}", line=len(text.splitlines())) from error
        raise PlacesError(file, f"no TOML: {found['what']}", line=int(found["line"])) from error


def _entries(type_: type[Entry], table: str, document: dict[str, Any], lines: Lines, file: Path) -> list[Entry]:
    raw = document.get(table, [])
    if not isinstance(raw, list):
        raise PlacesError(file, f"[[{table}]] expected, with two brackets", field=table)
    return [_entry(type_, table, index, value, lines, file) for index, value in enumerate(raw)]


def _entry(type_: type[Entry], table: str, index: int, raw: object, lines: Lines, file: Path) -> Entry:
    try:
        return msgspec.convert(raw, type_)
    except msgspec.ValidationError as error:
        what, field = _where(str(error))
        line = _line_of(lines, table, index, field)
        raise PlacesError(file, what, line=line, field=field or f"[[{table}]]") from error


def _where(error: str) -> tuple[str, str]:
    """What msgspec says is wrong, and the field it says it of: named in the path, or missing, or unknown."""
    found = _PATH_IN_ERROR.match(error)
    what, path = (error, None) if found is None else (found["what"], found["field"])
    named = re.search(r"field `([\w-]+)`", what)
    parts = [part for part in (path, named[1] if named else None) if part]
    return what, ".".join(parts)


def _line_of(lines: Lines, table: str, index: int, field: str) -> int | None:
    own = lines.get((table, index, field.split(".")[0]))
    return lines.get((table, index, "")) if own is None else own


def _lines(text: str) -> Lines:
    lines: Lines = {}
    entries: dict[str, int] = defaultdict(int)
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE_LINE.match(line):
            table = header[1]
            lines[table, entries[table], ""] = number
            entries[table] += 1
        elif field := _FIELD_LINE.match(line):
            lines.setdefault((table, entries[table] - 1, field[1]), number)
    return lines
