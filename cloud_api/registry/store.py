"""Where the registry is kept: SQLite or PostgreSQL, one writer at a time, every change in the audit trail.

In come entries and who changes them, out come snapshots (`Registry`). A change is committed whole, with its trace,
and only if the registry that it makes holds together; whoever changes an entry says which version he last saw.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, delete, insert, literal, select, union_all, update

from cloud_api.registry.acceptances import AcceptanceStore
from cloud_api.registry.backups import BackupTrail
from cloud_api.registry.contradictions import ContradictionError
from cloud_api.registry.database import RegistryError, open_database, reading, revision, writing
from cloud_api.registry.invitations import InvitationStore
from cloud_api.registry.keys import KeyStore
from cloud_api.registry.office_events import OfficeEventStore
from cloud_api.registry.people import PeopleStore
from cloud_api.registry.photos import PhotoStore
from cloud_api.registry.places import Closure, Counter, Device, Entry, Gateway, Installation, Space, Zone
from cloud_api.registry.radio_keys import RadioKeys, RadioKeyStore, put_keys
from cloud_api.registry.registry import Registry
from cloud_api.registry.soundness import faults
from cloud_api.registry.tables import AUDIT, ENTRIES, REVISION, key_of, kind_of, name_of

Value = TypeVar("Value", bound=Entry)
MOST_TRACES: Final = 1000
NO_RADIO_KEYS: Final[Mapping[str, RadioKeys]] = MappingProxyType({})


class RefusedChangeError(RegistryError):
    """A change that cannot be: which entry, which field, and why. Nothing of it was done."""

    def __init__(self, kind: str, key: str, field: str, reason: str) -> None:
        self.kind = kind
        self.key = key
        self.field = field
        self.reason = reason
        super().__init__(f"{kind} {key}, {field}: {reason}" if field else f"{kind} {key}: {reason}")


class ChangedMeanwhileError(RefusedChangeError):
    """Somebody else changed the entry since it was seen."""

    def __init__(self, kind: str, key: str, seen: int | str, version: int | str) -> None:
        self.seen = seen
        """The version; 0 where it was not there; several with dots between, where an entry was seen with others."""
        self.version = version
        """What it is now; 0 where it is gone."""
        was, now = (f"version {each}" if each else "not there" for each in (seen, version))
        super().__init__(kind, key, "", f"changed meanwhile (seen as {was}, now {now}); look again")


EntryName = tuple[str, str]
"""Kind and key of an entry."""


class View(NamedTuple):
    """The registry at one moment, with the versions to be named by who changes what he saw."""

    registry: Registry
    versions: Mapping[EntryName, int]

    def version_of(self, entry: Entry) -> int:
        """The version of an entry with this one's key; 0 where there is none."""
        return self.versions.get((kind_of(entry), key_of(entry)), 0)


class Versioned(Struct, Generic[Value], frozen=True):
    """An entry, and the version to be named by who changes it."""

    entry: Value
    version: int


class Trace(Struct, frozen=True, kw_only=True):
    """One line of the audit trail."""

    number: int
    at: datetime
    who: str
    kind: str
    key: str
    before: dict[str, Any] | None
    """None when it was added."""
    after: dict[str, Any] | None
    """None when it was removed."""


