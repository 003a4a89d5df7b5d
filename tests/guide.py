"""A guide walked as it is written: its files, its commands, its keystrokes and what it promises, in order.

A fenced block says in its first line what it is:
- `toml file=NAME` is a file, `toml append=NAME` goes to the end of one;
- `sh` is typed into the reader's own terminal, `sh terminal=NAME` into one of its own, where it stays at work;
- `sh preamble` begins every terminal from there on;
- `text terminal=NAME` are keys: `⏎` or `Ctrl-C`;
- `text` is what the block before it makes appear, line by line, with `…` for whatever stands there.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic

BLOCK = re.compile(r"^```(?P<mark>[a-z]+[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
PATIENCE_S = 120
AGAIN_S = 2.0
"""A promise is looked for so often."""
ENDED_S = 30
ANYTHING = "……"
"""A promise that any line keeps."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a guide."""

    language: str
    marks: Mapping[str, str]
    text: str

    @property
    def terminal(self) -> str | None:
        """Whose terminal it belongs to; None is the reader's own."""
        return self.marks.get("terminal")

    @property
    def is_promise(self) -> bool:
        """Whether it says what is to be seen."""
        return self.language == "text" and self.terminal is None


def blocks(text: str) -> list[Block]:
    """The blocks of a page, or of a part of it."""
    found = []
    for match in BLOCK.finditer(text):
        language, *marks = match["mark"].split()
        pairs = dict((*mark.split("=", 1), "")[:2] for mark in marks)
        found.append(Block(language, pairs, match["text"]))
    return found


def chapters(text: str) -> list[str]:
    """The parts of a page, one for each heading of the second level."""
    return re.split(r"^## ", text, flags=re.MULTILINE)[1:]


def keeps(promise: str, seen: str) -> bool:
    """Whether what was promised is there, its lines in order."""
    rest = iter(seen.splitlines())
    return all(any(_fits(line, other) for other in rest) for line in promise.splitlines() if line != "…")


def _fits(promised: str, line: str) -> bool:
    return re.search(".*".join(map(re.escape, promised.split("…"))), line) is not None


class Terminal:
    """A program that stays at work, what it has printed, and its keyboard."""

    def __init__(self, script: str, folder: Path, environment: Mapping[str, str], printed: Path) -> None:
        self._printed = printed
        with printed.open("wb") as words:
            self._process = subprocess.Popen(
                ["bash", "-e", "-c", script],
                stdin=subprocess.PIPE,
                stdout=words,
                stderr=words,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )

    @property
    def words(self) -> str:
        """What it has printed so far."""
        return self._printed.read_text()

    def has_ended(self) -> bool:
        """Whether its program is at an end, of itself or because somebody killed it."""
        with suppress(subprocess.TimeoutExpired):
            self._process.communicate(timeout=ENDED_S)
        return self._process.returncode is not None

    def press(self, key: str) -> None:
        """Enter, or Ctrl-C until all of it has ended."""
        if key == "Ctrl-C":
            os.killpg(self._process.pid, signal.SIGINT)
            self._process.communicate(timeout=ENDED_S)
            return
        keyboard = self._process.stdin
        assert key == "⏎"
        assert keyboard is not None
        keyboard.write(b"\n")
        keyboard.flush()

    def close(self) -> None:
        """End what is left of it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


class Walk:
    """Somebody who follows a guide. Guards the order: nothing is done before what was promised has been seen."""

    def __init__(self, folder: Path, environment: Mapping[str, str], instead: Mapping[str, str]) -> None:
        """Begin in a folder; `instead` is what has to be written otherwise because it is taken here: ports."""
        self._folder = folder
        self._environment = environment
        self._instead = instead
        self._preamble = ""
        self._terminals: dict[str, Terminal] = {}

    def follow(self, page: Sequence[Block]) -> None:
        """Do what the blocks say. Raises `AssertionError` with what was seen where a promise is not kept."""
        look: Callable[[], str] = str
        for block in page:
            if block.is_promise:
                _wait_for(block.text, look)
            else:
                look = self._do(block)

    def close(self) -> None:
        """Close all terminals."""
        for terminal in self._terminals.values():
            terminal.close()

    def _do(self, block: Block) -> Callable[[], str]:
        """Do what a block says; how to look at what comes of it."""
        text = self._here(block.text)
        if block.language == "toml":
            self._write(block.marks, text)
        elif "preamble" in block.marks:
            self._preamble += text
        elif block.terminal is None:
            return partial(self._type, text)
        elif block.language == "text":
            for key in text.split():
                self._terminals[block.terminal].press(key)
        else:
            return self._start(block.terminal, text)
        return str

    def _here(self, text: str) -> str:
        for theirs, ours in self._instead.items():
            text = re.sub(rf"\b{theirs}\b", ours, text)
        return text

    def _write(self, marks: Mapping[str, str], text: str) -> None:
        with (Path(self._type("pwd").strip()) / (marks.get("file") or marks["append"])).open("a") as file:
            file.write(text)

    def _type(self, text: str) -> str:
        """Run it in the reader's own terminal; what is seen there."""
        done = subprocess.run(
            ["bash", "-c", self._preamble + text],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._folder,
            env=self._environment,
            check=False,
        )
        return done.stdout

    def _start(self, name: str, text: str) -> Callable[[], str]:
        before = self._terminals.get(name)
        assert before is None or before.has_ended(), f"the terminal {name} is in use"
        terminal = Terminal(self._preamble + text, self._folder, self._environment, self._folder / f"{name}.words")
        self._terminals[name] = terminal
        _wait_for(ANYTHING, lambda: terminal.words)
        return lambda: terminal.words


def _wait_for(promise: str, look: Callable[[], str]) -> None:
    """Look again and again until what is promised is there. Raises `AssertionError` with what was seen last."""
    never, end_s = Event(), monotonic() + PATIENCE_S
    while not keeps(promise, seen := look()):
        assert monotonic() < end_s, f"promised:\n{promise}\nseen:\n{seen}"
        never.wait(AGAIN_S)


@contextmanager
def walking(folder: Path, ports: Mapping[str, str]) -> Iterator[Walk]:
    """Somebody who follows a guide in a folder that stands for the clone, with these ports instead of its own."""
    (folder / ".venv").symlink_to(sys.prefix)
    walk = Walk(folder, {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}, ports)
    try:
        yield walk
    finally:
        walk.close()
