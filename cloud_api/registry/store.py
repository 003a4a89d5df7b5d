"""Where the registry is kept: SQLite or PostgreSQL, one writer at a time, every change in the audit trail.

In come entries and who changes them, out come snapshots (`Registry`). A change is committed whole, with its trace,
and only if the registry that it makes holds together; whoever changes an entry says which version he last saw.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Engine, select, update

from cloud_api.registry.acceptances import AcceptanceStore
from cloud_api.registry.backups import BackupTrail
from cloud_api.registry.change import Change, Merged, hold_together
from cloud_api.registry.database import open_database, reading, revision, writing
from cloud_api.registry.invitations import InvitationStore
from cloud_api.registry.keys import KeyStore
from cloud_api.registry.office_events import OfficeEventStore
from cloud_api.registry.people import PeopleStore
from cloud_api.registry.photos import PhotoStore
from cloud_api.registry.places import Closure, Entry
from cloud_api.registry.radio_keys import NO_RADIO_KEYS, RadioKeys, RadioKeyStore
from cloud_api.registry.registry import Registry
from cloud_api.registry.tables import AUDIT, REVISION
from cloud_api.registry.views import Value, Versioned, View, all_rows, find, registry_of

MOST_TRACES: Final = 1000


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
            return registry_of(all_rows(connection))

    def view(self) -> View:
        """The registry as it is now, with the version of every entry."""
        with reading(self._engine) as connection:
            rows = all_rows(connection)
        return View(registry_of(rows), {(row.kind, row.key): row.version for row in rows})

    def find(self, kind: type[Value], key: str) -> Versioned[Value] | None:
        """One entry with its version."""
        with reading(self._engine) as connection:
            return find(connection, kind, key)

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
            merged = Change(connection, by, at).merge(entries, gone, seen)
            hold_together(connection)
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
    def _changing(self, by: str, at: datetime) -> Iterator[Change]:
        with writing(self._engine) as connection:
            change = Change(connection, by, at)
            yield change
            if change.made:
                hold_together(connection)
                connection.execute(update(REVISION).values(number=REVISION.c.number + 1))


def open_registry(address: str) -> RegistryStore:
    """The registry at an address, made or brought to the newest version where needed.

    Raises `ConfigError` for a mistake in the address and `RegistryError`.
    """
    return RegistryStore(open_database(address))
