"""People, and how they sign in on a telephone: by a link or a code, each good once and for a while.

A link holds 32 random bytes; a code is short enough to be read out over the telephone. Of either a digest is kept: of a
code by scrypt, since it could be found by trying. Signing in makes a key of the person's own, that ends by itself.
"""

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from cloud_api.registry.database import reading, writing
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.keys import AccessKey, Digest, digest_of, keep_key, new_key, revoke_key
from cloud_api.registry.tables import ACCESS_KEY, AUDIT, PERSON, SIGN_IN
from cloud_api.scopes import Scope

CODE_LETTERS: Final = "ABCDEFGHJKMNPQRTUVWXYZ2346789"
"""Without those that are taken for each other."""
CODE_LENGTH: Final = 8
SIGNED_IN_FOR: Final = timedelta(days=30)
LONGEST_SECRET: Final = 100
LONGEST_NAME: Final = 200
LONGEST_ID: Final = 63
SCRYPT_COST: Final = 2**14


TECHNICIAN: Final = frozenset({Scope.PROVISION})


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who works here."""

    id: str
    """Made of the name (`marie-dupont`)."""
    name: str
    email: str | None = None
    scopes: frozenset[Scope] = TECHNICIAN
    """What they may do once they are signed in."""


class Asking(StrEnum):
    """How a link or a code does."""

    GOOD = "good"
    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"
    """A later one took its place, or the person was signed out."""


class Asked(Struct, frozen=True):
    """What a link or a code is."""

    how: Asking
    person: Person | None = None
    """Whose it is; None where it is unknown."""


class UnknownPersonError(RegistryError):
    """There is no such person."""


class KnownPersonError(RegistryError):
    """There is such a person already."""


class NotSignedInError(Exception):
    """A link or a code that opens nothing (any more)."""

    def __init__(self, how: Asking) -> None:
        self.how = how
        super().__init__(how.value)


class PeopleStore:
    """People and their sign-ins in the registry's database. Methods block and raise `RegistryError`; thread-safe.

    `by` says who changes, `at` when, UTC.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[Person]:
        """Everybody, by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(PERSON).order_by(PERSON.c.name, PERSON.c.id)).mappings()
            return [_person(row) for row in rows]

    def add(
        self,
        name: str,
        *,
        email: str | None = None,
        scopes: Iterable[Scope] = TECHNICIAN,
        by: str,
        at: datetime,
    ) -> Person:
        """Somebody new. Raises `KnownPersonError` where the name, or one like it, is taken."""
        person = Person(id=person_id(name), name=name, email=email, scopes=frozenset(scopes))
        with writing(self._engine) as connection:
            if _find(connection, person.id) is not None:
                raise KnownPersonError(f"there is a person {person.id!r} already; another name expected")
            row = {"id": person.id, "name": person.name, "email": person.email, "scopes": sorted(person.scopes)}
            connection.execute(insert(PERSON).values(row))
            connection.execute(insert(AUDIT).values(_trace("person", person.id, by, at, row)))
        return person

    def invite(self, name: str, *, code: bool, by: str, at: datetime, expires_at: datetime) -> tuple[Person, str]:
        """A link's secret, or a code, that signs a person in once; those before it open nothing any more."""
        secret = _new_code() if code else secrets.token_urlsafe(32)
        digest = _digest(secret)
        with writing(self._engine) as connection:
            person = _known(connection, name)
            _revoke_open(connection, person, at)
            sign_in_id = secrets.token_hex(4)
            row = {"id": sign_in_id, "person": person.id, "created_at": at, "expires_at": expires_at}
            connection.execute(insert(SIGN_IN).values(digest=digest, **row))
            connection.execute(insert(AUDIT).values(_trace("sign_in", sign_in_id, by, at, row)))
        return person, secret

    def ask(self, secret: str, at: datetime) -> Asked:
        """What a link or a code is; nothing happens to it."""
        digest = _digest(secret)
        with reading(self._engine) as connection:
            return _asked(connection, digest, at)[0]

    def sign_in(self, secret: str, at: datetime) -> tuple[Person, AccessKey, str]:
        """Use a link or a code up: the person, a key of their own and its text. Raises `NotSignedInError`."""
        digest = _digest(secret)
        with writing(self._engine) as connection:
            asked, row = _asked(connection, digest, at)
            if asked.how is not Asking.GOOD or asked.person is None or row is None:
                raise NotSignedInError(asked.how)
            person = asked.person
            connection.execute(update(SIGN_IN).where(SIGN_IN.c.id == row["id"]).values(used_at=at))
            until = at + SIGNED_IN_FOR
            key, text = new_key(person.name, person.scopes, at=at, expires_at=until, person=person.id)
            keep_key(connection, key, by=person.name, at=at)
        return person, key, text

    def sign_out(self, name: str, *, by: str, at: datetime) -> tuple[Person, int]:
        """Let a person's links, codes and keys open nothing any more; how many keys that were."""
        with writing(self._engine) as connection:
            person = _known(connection, name)
            _revoke_open(connection, person, at)
            theirs = (ACCESS_KEY.c.person == person.id) & ACCESS_KEY.c.revoked_at.is_(None)
            open_keys = connection.execute(select(ACCESS_KEY.c.id).where(theirs)).scalars().all()
            for key_id in open_keys:
                revoke_key(connection, key_id, by=by, at=at)
        return person, len(open_keys)


