"""What a file says, before it is believed: entries, and where in the file each of them and of its fields stands. Pure.

In come rows of plain values, out comes a `Draft`, or one `PlacesError` with all that is wrong, by line and field.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from cloud_api.registry.contradictions import contradictions, tables_of
from cloud_api.registry.kinds import KINDS, key_of, kind_of
from cloud_api.registry.places import Entry
from cloud_api.registry.registry import Registry
from cloud_api.registry.soundness import faults
from cloud_api.settings import ConfigError

_PATH: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)
_NAMED: Final = re.compile(r"field `([\w-]+)`")


class Mistake(Struct, frozen=True):
    """What is wrong in a file."""

    line: int | None
    """1-based; None where no line is to blame."""
    field: str
    """As the file names it; empty where it is the whole."""
    reason: str
    """What is wrong, and what was expected."""

    def __str__(self) -> str:
        line = [] if self.line is None else [f"line {self.line}"]
        field = [f"field {self.field}"] if self.field else []
        place = ", ".join((*line, *field))
        return f"{place}: {self.reason}" if place else self.reason


class PlacesError(ConfigError):
    """A file that cannot be taken: all that is wrong with it."""

    def __init__(self, file: Path, mistakes: Sequence[Mistake]) -> None:
        self.file = file
        self.mistakes = tuple(sorted(mistakes, key=lambda each: each.line or 0))
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        super().__init__(f"{file}, {self.mistakes[0]}{more}")


class Origin(Struct, frozen=True):
    """Where an entry stands."""

    line: int
    fields: Mapping[str, int] = {}
    """The lines of its fields, by our names."""
    names: Mapping[str, str] = {}
    """What the file calls our fields, where it calls them otherwise."""

    def blame(self, field: str, reason: str) -> Mistake:
        """A mistake in a field (`position.lat`) of the entry."""
        first, *rest = field.split(".")
        name = ".".join((self.names.get(first, first), *rest))
        return Mistake(self.fields.get(first, self.line), name, reason)


class Row(Struct, frozen=True):
    """One entry as it stands in a file: plain values by the names of its type's fields."""

    kind: str
    values: Mapping[str, Any]
    origin: Origin


class Draft(Struct, frozen=True):
    """A file's entries, each sound by itself, and where they stand."""

    entries: tuple[Entry, ...]
    origins: tuple[Origin, ...]

    def over(self, known: Sequence[Entry]) -> list[Entry]:
        """What is known, with the file's word for what it names; what it names anew comes last."""
        said = {(kind_of(each), key_of(each)): each for each in self.entries}
        kept = [said.pop((kind_of(each), key_of(each)), each) for each in known]
        return [*kept, *said.values()]

    def contradictions(self, known: Sequence[Entry] = ()) -> list[Mistake]:
        """All that cannot hold, within the file and together with what is known and stays."""
        inside = [*self._repeats()]
        return inside or [*self._contradictions(self.over(known))]

    def registry(self, file: Path) -> Registry:
        """What the file says by itself. Raises `PlacesError`."""
        mistakes = self.contradictions()
        if mistakes:
            raise PlacesError(file, mistakes)
        return Registry(**msgspec.structs.asdict(tables_of(self.entries)))

    def _repeats(self) -> Iterator[Mistake]:
        seen: dict[tuple[str, str], Origin] = {}
        for entry, origin in zip(self.entries, self.origins, strict=True):
            name = kind_of(entry), key_of(entry)
            if name in seen:
                reason = f"{name[1]!r} is taken already on line {seen[name].line}; a name of its own expected"
                yield origin.blame(KEY_FIELDS[name[0]], reason)
            seen.setdefault(name, origin)

    def _contradictions(self, town: Sequence[Entry]) -> Iterator[Mistake]:
        of_entry = {
            (kind_of(entry), key_of(entry)): origin for entry, origin in zip(self.entries, self.origins, strict=True)
        }
        by_kind: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
        for entry in town:
            by_kind[kind_of(entry)].append(entry)
        for error in contradictions(tables_of(town)):
            key = key_of(by_kind[error.table][error.index])
            origin = of_entry.get((error.table, key))
            if origin is None:
                yield Mistake(None, error.field, f"{error.table} {key} of the registry: {error.reason}")
            else:
                yield origin.blame(error.field, error.reason)


KEY_FIELDS: Final = {
    "zone": "id",
    "space": "id",
    "counter": "id",
    "gateway": "name",
    "device": "address",
    "installation": "from",
    "closure": "id",
}
"""What tells entries of a kind apart, as files name it."""


def draft(rows: Sequence[Row], file: Path) -> Draft:
    """The entries of rows. Raises `PlacesError`."""
    mistakes = [mistake for row in rows for mistake in _mistakes(row)]
    if mistakes:
        raise PlacesError(file, mistakes)
    entries = [msgspec.convert(row.values, KINDS[row.kind]) for row in rows]
    unsound = [
        row.origin.blame(field, reason)
        for row, entry in zip(rows, entries, strict=True)
        for field, reason in faults(entry)
    ]
    if unsound:
        raise PlacesError(file, unsound)
    return Draft(tuple(entries), tuple(row.origin for row in rows))


def plain(entry: Entry) -> dict[str, Any]:
    """An entry's values by the names of its fields, as files have them; times are times, what is empty is left out."""
    values: dict[str, Any] = msgspec.to_builtins(entry, builtin_types=(datetime,))
    return {name: value for name, value in values.items() if value != {}}


def _mistakes(row: Row) -> Iterator[Mistake]:
    expected = {field.encode_name: field for field in fields(KINDS[row.kind])}
    for name in row.values:
        if name not in expected:
            yield row.origin.blame(name, f"not known of a {row.kind}; one of {', '.join(expected)} expected")
    for name, field in expected.items():
        if name not in row.values:
            if field.required:
                yield row.origin.blame(name, f"missing; a {row.kind} has it")
            continue
        try:
            msgspec.convert(row.values[name], field.type)
        except msgspec.ValidationError as error:
            what, path = _told(str(error))
            yield row.origin.blame(f"{name}.{path}" if path else name, what)


def _told(error: str) -> tuple[str, str]:
    """What msgspec says is wrong, and of what within the value: named in the path, or missing, or unknown."""
    found = _PATH.match(error)
    what, path = (error, None) if found is None else (found["what"], found["path"])
    named = _NAMED.search(what)
    parts = [part for part in (path, named[1] if named else None) if part]
    return what, ".".join(parts)
