"""The folder that a demo keeps: its files, whose town it is, how far its time went; one demo at a time runs in it.

In comes a path, out come paths and small values; files are replaced in one step. What is wrong with a folder is one
`DemoError` that says what to do.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from edge.lock_file import locked


class DemoError(Exception):
    """What keeps the demo from running, and what to do."""


class Past(msgspec.Struct, frozen=True):
    """The history that belongs to a folder."""

    seed: int
    """Of the town that lives here."""
    days: int
    end: datetime
    """When the first start was, simulated."""
    told: bool = False
    """All of it is in the store."""


@dataclass(frozen=True, slots=True)
class Files:
    """What the demo keeps in its folder."""

    folder: Path

    @property
    def gateway(self) -> Path:
        """The gateway's data folder."""
        return self.folder / "gateway"

    @property
    def configuration(self) -> Path:
        """The gateway's configuration, written anew at every start: the ports change."""
        return self.folder / "gateway.toml"

    @property
    def registry(self) -> str:
        """The town's places, for the API."""
        return str(self.folder / "registry.db")

    @property
    def store(self) -> str:
        """The history."""
        return f"sqlite:///{self.folder / 'history.db'}"

    @property
    def log(self) -> Path:
        """What gateway, API and broker connection tell."""
        return self.folder / "demo.log"

    @contextmanager
    def held(self) -> Iterator[None]:
        """No other demo runs in this folder for the length of a `with`. Raises `DemoError`."""
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.folder / "lock"))
            except BlockingIOError as error:
                raise DemoError(f"a demo runs in {self.folder} already; name another folder with --data") from error
            except OSError as error:
                raise DemoError(f"--data {self.folder} cannot be a folder of ours: {error.strerror}") from error
            yield

    def begin(self) -> datetime:
        """Now, or the simulated time that an earlier start reached when that is later."""
        now = datetime.now(UTC)
        return max(now, _read(self._time, datetime)) if self._time.exists() else now

    def remember_time(self, now: datetime) -> None:
        """Keep the simulated time that is reached."""
        _write(self._time, now)

    def past(self, seed: int, days: int, now: datetime) -> Past:
        """The history that an earlier start decided to prepare, or else this one. Raises `DemoError`."""
        if not self._past.exists():
            self.remember_past(Past(seed, days, now, told=days == 0))
        past: Past = _read(self._past, Past)
        if past.seed != seed:
            raise DemoError(f"{self.folder} is the town of --seed {past.seed}; name another folder with --data")
        return past

    def remember_past(self, past: Past) -> None:
        """Keep how far the history is."""
        _write(self._past, past)

    @property
    def _time(self) -> Path:
        return self.folder / "time.json"

    @property
    def _past(self) -> Path:
        return self.folder / "past.json"


def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise DemoError(f"{path} is not what a demo wrote ({error}); delete the folder to begin anew") from error


def _write(path: Path, value: Past | datetime) -> None:
    """Replace the file in one step: whatever kills us leaves the old one or the new one."""
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(value))
    draft.replace(path)