def person_id(name: str) -> str:
    """What names a person in addresses and options: `Marie Dupont` is `marie-dupont`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(character if character.isalnum() else " " for character in plain).split()
    return "-".join(words)[:LONGEST_ID].strip("-")


def grouped(code: str) -> str:
    """A code as it is read out: `ABCD-EFGH`."""
    half = CODE_LENGTH // 2
    return f"{code[:half]}-{code[half:]}"


def _new_code() -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


def is_code(secret: str) -> bool:
    """Whether it may be a code, which can be found by trying; a link's secret cannot."""
    return len(_bare(secret)) == CODE_LENGTH


def _bare(secret: str) -> str:
    return "".join(secret[:LONGEST_SECRET].replace("-", "").split()).upper()


def _digest(secret: str) -> Digest:
    bare = _bare(secret)
    if not is_code(secret):
        return digest_of(secret[:LONGEST_SECRET].strip())
    stretched = hashlib.scrypt(bare.encode(), salt=b"passerelle sign-in", n=SCRYPT_COST, r=8, p=1, dklen=32)
    return Digest(stretched.hex())


def _find(connection: Connection, person: str) -> Person | None:
    row = connection.execute(select(PERSON).where(PERSON.c.id == person)).mappings().first()
    return None if row is None else _person(row)


def _person(row: RowMapping) -> Person:
    return Person(**{**row, "scopes": frozenset(map(Scope, row["scopes"]))})


def _known(connection: Connection, name: str) -> Person:
    found = _find(connection, person_id(name))
    if found is None:
        raise UnknownPersonError(f"no person {name!r}; `passerelle person list` names them all")
    return found


def _asked(connection: Connection, digest: Digest, at: datetime) -> tuple[Asked, RowMapping | None]:
    row = connection.execute(select(SIGN_IN).where(SIGN_IN.c.digest == digest)).mappings().first()
    if row is None:
        return Asked(Asking.UNKNOWN), None
    return Asked(_how(row, at), _find(connection, row["person"])), row


def _how(row: RowMapping, at: datetime) -> Asking:
    if row["used_at"] is not None:
        return Asking.USED
    if row["revoked_at"] is not None:
        return Asking.REVOKED
    return Asking.GOOD if at < row["expires_at"] else Asking.EXPIRED


def _revoke_open(connection: Connection, person: Person, at: datetime) -> None:
    still_open = SIGN_IN.c.used_at.is_(None) & SIGN_IN.c.revoked_at.is_(None)
    connection.execute(update(SIGN_IN).where(SIGN_IN.c.person == person.id, still_open).values(revoked_at=at))


def _trace(kind: str, key: str, by: str, at: datetime, after: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in after.items()}
    return {"at": at, "who": by, "kind": kind, "key": key, "before": None, "after": shown}
