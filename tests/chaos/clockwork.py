"""The gateway's wall clock in the hands of the rig: set by hours, not yet synchronised, in a boot of its own.

In come steps, out goes the same program with `time.time` and `time.time_ns` moved. Nobody sets the machine's own clock:
others use it. What the kernel itself would do at a step (timers on the wall clock) is not shown; the gateway has none.
"""

import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from runpy import run_module
from secrets import token_hex

import edge.clock

OFFSET = struct.Struct("q")
"""Seconds."""
START = "from tests.chaos.clockwork import start; start()"
FOLDER = "PASSERELLE_CHAOS_CLOCK"


@dataclass(frozen=True, slots=True)
class WallClock:
    """Files that the gateway's clock is read from."""

    folder: Path

    @property
    def offset(self) -> Path:
        """By how much it differs from the machine's."""
        return self.folder / "offset"

    @property
    def mark(self) -> Path:
        """It is there while the clock counts as synchronised."""
        return self.folder / "synchronized"

    @property
    def boot(self) -> Path:
        """Names the run of the monotonic clock."""
        return self.folder / "boot_id"

    def put_right(self) -> None:
        """NTP has spoken."""
        self.set(0)
        self.mark.touch()

    def set(self, seconds: int) -> None:
        """Differ from now on by so much, at once."""
        self.offset.touch()
        with self.offset.open("r+b", buffering=0) as file:
            file.write(OFFSET.pack(seconds))

    def lose(self, seconds: int) -> None:
        """A power cut: at the next start the clock is so far in the past, and nobody calls it synchronised."""
        self.set(-seconds)
        self.mark.unlink(missing_ok=True)
        self.boot.write_text(token_hex(8))


def start() -> None:
    """Be the gateway's service with that clock: `passerelle edge` would become another process, with its own."""
    clock = WallClock(Path(os.environ[FOLDER]))
    descriptor, now_ns = os.open(clock.offset, os.O_RDONLY), time.time_ns

    def moved_ns() -> int:
        (seconds,) = OFFSET.unpack(os.pread(descriptor, OFFSET.size, 0))
        return now_ns() + int(seconds) * 1_000_000_000

    time.time_ns = moved_ns
    time.time = lambda: moved_ns() / 1_000_000_000
    edge.clock.BOOT_ID = clock.boot
    edge.clock.synchronised = clock.mark.exists
    run_module("edge.service", run_name="__main__")
