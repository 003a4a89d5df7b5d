"""Whether wall-clock time can be trusted yet, and what time a moment of the monotonic clock was.

A Raspberry Pi has no clock battery: after a power cut it wakes up in the past until NTP has spoken. Everything is dated
by the monotonic clock first; `utc_ms` gives its UTC time once that is known, None before. Never guesses.
"""

import ctypes
import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

TIME_ERROR = 5
"""What adjtimex(2) returns while the kernel holds its clock for unsynchronised."""
TIMESYNCD_MARK = Path("/run/systemd/timesync/synchronized")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """The gateway's only source of time; tests and the simulated town bring their own."""

    @property
    def session(self) -> str:
        """Names the run of the monotonic clock: another value means that its readings cannot be compared."""

    def monotonic_ms(self) -> int:
        """Milliseconds that never step back while the machine is up, suspend included."""

    def utc_ms(self, monotonic_ms: int) -> int | None:
        """UTC in milliseconds since 1970 at that moment; None while the wall clock cannot be trusted."""


class ClockTrust(StrEnum):
    """What makes the system's wall clock trustworthy."""

    NTP = "ntp"
    """The kernel or systemd-timesyncd says that it is synchronised."""
    SYSTEM = "system"
    """The machine has a clock of its own (a server, a Pi with a battery-backed clock): believed as it is."""


class SystemClock:
    """The machine's clocks. Guards one invariant: no UTC time leaves it before the wall clock was trusted once."""

    def __init__(self, trust: ClockTrust) -> None:
        self._trusted = trust is ClockTrust.SYSTEM
        self.session = BOOT_ID.read_text().strip() if BOOT_ID.exists() else "unknown"

    def monotonic_ms(self) -> int:
        """CLOCK_BOOTTIME in milliseconds."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def utc_ms(self, monotonic_ms: int) -> int | None:
        """The system's present offset between wall and boot time, applied to that moment."""
        if not self._trusted:
            self._trusted = synchronised()
        if not self._trusted:
            return None
        return time.time_ns() // 1_000_000 - self.monotonic_ms() + monotonic_ms


def synchronised() -> bool:
    """Whether the kernel's clock is disciplined by NTP, or systemd-timesyncd has set it since boot."""
    if TIMESYNCD_MARK.exists():
        return True
    timex = ctypes.create_string_buffer(512)
    return ctypes.CDLL(None).adjtimex(timex) not in (-1, TIME_ERROR)


def to_datetime(utc_ms: int) -> datetime:
    """UTC milliseconds as a datetime, exact to the millisecond."""
    seconds, milliseconds = divmod(utc_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)


def to_utc_ms(moment: datetime) -> int:
    """A datetime with a zone as UTC milliseconds, without floating point."""
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return int(whole.timestamp()) * 1000 + moment.microsecond // 1000
