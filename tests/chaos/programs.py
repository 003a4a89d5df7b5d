"""The real programs as processes that can be killed, frozen and started again, and their files, which must stay sound.

In go command lines, out come processes and what is in their SQLite files. A file is only ever read here.
"""

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

MAIN = "from passerelle import main; main()"
PASSERELLE = (sys.executable, "-c", MAIN)
END_WITHIN_S = 20
GIVES_UP_WITHIN_S = 3.0
"""A program that meets a full disk while it starts has ended by then."""
NO_ROOM = 4096
"""Bytes that a file may still have on a full disk: a write is torn in the middle of an SQLite page."""


class UnsoundFileError(Exception):
    """An SQLite file that did not survive."""


class Program:
    """One program that can be started any number of times. `files` are the SQLite files that it writes."""

    def __init__(
        self, command: Sequence[str], log: Path, files: tuple[Path, ...], environment: Mapping[str, str] | None = None
    ) -> None:
        """`environment` is added to ours."""
        self._command = command
        self._log = log
        self._files = files
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0
        self.peak_mb = 0
        """The most memory that it held in any life that has ended, in MB."""

    @property
    def name(self) -> str:
        """As its log is called."""
        return self._log.stem

    @property
    def process_id(self) -> int:
        """Of its present life. Raises `ProcessLookupError` when it has none."""
        if self._process is None or self._process.poll() is not None:
            raise ProcessLookupError(self.name)
        return self._process.pid

    @property
    def said_since_start(self) -> str:
        """What it has said in its present life."""
        return self._log.read_bytes()[self._said_before :].decode(errors="replace")

    @property
    def log(self) -> str:
        """All that it has said so far, over all its lives."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start it; it goes on where it was."""
        with self._log.open("ab") as output:
            self._said_before = output.tell()
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output, env=self._environment)

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

    def limit_files(self, size: int = NO_ROOM) -> None:
        """From now on the kernel refuses it every byte of a file beyond `size`."""
        with suppress(ProcessLookupError):
            resource.prlimit(self.process_id, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def free_files(self) -> None:
        """It may write what it likes."""
        self.limit_files(resource.RLIM_INFINITY)

    def limit_memory(self, more: int) -> None:
        """From now on the kernel gives it so many bytes of address space more than it has."""
        with suppress(ProcessLookupError):
            size = int(Path(f"/proc/{self.process_id}/statm").read_text().split()[0]) * resource.getpagesize()
            resource.prlimit(self.process_id, resource.RLIMIT_AS, (size + more, resource.RLIM_INFINITY))

    async def start_if_ended(self) -> bool:
        """Start it again, as systemd does, when it has ended or does so within `GIVES_UP_WITHIN_S`; whether it had."""
        ended = self._process is not None and await asyncio.to_thread(_ends_within, self._process, GIVES_UP_WITHIN_S)
        if ended:
            self.start()
        return ended

    async def last_words(self) -> str:
        """What it said in a life that ends by itself. Raises `subprocess.TimeoutExpired` when it does not end."""
        if self._process is not None:
            await asyncio.to_thread(self._process.wait, END_WITHIN_S)
        return self.said_since_start

    def memory_mb(self) -> int:
        """The most memory that it ever held in this life, in MB."""
        try:
            status = Path(f"/proc/{self.process_id}/status").read_text()
        except ProcessLookupError:
            return 0
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024

    async def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self.peak_mb = max(self.peak_mb, self.memory_mb())
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
