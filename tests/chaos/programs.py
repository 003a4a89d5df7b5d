"""The real programs as processes that can be killed, frozen and started again, and their files, which must stay sound.

In go command lines, out come processes and what is in their SQLite files. A file is only ever read here.
"""

import asyncio
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

PASSERELLE = (sys.executable, "-c", "from passerelle import main; main()")
END_WITHIN_S = 20
GIVES_UP_WITHIN_S = 3.0
"""A program that meets a full disk while it starts has ended by then."""
NO_ROOM = 4096
"""Bytes that a file may still have on a full disk: a write is torn in the middle of an SQLite page."""


class UnsoundFileError(Exception):
    """An SQLite file that did not survive."""


class Program:
    """One program that can be started any number of times. `files` are the SQLite files that it writes."""

    def __init__(self, command: Sequence[str], log: Path, files: tuple[Path, ...]) -> None:
        self._command = command
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
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)

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

    def fill_disk(self) -> None:
        """From now on the kernel refuses it every byte of a file beyond `NO_ROOM`."""
        self._limit_files(NO_ROOM)

    async def free_disk(self) -> None:
        """It may write again. What met the full disk while it started has ended: start it again, as systemd does."""
        self._limit_files(resource.RLIM_INFINITY)
        if self._process is not None and await asyncio.to_thread(_ends_within, self._process, GIVES_UP_WITHIN_S):
            self.start()

    def memory_mb(self) -> int:
        """The most memory that it ever held in this life, in MB."""
        if self._process is None:
            return 0
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    def _limit_files(self, size: int) -> None:
        if self._process is not None and self._process.poll() is None:
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    async def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._signal(how)
            await asyncio.to_thread(self._process.wait, END_WITHIN_S)
            self._process = None

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(which)


def _ends_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


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


def read_rows(path: Path, query: str, *values: str) -> list[tuple[bytes | str | int, ...]]:
    """What a running program's file holds now; nothing while the file is not there yet."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        return database.execute(query, values).fetchall()
