"""Places as TOML: the tables `zone`, `space`, `counter`, `installation`, … (`TABLES`), each repeated. It carries all.

In comes text, out comes a `Draft` or one `PlacesError`; a registry goes out as the text that reads the same.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit

from cloud_api.registry.files.draft import Draft, Mistake, Origin, PlacesError, Row, draft, plain
from cloud_api.registry.kinds import KINDS, kind_of
from cloud_api.registry.registry import Registry

TABLES: Final = tuple(KINDS)
_TABLE_LINE: Final = re.compile(r"\s*\[\[\s*(\w+)\s*\]\]")
_SUB_TABLE_LINE: Final = re.compile(r"\s*\[{1,2}\s*\w+\s*\.\s*([\w-]+)")
_FIELD_LINE: Final = re.compile(r"\s*([\w-]+)\s*[.=]")
_LINE_IN_ERROR: Final = re.compile(r"^(?P<what>.*) \(at line (?P<line>\d+), column \d+\)$", re.DOTALL)

Origins = Mapping[str, list[Origin]]


def parse_places(text: str, file: Path) -> Registry:
    """The town that a text describes by itself; `file` is only named in errors. Raises `PlacesError`."""
    return read(text, file).registry(file)


def read(text: str, file: Path) -> Draft:
    """What a text says. Raises `PlacesError`."""
    tables, origins = document(text, file), origins_in(text)
    unknown = [
        Mistake(_first_line(origins, name), name, f"not known; one of {_in_words(TABLES)} expected")
        for name in tables
        if name not in TABLES
    ]
    loose = [
        Mistake(None, table, f"[[{table}]] expected, with two brackets")
        for table in TABLES
        if not _is_repeated(tables.get(table, []))
    ]
    if unknown or loose:
        raise PlacesError(file, [*unknown, *loose])
    return draft([row for table in TABLES for row in _rows(table, tables.get(table, []), origins)], file)


def write(registry: Registry) -> str:
    """The text that reads as a registry."""
    written = tomlkit.document()
    tables = {kind: tomlkit.aot() for kind in TABLES}
    for entry in registry.entries:
        table = tomlkit.table()
        for name, value in plain(entry).items():
            table.add(name, _inline(value))
        tables[kind_of(entry)].append(table)
    for kind, found in tables.items():
        if len(found):
            written.add(kind, found)
    return tomlkit.dumps(written)


def _is_repeated(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(each, dict) for each in found)


def _inline(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    table = tomlkit.inline_table()
    table.update(value)
    return table


def document(text: str, file: Path) -> dict[str, Any]:
    """A text's tables, as they stand. Raises `PlacesError` where it is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE_IN_ERROR.match(str(error))
        if found is None:
            raise PlacesError(file, [Mistake(len(text.splitlines()), "", f"no TOML: {error}")]) from error
        raise PlacesError(file, [Mistake(int(found["line"]), "", f"no TOML: {found['what']}")]) from error


def _rows(table: str, entries: list[Any], origins: Origins) -> Iterator[Row]:
    for index, values in enumerate(entries):
        known = origins.get(table, [])
        yield Row(table, values, known[index] if index < len(known) else Origin(1))


def _first_line(origins: Origins, table: str) -> int | None:
    return origins[table][0].line if table in origins else None


def _in_words(tables: tuple[str, ...]) -> str:
    return ", ".join(f"[[{table}]]" for table in tables)


def origins_in(text: str) -> Origins:
    """Where the entries stand, by table; only for telling people."""
    found: dict[str, list[tuple[int, dict[str, int]]]] = defaultdict(list)
    lines: dict[str, int] = {}
    within = False
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE_LINE.match(line):
            lines, within = {}, False
            found[header[1]].append((number, lines))
        elif part := _SUB_TABLE_LINE.match(line):
            lines.setdefault(part[1], number)
            within = True
        elif not within and (field := _FIELD_LINE.match(line)):
            lines.setdefault(field[1], number)
    return {table: [Origin(line, fields) for line, fields in entries] for table, entries in found.items()}
