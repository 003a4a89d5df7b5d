"""The real programs as processes that can be killed, frozen and started again, and their files, which must stay sound.

In go command lines, out come processes and what is in their SQLite files. A file is only ever read here.
"""

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

COMMAND = (sys.executable, "-c", "from passerelle import main; main()")
END_WITHIN_S = 20


class UnsoundFileError(Exception):
    """An SQLite file that did not survive."""


class Program:
    """One program that can be started any number of times. `files` are the SQLite files that it alone writes."""

    def __init__(self, arguments: list[str], log: Path, files: tuple[Path, ...]) -> None:
        self._arguments = arguments
        self._log = log
        self._files = files
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All that it has said so far, over all its lives."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start it; it goes on where it was."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen([*COMMAND, *self._arguments], stdout=output, stderr=output)

    async def kill(self) -> None:
        """End it at once, then look into its files. Raises `UnsoundFileError`."""
        await self._end(signal.SIGKILL)
        for path in self._files:
            await asyncio.to_thread(check_integrity, path)

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        await self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop it in the middle of whatever it does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._signal(how)
            await asyncio.to_thread(self._process.wait, END_WITHIN_S)
            self._process = None

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(which)


def check_integrity(path: Path) -> None:
    """Look into a copy of a file whose program is dead. Raises `UnsoundFileError`."""
    if not path.exists():
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        for suffix in ("", "-wal"):
            if Path(f"{path}{suffix}").exists():
                shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
        with closing(sqlite3.connect(copy)) as database:
            found = [row[0] for row in database.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise UnsoundFileError(f"{path}: {found[:5]}")


def read_rows(path: Path, query: str) -> list[tuple[bytes | str | int, ...]]:
    """What a running program's file holds now; nothing while the file is not there yet."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        return database.execute(query).fetchall()
