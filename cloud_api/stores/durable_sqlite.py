"""Opens SQLite files and brings them up to date, whoever else does at the same moment; commits survive a power cut."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cloud_api.stores.base import StoreError

BUSY_TIMEOUT_S: Final = 10.0
"""So long a writer waits for another."""
ATTEMPTS: Final = 10

Step = Sequence[str]
"""The statements that bring a file from version n to n + 1."""


def open_durable(file: Path) -> sqlite3.Connection:
    """A connection with a write-ahead log and `synchronous = FULL`, for several threads; makes the file where none is.

    Transactions are begun by hand. Raises `sqlite3.Error`.
    """
    connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def bring_up_to_date(transaction: sqlite3.Connection, steps: Sequence[Step], file: str) -> None:
    """Carry out the steps that a file lacks, in a transaction begun with `BEGIN IMMEDIATE`: one process at a time.

    Raises `StoreError`, naming the `file`, where it has more steps behind it than there are.
    """
    (version,) = transaction.execute("PRAGMA user_version").fetchone()
    if version > len(steps):
        known = f"schema {version}, this one knows {len(steps)}"
        raise StoreError(f"{file}: written by a newer Passerelle ({known}): upgrade this program")
    for statement in (statement for step in steps[version:] for statement in step):
        transaction.execute(statement)
    transaction.execute(f"PRAGMA user_version = {len(steps)}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn to a write-ahead log, for which SQLite does not wait while another process turns the same new file to it."""
    for _ in range(ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            _wait_for_the_other(connection)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _wait_for_the_other(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")
