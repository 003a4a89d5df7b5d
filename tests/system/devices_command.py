"""`passerelle devices` as a technician runs it: the real command, what it prints and how it ends."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from passerelle import main; main()", "devices"]
PATIENCE_S = 60
COUNTS = "be010400010002000300041c200ce40139"
"""What a Parametric PCR2 sends on port 14, in hexadecimal."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def readings(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


def devices(*arguments: str) -> Outcome:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


def refused(outcome: Outcome, status: int, words: str) -> None:
    """One line on standard error, nothing on standard output."""
    assert (outcome.status, outcome.out) == (status, "")
    assert outcome.err.count("\n") == 1
    assert words in outcome.err


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until it is told to stop."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: subprocess.Popen[str], words: str) -> None:
    """Wait for a line on standard error."""
    assert process.stderr is not None
    assert words in process.stderr.readline()


def ended(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=PATIENCE_S)
    return Outcome(process.returncode, out, err)


def payloads_after(outcome: Outcome) -> list[dict[str, object]]:
    """The readings among the lines of `listen`."""
    return [json.loads(line) for line in outcome.out.splitlines() if line.lstrip().startswith("{")]
