"""The real programs as processes, started, signalled and killed as systemd or a person at a terminal does it.

In go arguments and a folder for what they print, out come their words and their exit status. No process outlives its
owner; each has a process group of its own, so that a signal can reach all of it, as Ctrl-C does.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.town import until

REPOSITORY = Path(__file__).parents[2]
START_S = 60.0
"""A loaded machine needs long to import everything."""


class Program:
    """One `passerelle` process and all that it starts in its group."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._words = folder / f"{arguments[0]}.out"
        with self._words.open("wb") as words:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from passerelle import main; main()", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process, which a gateway keeps when it takes the place of its command line."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def words(self) -> str:
        """What it has printed so far, on both its outputs."""
        return self._words.read_text()

    def says(self, pattern: str, patience_s: float = START_S) -> re.Match[str]:
        """Wait until it has printed what matches. Raises `AssertionError` with all its words when it does not."""
        try:
            until(lambda: self.has_ended or re.search(pattern, self.words) is not None, patience_s)
        except AssertionError:
            raise AssertionError(f"{pattern!r} was not said in {patience_s:g} s: {self.words}") from None
        match = re.search(pattern, self.words)
        assert match is not None, f"it ended without saying {pattern!r}: {self.words}"
        return match

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to the program alone, as `kill` does."""
        self._process.send_signal(number)

    def interrupt(self) -> None:
        """What a terminal does at Ctrl-C: the signal reaches everything that was started there."""
        os.killpg(self._process.pid, signal.SIGINT)

    def status(self, patience_s: float) -> int:
        """Its exit status, once it has ended. Raises `AssertionError` when it does not in time."""
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end within {patience_s:g} s: {self.words}") from None

    def kill(self) -> None:
        """End it, and what is left of its group, without a word."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def running(arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    """`passerelle ARGUMENTS` in `folder`, for the length of a `with` at most."""
    program = Program(arguments, folder, environment or {})
    try:
        yield program
    finally:
        program.kill()


def processes_that_name(folder: Path) -> list[str]:
    """The command lines of all living processes in which a folder is named."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in lines if str(folder) in line]