class Merged(Struct, frozen=True):
    """What a merge did: the names of entries (`zone marche`)."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    same: int
    """How many were so already."""
    removed: tuple[str, ...] = ()


class RegistryStore:
    """Guards that what is committed holds together and is in the audit trail. Safe to be called from several threads.

    `by` says who changes (a person, a key, a command), `at` when, UTC. All methods raise `RegistryError` when the
    database does not answer, and those that change something `RefusedChangeError`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.keys = KeyStore(engine)
        self.people = PeopleStore(engine)
        self.photos = PhotoStore(engine)
        self.radio_keys = RadioKeyStore(engine)
        self.invitations = InvitationStore(engine)
        self.backups = BackupTrail(engine)
        self.acceptances = AcceptanceStore(engine)
        self.office_events = OfficeEventStore(engine)

    def revision(self) -> int:
        """How many changes were committed: another number, another snapshot."""
        with reading(self._engine) as connection:
            return revision(connection)

    def snapshot(self) -> Registry:
        """The registry as it is now."""
        with reading(self._engine) as connection:
            return _registry(_rows(connection))

    def view(self) -> View:
        """The registry as it is now, with the version of every entry."""
        with reading(self._engine) as connection:
            rows = _rows(connection)
        return View(_registry(rows), {(row.kind, row.key): row.version for row in rows})

    def find(self, kind: type[Value], key: str) -> Versioned[Value] | None:
        """One entry with its version."""
        with reading(self._engine) as connection:
            return _find(connection, kind, key)

    def trail(self, *, key: str | None = None, limit: int = 100) -> list[Trace]:
        """The newest lines of the audit trail, of all entries or of those with one key."""
        query = select(AUDIT).order_by(AUDIT.c.number.desc()).limit(min(limit, MOST_TRACES))
        if key is not None:
            query = query.where(AUDIT.c.key == key)
        with reading(self._engine) as connection:
            return [Trace(**row) for row in connection.execute(query).mappings()]

    def add(self, entry: Entry, *, by: str, at: datetime) -> None:
        """Add an entry whose key is new."""
        with self._changing(by, at) as change:
            change.add(entry)

    def replace(self, entry: Entry, *, seen: int, by: str, at: datetime) -> None:
        """Put an entry in the place of the one with its key, last seen in version `seen`."""
        with self._changing(by, at) as change:
            change.replace(entry, seen)

    def remove(self, entry: Entry, *, seen: int, by: str, at: datetime) -> None:
        """Remove the entry with this one's key. History of a place that is removed is shown no more."""
        with self._changing(by, at) as change:
            change.remove(entry, seen)

    def merge(
        self,
        entries: Sequence[Entry],
        *,
        gone: Sequence[Entry] = (),
        seen: View | None = None,
        keys: Mapping[str, RadioKeys] = NO_RADIO_KEYS,
        by: str,
        at: datetime,
    ) -> Merged:
        """Add what is new, replace what differs and remove what is `gone`, all or nothing; what is not named stays.

        Entries that are others than where they were `seen` raise `ChangedMeanwhileError`. `keys` are radio keys of
        devices, by address, kept with the entries or not at all.
        """
        with self._changing(by, at) as change:
            merged = change.merge(entries, gone, seen)
            change.keep_keys(keys)
            return merged

    def rehearse(
        self,
        entries: Sequence[Entry],
        *,
        gone: Sequence[Entry] = (),
        seen: View | None = None,
        by: str,
        at: datetime,
    ) -> Merged:
        """What `merge` would do, refusals included; nothing is done."""
        with writing(self._engine) as connection:
            merged = _Change(connection, by, at).merge(entries, gone, seen)
            _hold_together(connection)
            connection.rollback()
        return merged

    def end_closure(self, closure: str, *, end: datetime, by: str, at: datetime) -> Closure:
        """Let a closure be over at `end`, or never come into force when it begins later."""
        with self._changing(by, at) as change:
            found = change.found(Closure, closure)
            ended = replace(found.entry, end=max(end, found.entry.start))
            change.replace(ended, found.version)
            return ended

    def close(self) -> None:
        """Release the database; the store is not used afterwards."""
        self._engine.dispose()

    @contextmanager
    def _changing(self, by: str, at: datetime) -> Iterator["_Change"]:
        with writing(self._engine) as connection:
            change = _Change(connection, by, at)
            yield change
            if change.made:
                _hold_together(connection)
                connection.execute(update(REVISION).values(number=REVISION.c.number + 1))


def open_registry(address: str) -> RegistryStore:
    """The registry at an address, made or brought to the newest version where needed.

    Raises `ConfigError` for a mistake in the address and `RegistryError`.
    """
    return RegistryStore(open_database(address))


class _Change:
    """What is done to entries within one transaction; each step leaves its trace."""

    def __init__(self, connection: Connection, by: str, at: datetime) -> None:
        self._connection = connection
        self._by = by
        self._at = at
        self.made = 0
        """Steps done."""

    def found(self, kind: type[Value], key: str) -> Versioned[Value]:
        """The entry that is to be changed."""
        found = _find(self._connection, kind, key)
        if found is None:
            raise RefusedChangeError(name_of(kind), key, "", "not there")
        return found

    def add(self, entry: Entry) -> None:
        """A new row."""
        if _find(self._connection, type(entry), key_of(entry)) is not None:
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
        known = {(row.kind, row.key): row for row in _rows(self._connection)}
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

    def _remove(self, entry: Entry, before: "Versioned[Entry]") -> None:
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

    def _update(self, entry: Entry, before: "Versioned[Entry]") -> None:
        _refuse_unsound(entry)
        table = ENTRIES[kind_of(entry)]
        here = table.c.key == key_of(entry)
        self._connection.execute(update(table).where(here).values(version=before.version + 1, body=entry))
        self._trace(_Step(entry, before=before.entry, after=entry))

    def _seen(self, entry: Entry, seen: int) -> "Versioned[Entry]":
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


def _find(connection: Connection, kind: type[Value], key: str) -> Versioned[Value] | None:
    table = ENTRIES[name_of(kind)]
    row = connection.execute(select(table.c.body, table.c.version).where(table.c.key == key)).first()
    return None if row is None else Versioned(msgspec.convert(row.body, kind), row.version)


class _Row(NamedTuple):
    kind: str
    key: str
    version: int
    body: Any


def _rows(connection: Connection) -> list[_Row]:
    """All entries, those of a kind in the order in which they were added: one statement, one moment."""
    columns = (
        select(literal(kind).label("kind"), table.c.key, table.c.version, table.c.body, table.c.number)
        for kind, table in ENTRIES.items()
    )
    return [_Row(*row[:4]) for row in connection.execute(union_all(*columns).order_by("number"))]


def _registry(rows: Sequence[_Row]) -> Registry:
    def all_of(kind: type[Value]) -> list[Value]:
        return [msgspec.convert(row.body, kind) for row in rows if row.kind == name_of(kind)]

    return Registry(
        zones=all_of(Zone),
        spaces=all_of(Space),
        counters=all_of(Counter),
        gateways=all_of(Gateway),
        devices=all_of(Device),
        installations=all_of(Installation),
        closures=all_of(Closure),
    )


def _hold_together(connection: Connection) -> None:
    rows = _rows(connection)
    try:
        _registry(rows)
    except ContradictionError as error:
        keys = [row.key for row in rows if row.kind == error.table]
        raise RefusedChangeError(error.table, keys[error.index], error.field, error.reason) from error
