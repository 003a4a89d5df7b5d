"""What is done to the registry's entries within one transaction: checked, written, and in the audit trail.

In come entries and who changes them; a step that cannot be raises `RefusedChangeError`, and the transaction is undone
by whoever began it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, insert, update

from cloud_api.registry.contradictions import ContradictionError
from cloud_api.registry.kinds import key_of, kind_of, name_of
from cloud_api.registry.places import Entry
from cloud_api.registry.radio_keys import RadioKeys, put_keys
from cloud_api.registry.refusals import ChangedMeanwhileError, RefusedChangeError
from cloud_api.registry.soundness import faults
from cloud_api.registry.tables import AUDIT, ENTRIES
from cloud_api.registry.views import EntryName, Value, Versioned, View, all_rows, find, registry_of


class Merged(Struct, frozen=True):
    """What a merge did: the names of entries (`zone marche`)."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    same: int
    """How many were so already."""
    removed: tuple[str, ...] = ()


class Change:
    """What is done to entries within one transaction; each step leaves its trace."""

    def __init__(self, connection: Connection, by: str, at: datetime) -> None:
        self._connection = connection
        self._by = by
        self._at = at
        self.made = 0
        """Steps done."""

    def found(self, kind: type[Value], key: str) -> Versioned[Value]:
        """The entry that is to be changed."""
        found = find(self._connection, kind, key)
        if found is None:
            raise RefusedChangeError(name_of(kind), key, "", "not there")
        return found

    def add(self, entry: Entry) -> None:
        """A new row."""
        if find(self._connection, type(entry), key_of(entry)) is not None:
            raise RefusedChangeError(kind_of(entry), key_of(entry), "", "there already")
        self._insert([entry])

    def replace(self, entry: Entry, seen: int) -> None:
        """Another value in a row."""
        self._update(entry, self._seen(entry, seen))

    def remove(self, entry: Entry, seen: int) -> None:
        """A row less."""
        self._remove(entry, self._seen(entry, seen))

    def merge(self, entries: Sequence[Entry], gone: Sequence[Entry], seen: View | None = None) -> Merged:
        """Rows that are new, other values in those that differ, and rows less."""
        known = {(row.kind, row.key): row for row in all_rows(self._connection)}
        if seen is not None:
            _refuse_unseen([*entries, *gone], seen, {name: row.version for name, row in known.items()})
        new: list[Entry] = []
        changed: list[Entry] = []
        for entry in entries:
            row = known.get((kind_of(entry), key_of(entry)))
            before = None if row is None else Versioned(msgspec.convert(row.body, type(entry)), row.version)
            if before is None:
                new.append(entry)
            elif before.entry != entry:
                self._update(entry, before)
                changed.append(entry)
        self._insert(new)
        removed = [each for each in gone if (kind_of(each), key_of(each)) in known]
        for entry in removed:
            self._remove(entry, self.found(type(entry), key_of(entry)))
        same = len(entries) - len(new) - len(changed)
        return Merged(_names(new), _names(changed), same=same, removed=_names(removed))

    def keep_keys(self, keys: Mapping[str, RadioKeys]) -> None:
        """Other radio keys of devices."""
        self.made += sum(put_keys(self._connection, name, each, self._by, self._at) for name, each in keys.items())

    def _remove(self, entry: Entry, before: Versioned[Entry]) -> None:
        table = ENTRIES[kind_of(entry)]
        self._connection.execute(delete(table).where(table.c.key == key_of(entry)))
        self._trace(_Step(entry, before=before.entry, after=None))

    def _insert(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            _refuse_unsound(entry)
        for kind, table in ENTRIES.items():
            rows = [{"key": key_of(each), "version": 1, "body": each} for each in entries if kind_of(each) == kind]
            if rows:
                self._connection.execute(insert(table), rows)
        self._trace(*(_Step(each, before=None, after=each) for each in entries))

    def _update(self, entry: Entry, before: Versioned[Entry]) -> None:
        _refuse_unsound(entry)
        table = ENTRIES[kind_of(entry)]
        here = table.c.key == key_of(entry)
        self._connection.execute(update(table).where(here).values(version=before.version + 1, body=entry))
        self._trace(_Step(entry, before=before.entry, after=entry))

    def _seen(self, entry: Entry, seen: int) -> Versioned[Entry]:
        found = self.found(type(entry), key_of(entry))
        if found.version != seen:
            raise ChangedMeanwhileError(kind_of(entry), key_of(entry), seen, found.version)
        return found

    def _trace(self, *steps: "_Step") -> None:
        if not steps:
            return
        self.made += len(steps)
        lines = [
            {
                "at": self._at,
                "who": self._by,
                "kind": kind_of(step.entry),
                "key": key_of(step.entry),
                "before": step.before,
                "after": step.after,
            }
            for step in steps
        ]
        self._connection.execute(insert(AUDIT), lines)


class _Step(NamedTuple):
    entry: Entry
    before: Entry | None
    after: Entry | None


def _refuse_unseen(entries: Sequence[Entry], seen: View, versions: Mapping[EntryName, int]) -> None:
    for entry in entries:
        then, now = seen.version_of(entry), versions.get((kind_of(entry), key_of(entry)), 0)
        if then != now:
            raise ChangedMeanwhileError(kind_of(entry), key_of(entry), then, now)


def _refuse_unsound(entry: Entry) -> None:
    try:
        msgspec.convert(msgspec.to_builtins(entry), type(entry))
    except msgspec.ValidationError as error:
        raise RefusedChangeError(kind_of(entry), key_of(entry), "", str(error)) from error
    for field, reason in faults(entry):
        raise RefusedChangeError(kind_of(entry), key_of(entry), field, reason)


def _names(entries: Sequence[Entry]) -> tuple[str, ...]:
    return tuple(f"{kind_of(each)} {key_of(each)}" for each in entries)


def hold_together(connection: Connection) -> None:
    """Raise `RefusedChangeError` where what is written contradicts itself."""
    rows = all_rows(connection)
    try:
        registry_of(rows)
    except ContradictionError as error:
        keys = [row.key for row in rows if row.kind == error.table]
        raise RefusedChangeError(error.table, keys[error.index], error.field, error.reason) from error
