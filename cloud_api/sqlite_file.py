"""A small SQLite file that a part of the platform keeps for itself: opened, brought up to date, written durably."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from cloud_api.stores.base import StoreError
from cloud_api.stores.durable_sqlite import Step, bring_up_to_date, open_durable


class SqliteFile:
    """Guards that what a transaction committed survives a power cut (WAL, `synchronous=FULL`). For several threads."""

    def __init__(self, file: Path, schema: Sequence[Step], what: str) -> None:
        """Opens or creates the file. Raises `StoreError`.

        `schema`: added to and never changed; `what` it is, in words.
        """
        self._file = file
        self._what = what
        self._lock = Lock()
        try:
            self._database = open_durable(file)
        except sqlite3.Error as error:
            raise StoreError(f"{what} {file} cannot be opened: {error}") from error
        with self.transaction() as database:
            bring_up_to_date(database, schema, f"{what} {file}")

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
