"""The versions of the outbox's file: what brings one to the next, and what brings it back without losing anything.

In comes an open database, out comes the same one in another version. The way back is there for an upgrade that does
not prove itself: the version before it goes on with what the newer one has queued, counted and sent meanwhile.
"""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migration:
    """One step between two versions, as SQL."""

    forward: str
    back: str
    """Must keep every message, its number, every checkpoint and what waits: `edge.outbox_handover` compares them."""


MIGRATIONS = (
    Migration(
        forward="""
CREATE TABLE identity (only INTEGER PRIMARY KEY CHECK (only = 1), gateway TEXT NOT NULL, epoch TEXT NOT NULL,
                       last_seq INTEGER NOT NULL);
CREATE TABLE outbox (seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, retain INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE device (address TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE waiting (id INTEGER PRIMARY KEY, session TEXT NOT NULL, heard_ms INTEGER NOT NULL, device TEXT NOT NULL,
                      body BLOB NOT NULL);
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
""",
        back="SELECT no_version_came_before();",
    ),
    Migration(
        forward="""
ALTER TABLE identity ADD COLUMN sent_until INTEGER NOT NULL DEFAULT 0;
UPDATE identity SET sent_until = last_seq;
CREATE TABLE day (date TEXT PRIMARY KEY, last_seq INTEGER NOT NULL) WITHOUT ROWID;
""",
        back="""
ALTER TABLE identity DROP COLUMN sent_until;
DROP TABLE day;
""",
    ),
    Migration(
        forward="""
ALTER TABLE device RENAME TO old_device;
CREATE TABLE device (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, state BLOB NOT NULL);
INSERT INTO device (address, state) SELECT address, state FROM old_device;
DROP TABLE old_device;
""",
        back="""
ALTER TABLE device RENAME TO new_device;
CREATE TABLE device (address TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO device SELECT address, state FROM new_device;
DROP TABLE new_device;
""",
    ),
)
"""Between version n and n + 1. `sent_until`: what lies behind was never handed to a broker; version 1 did not know, so
all of it may have been. `day`: the last sequence number before each day on which the gateway ran. Version 3 changes a
checkpoint in one small page: WITHOUT ROWID, what is longer than 230 bytes lies in further ones."""
SCHEMA_VERSION = len(MIGRATIONS)


def version_of(database: sqlite3.Connection) -> int:
    """The version of a file; 0 of a new one."""
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version


def bring_up_to_date(database: sqlite3.Connection) -> None:
    """Bring an older file to `SCHEMA_VERSION`. Raises `sqlite3.Error`, and the file is then in the version before."""
    for number in range(version_of(database), SCHEMA_VERSION):
        _step(database, MIGRATIONS[number].forward, number + 1)


def bring_back(database: sqlite3.Connection, version: int) -> None:
    """Bring a file back to an older version. Raises `sqlite3.Error`, and the file is then in a version in between."""
    for number in range(version_of(database), version, -1):
        _step(database, MIGRATIONS[number - 1].back, number - 1)


def _step(database: sqlite3.Connection, script: str, version: int) -> None:
    try:
        database.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {version}; COMMIT;")
    except sqlite3.Error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
