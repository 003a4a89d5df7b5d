"""Keys to the API: made once, shown once, kept as a digest, revocable; every change is in the audit trail.

A key is 32 random bytes, so its SHA-256 can be looked up and tells nothing of it: no slow hash is needed.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NewType

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from cloud_api.registry.database import reading, writing
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.tables import ACCESS_KEY, AUDIT
from cloud_api.scopes import Scope

PREFIX: Final = "psl_"
"""So that a key that leaked is recognised for what it is."""
LONGEST_LABEL: Final = 200

Digest = NewType("Digest", str)


class AccessKey(Struct, frozen=True, kw_only=True):
    """What is kept of a key."""

    id: str
    digest: Digest
    label: str
    """Whose key it is and what for."""
    person: str | None = None
    """Whose it is, where signing in made it."""
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None
    """When it was last used, to about a minute; null when never."""

    def opens_at(self, instant: datetime) -> bool:
        """Whether it is good at an instant."""
        ends = [end for end in (self.expires_at, self.revoked_at) if end is not None]
        return all(instant < end for end in ends)


class UnknownKeyError(RegistryError):
    """There is no such key."""


def digest_of(secret: str) -> Digest:
    """What is kept of a key's text."""
    return Digest(hashlib.sha256(secret.encode()).hexdigest())


class KeyStore:
    """The keys in the registry's database. Methods block and raise `RegistryError`; safe for several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[AccessKey]:
        """Every key that ever was, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(ACCESS_KEY).order_by(ACCESS_KEY.c.created_at, ACCESS_KEY.c.id)).mappings()
            return [_key(row) for row in rows]

    def create(
        self, label: str, scopes: Iterable[Scope], *, by: str, at: datetime, expires_at: datetime | None = None
    ) -> tuple[AccessKey, str]:
        """A new key, and its text, which is nowhere else and can never be shown again."""
        key, secret = new_key(label, scopes, at=at, expires_at=expires_at)
        with writing(self._engine) as connection:
            keep_key(connection, key, by=by, at=at)
        return key, secret

    def revoke(self, key_id: str, *, by: str, at: datetime) -> AccessKey:
        """Let a key be good no longer; one that was revoked already stays as it is."""
        with writing(self._engine) as connection:
            return revoke_key(connection, key_id, by=by, at=at)

    def used(self, times: Mapping[str, datetime]) -> None:
        """Write down when keys were last used, by their ids. That is no change, and leaves no trace."""
        if not times:
            return
        with writing(self._engine) as connection:
            for key_id, at in times.items():
                connection.execute(update(ACCESS_KEY).where(ACCESS_KEY.c.id == key_id).values(used_at=at))


def new_key(
    label: str, scopes: Iterable[Scope], *, at: datetime, expires_at: datetime | None, person: str | None = None
) -> tuple[AccessKey, str]:
    """A key that is not kept yet, and its text."""
    secret = PREFIX + secrets.token_urlsafe(32)
    key = AccessKey(
        id=secrets.token_hex(4),
        digest=digest_of(secret),
        label=label[:LONGEST_LABEL],
        person=person,
        scopes=frozenset(scopes),
        created_at=at,
        expires_at=expires_at,
    )
    return key, secret


def keep_key(connection: Connection, key: AccessKey, *, by: str, at: datetime) -> None:
    """Keep a key, within a transaction."""
    row = {**msgspec.structs.asdict(key), "scopes": sorted(key.scopes)}
    connection.execute(insert(ACCESS_KEY).values(row))
    connection.execute(insert(AUDIT).values(_trace(key.id, by, at, None, key)))


def revoke_key(connection: Connection, key_id: str, *, by: str, at: datetime) -> AccessKey:
    """Let a key be good no longer, within a transaction. Raises `UnknownKeyError`."""
    row = connection.execute(select(ACCESS_KEY).where(ACCESS_KEY.c.id == key_id)).mappings().first()
    if row is None:
        raise UnknownKeyError(f"no key {key_id!r}; `passerelle key list` names them all")
    before = _key(row)
    if before.revoked_at is not None:
        return before
    after = msgspec.structs.replace(before, revoked_at=at)
    connection.execute(update(ACCESS_KEY).where(ACCESS_KEY.c.id == key_id).values(revoked_at=at))
    connection.execute(insert(AUDIT).values(_trace(key_id, by, at, before, after)))
    return after


def _key(row: RowMapping) -> AccessKey:
    known = {name: row[name] for name in AccessKey.__struct_fields__}
    return AccessKey(**{**known, "scopes": frozenset(map(Scope, row["scopes"]))})


def _trace(key_id: str, by: str, at: datetime, before: AccessKey | None, after: AccessKey) -> dict[str, Any]:
    return {
        "at": at,
        "who": by,
        "kind": "access_key",
        "key": key_id,
        "before": None if before is None else _shown(before),
        "after": _shown(after),
    }


def _shown(key: AccessKey) -> dict[str, Any]:
    """What the audit trail tells of a key: all but its digest."""
    shown: dict[str, Any] = msgspec.to_builtins(key)
    del shown["digest"]
    return shown
