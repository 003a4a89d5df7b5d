"""The registry's tables, the same on SQLite and PostgreSQL; `migrations/` makes them.

A place, device or period is one row: its key, its value as JSON, and a version that grows with every change. What
must hold between rows is guarded by `Registry`, which every change is held against before it is committed.
"""

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

from cloud_api.registry.kinds import KINDS

HEAD: Final = "0008"
"""The migration that makes these tables."""
LONGEST_WHO: Final = 200


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC, also where the database forgets time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """On the way in."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """On the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Who(TypeDecorator[str]):
    """Who did something: cut where PostgreSQL's column ends, for a long name is no reason to refuse what was done."""

    impl = String(LONGEST_WHO)
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """On the way in."""
        return None if value is None else value[:LONGEST_WHO]


METADATA: Final = MetaData()


def _entries(kind: str) -> Table:
    return Table(
        kind,
        METADATA,
        Column("number", Integer, primary_key=True),
        Column("key", String(400), nullable=False, unique=True),
        Column("version", Integer, nullable=False),
        Column("body", JSON, nullable=False),
    )


ENTRIES: Final = MappingProxyType({kind: _entries(kind) for kind in KINDS})
REVISION: Final = Table("revision", METADATA, Column("number", Integer, primary_key=True))
"""One row: how many changes were committed. Replicas ask for it every second."""
AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("who", Who, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("key", String(400), nullable=False),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    Index("audit_kind", "kind", "number"),
)
"""Who changed what, when, from what to what. A trigger refuses whatever is not an insertion."""
PERSON: Final = Table(
    "person",
    METADATA,
    Column("id", String(63), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("email", String(320)),
    Column("scopes", JSON, nullable=False, server_default='["provision"]'),
)
"""Who works here. What they may do is said by scopes; those of older versions were technicians."""
ACCESS_KEY: Final = Table(
    "access_key",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("label", String(200), nullable=False),
    Column("person", String(63)),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("used_at", UtcTime),
)
"""Keys to the API; only a digest of each is kept. One with a person is his: what signing in on a telephone made."""
RADIO_KEYS: Final = Table(
    "radio_keys",
    METADATA,
    Column("address", String(128), primary_key=True),
    Column("body", JSON, nullable=False),
)
"""What a gateway needs to read devices' payloads: the one secret that must be kept whole."""
INVITATION: Final = Table(
    "invitation",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("gateway", String(63), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("machine", String(64)),
    Column("certificate_ends_at", UtcTime),
)
"""Codes with which a gateway enrols itself, once; only a digest of each is kept, and of the machine that used it."""
SIGN_IN: Final = Table(
    "sign_in",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("person", String(63), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("revoked_at", UtcTime),
)
"""Links and codes with which a person signs in on a telephone, once; only a digest of each is kept."""
ACCEPTANCE: Final = Table(
    "acceptance",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("device", String(128), nullable=False),
    Column("place", String(63), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("who", Who, nullable=False),
    Column("body", JSON, nullable=False),
    Column("signature", String(200), nullable=False),
)
"""Records of tests on the spot, signed; only added to."""
PHOTO: Final = Table(
    "photo",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("place", String(63), nullable=False),
    Column("device", String(128), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("who", Who, nullable=False),
    Column("media_type", String(40), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Pictures of sensors where they were installed."""
OFFICE_EVENT: Final = Table(
    "office_event",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("event", String(16), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("who", Who, nullable=False),
    Column("body", JSON(none_as_null=True)),
)
"""Editions of the events that the office named. A trigger refuses whatever is not an insertion."""
