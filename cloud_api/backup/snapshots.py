"""One moment of a SQLite file that others write to, as a file of its own, by SQLite's online backup."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Select, literal_column, select, table

from cloud_api.backup.archive import BackupError
from cloud_api.new_files import open_new

PAGES_AT_ONCE: Final = 2_000
BUSY_TIMEOUT_S: Final = 10.0

Pages = Callable[[int, int], None]
"""Told how many pages are done, and how many there are."""


def snapshot(source: Path, target: Path, progress: Pages) -> None:
    """Copy what was committed when it began; writers go on meanwhile.

    A reading transaction is held until the end: without one, each commit of another process would begin the copy anew,
    and beside an ingest that commits twenty times a second it would never end. Raises `BackupError`.
    """
    open_new(target).close()
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_S)) as read,
            closing(sqlite3.connect(target)) as copy,
        ):
            read.isolation_level = None
            read.execute("BEGIN")
            read.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            read.backup(copy, pages=PAGES_AT_ONCE, progress=lambda _, left, pages: progress(pages - left, pages))
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {error}") from error


def check_sound(file: Path, what: str) -> None:
    """Raises `BackupError` unless SQLite finds the file whole."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict != "ok":
        raise BackupError(f"{what}: SQLite says it is damaged: {verdict}")


def is_empty(file: Path) -> bool:
    """Whether there is no such file, or one without a single row or of no length. Raises `BackupError`."""
    if not file.exists() or file.stat().st_size == 0:
        return True
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as database:
            tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            return not any(_holds_rows(database, name) for (name,) in tables)
    except sqlite3.Error as error:
        raise BackupError(f"{file} is there and cannot be read ({error}): name another, or move it away") from error


def close_out_others(file: Path) -> None:
    """Fold the write-ahead log into the file, so that it can be moved. Raises `BackupError` while it is in use."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as database:
            (mode,) = database.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"{file} cannot be set aside ({error}): stop the API first") from error
    if mode != "delete":
        raise BackupError(f"{file} is in use: stop the API first")


def _holds_rows(database: sqlite3.Connection, name: str) -> bool:
    statement: Select[tuple[str]] = select(literal_column("1")).select_from(table(name)).limit(1)
    return database.execute(str(statement.compile(compile_kwargs={"literal_binds": True}))).fetchone() is not None
