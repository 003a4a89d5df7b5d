"""A small SQLite file that a part of the platform keeps for itself: opened, brought up to date, written durably."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from cloud_api.stores.base import StoreError

BUSY_TIMEOUT_S: Final = 10.0


class SqliteFile:
    """Guards that what a transaction committed survives a power cut (WAL, `synchronous=FULL`). For several threads."""

    def __init__(self, file: Path, schema: Sequence[str], what: str) -> None:
        """Opens or creates the file. Raises `StoreError`.

        `schema`: the script that brings version n to n + 1, added to and never changed; `what` it is, in words.
        """
        self._file = file
        self._what = what
        self._lock = Lock()
        try:
            self._database = sqlite3.connect(
                file, timeout=BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None
            )
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._migrate(schema)
        except sqlite3.Error as error:
            raise StoreError(f"{what} {file} cannot be opened: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What is done in it is committed at its end, or undone. Raises `StoreError`."""
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                with self._database:
                    yield self._database
            except sqlite3.Error as error:
                raise StoreError(f"{self._what} {self._file} does not take it: {error}") from error

    def close(self) -> None:
        """Release the file; it is not used afterwards."""
        with self._lock:
            self._database.close()

    def _migrate(self, schema: Sequence[str]) -> None:
        version: int = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version > len(schema):
            raise StoreError(f"{self._what} {self._file} is of a newer version ({version}): upgrade this program")
        for number, script in enumerate(schema[version:], start=version + 1):
            self._database.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
