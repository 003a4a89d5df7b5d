"""What a technician asks a gateway to do once, and what it answers: recalibrate a sensor, restart a link, show frames.

Out go commands, in come results in any order; every replica hears them all, so each can tell what became of a command
of another. Memory is bounded. Touched by the event loop only.
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from itertools import accumulate, takewhile
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from edge.messages import CapturedFrame, Command, CommandResult

MOST_ERRANDS: Final = 200
"""Kept; the oldest goes first."""
MOST_FRAMES: Final = 200
MOST_CHARACTERS: Final = 300_000
"""Of the frames of one errand together: five times what so many frames of a radar take."""
NO_EPOCH: Final = "0" * 16
"""What the cloud writes where a gateway writes its outbox's epoch."""


class Action(StrEnum):
    """What a gateway can be asked to do."""

    RECALIBRATE = "recalibrate"
    """Let a sensor learn its empty state anew; `target` is a device."""
    CAPTURE = "capture"
    """Show a device's frames for a minute; `target` is a device."""
    RESTART_LINK = "restart-link"
    """Close a link and open it again; `target` is a link."""


class Outcome(StrEnum):
    """How far a command has come."""

    WAITING = "waiting"
    """The gateway has not answered: it is off line, or about to."""
    UNDER_WAY = "under_way"
    """Frames come."""
    DONE = "done"
    FAILED = "failed"
    """The gateway says why in `text`."""


class Errand(Struct, frozen=True, kw_only=True):
    """One command and what became of it."""

    id: str
    gateway: str
    asked_at: datetime | None = None
    """None where another replica asked."""
    outcome: Outcome = Outcome.WAITING
    text: str = ""
    frames: tuple[CapturedFrame, ...] = ()


class Errands:
    """Guards that a result counts for the gateway that was asked only, and that memory is bounded."""

    def __init__(self, send: Callable[[Command], bool]) -> None:
        """`send` publishes a command; False when that cannot be now."""
        self._send = send
        self._known: dict[tuple[str, str], Errand] = {}

    def ask(self, gateway: str, action: Action, target: str, now: datetime) -> Errand | None:
        """Send a command; None when the broker is away. It is lost when the gateway is off line: ask again later."""
        command = Command(gateway=gateway, epoch=NO_EPOCH, id=secrets.token_hex(8), action=action.value, target=target)
        if not self._send(command):
            return None
        errand = Errand(id=command.id, gateway=gateway, asked_at=now)
        self._keep(errand)
        return errand

    def find(self, gateway: str, errand_id: str) -> Errand | None:
        """What became of a command, as far as is known."""
        return self._known.get((gateway, errand_id))

    def take(self, result: CommandResult) -> None:
        """Take in what a gateway answered."""
        known = self.find(result.gateway, result.id) or Errand(id=result.id, gateway=result.gateway)
        frames = known.frames if result.frame is None else _newest((*known.frames, result.frame))
        outcome = Outcome.UNDER_WAY if result.more else Outcome.DONE if result.done else Outcome.FAILED
        self._keep(replace(known, outcome=outcome, text=result.text, frames=frames))

    def _keep(self, errand: Errand) -> None:
        self._known[errand.gateway, errand.id] = errand
        if len(self._known) > MOST_ERRANDS:
            del self._known[next(iter(self._known))]


def _newest(frames: tuple[CapturedFrame, ...]) -> tuple[CapturedFrame, ...]:
    """As many of them, from the end, as are kept."""
    sizes = accumulate(map(_characters, reversed(frames[-MOST_FRAMES:])))
    kept = sum(1 for _ in takewhile(lambda size: size <= MOST_CHARACTERS, sizes))
    return frames[len(frames) - kept :]


def _characters(frame: CapturedFrame) -> int:
    return len(frame.payload) + len(frame.problem or "") + sum(map(len, frame.readings))
