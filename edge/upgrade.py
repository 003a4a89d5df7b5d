"""What an upgrade does, in which order, and whether the new version proves itself. The machine comes in as an argument.

In come two program folders side by side and a watch of two minutes, out comes the new version at work, or the one
before it with all that was counted and queued meanwhile. Must never leave an outbox to a version that cannot read it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from edge.health import Health

WATCH_S = 120.0
"""So long a new version is watched. How it does is told every 30 s."""
LOOK_EVERY_S = 2.0

Say = Callable[[str], None]


class Side(StrEnum):
    """The two program folders."""

    A = "a"
    B = "b"

    @property
    def other(self) -> "Side":
        """The one beside it."""
        return Side.B if self is Side.A else Side.A


class UpgradeError(Exception):
    """What went wrong, in words. The gateway runs as it did before, unless they say otherwise."""


class Look(Struct, frozen=True):
    """One look at the service."""

    pid: int
    """Its main process; 0 when it does not run."""
    health: Health | None
    """What that process says of itself; None while it has said nothing."""


class Machine(Protocol):
    """What an upgrade works on. Each deed raises `UpgradeError` when it cannot be done."""

    def current(self) -> Side:
        """Where the link points to."""

    def install(self, side: Side, wanted: str) -> None:
        """Put a wheel's or a version's program into a folder, in the place of what was there."""

    def version(self, side: Side) -> str:
        """What the program of a folder says that it is."""

    def rehearse(self, here: Side, there: Side) -> None:
        """On a copy: let the one hand over the outbox, the other write to it and hand it back, and miss nothing."""

    def hand_over(self, giver: Side, taker: Side) -> None:
        """Bring the outbox to a schema that the taker reads; by the giver, where the taker's is the older."""

    def switch(self, side: Side) -> None:
        """Let the link point to a folder."""

    def stop(self) -> None:
        """Stop the service; return when it has ended."""

    def start(self) -> None:
        """Start the service; return when it says that it runs."""

    def look(self) -> Look:
        """How the service does."""

    def pause(self, seconds: float) -> None:
        """Let time pass."""

    def now_s(self) -> float:
        """Seconds that never step back."""


def upgrade(machine: Machine, wanted: str, watch_s: float, say: Say) -> None:
    """Install another version beside this one, and let it take over if it proves itself. Raises `UpgradeError`."""
    there = machine.current().other
    say(f"installing {wanted} into folder {there}, while the gateway runs")
    machine.install(there, wanted)
    take_over(machine, watch_s, say)


def take_over(machine: Machine, watch_s: float, say: Say) -> None:
    """Let the version in the other folder take over, and keep it if it proves itself. Raises `UpgradeError`."""
    here = machine.current()
    there = here.other
    old, new = machine.version(here), machine.version(there)
    machine.rehearse(here, there)
    say(f"rehearsed on a copy of the outbox: {new} reads it, and {old} gets it back whole")
    before = machine.look()
    say(f"{old} stops, {new} starts and is watched for {watch_s:g} s")
    try:
        machine.stop()
        machine.hand_over(here, there)
        machine.switch(there)
        machine.start()
        found = watch(machine, before.health, new, watch_s)
    except UpgradeError as error:
        found = str(error)
    except KeyboardInterrupt:
        found = "the upgrade was interrupted"
    if found is None:
        say(f"{new} runs and is kept; {old} stays in folder {here}: `passerelle edge back` returns to it")
        return
    say(f"going back: {found}")
    _go_back(machine, here, f"{new} did not prove itself: {found}")
    raise UpgradeError(f"{new} did not prove itself: {found}; {old} runs again, with all that was counted and queued")


def watch(machine: Machine, before: Health | None, version: str, watch_s: float) -> str | None:
    """What speaks against the version that was started; None when nothing does after so many seconds."""
    end_s = machine.now_s() + watch_s
    started = machine.look()
    first, last = started.health, started.health
    while machine.now_s() < end_s:
        machine.pause(LOOK_EVERY_S)
        now = machine.look()
        if now.pid == 0:
            return "it has ended"
        if now.pid != started.pid:
            return "it has ended, and was started again"
        first, last = first or now.health, now.health or last
    return judge(before, first, last, version)


def judge(before: Health | None, first: Health | None, last: Health | None, version: str) -> str | None:
    """What speaks against a version by its first and its last word, and by the word of the one before it."""
    if first is None or last is None:
        return "it does not say how it does"
    if last.version != version:
        return f"{last.version} runs, and not {version}"
    if last.trouble:
        return f"its outbox cannot be used: {last.trouble}"
    if last.progress == first.progress:
        return "it makes no progress"
    return None if before is None else _worse(before, last)


def _worse(before: Health, now: Health) -> str | None:
    """What worked before and does not any more."""
    lost = sorted(set(before.links) - set(now.links))
    if lost:
        return f"what was up is not any more: {', '.join(lost)}"
    if now.devices < before.devices:
        return f"devices that it reads: {now.devices}, before: {before.devices}"
    if before.broker and not now.broker:
        return "the broker was reached before, and is not any more"
    return None


def _go_back(machine: Machine, here: Side, why: str) -> None:
    """The version before goes on. Where the outbox cannot be given back to it, the newer one must."""
    there = here.other
    try:
        machine.stop()
        if machine.current() is there:
            _return(machine, here)
        machine.start()
    except UpgradeError as error:
        raise UpgradeError(f"{why}; and then: {error}") from error


def _return(machine: Machine, here: Side) -> None:
    try:
        machine.hand_over(here.other, here)
        machine.switch(here)
    except UpgradeError as error:
        machine.start()
        raise UpgradeError(f"it cannot give the outbox back, so it goes on: {error}") from error
