"""Which frames are new: repeats are known by (session, frame counter, payload hash), across restarts.

Network servers, modems and brokers repeat frames; a repeat must change nothing. A frame that is older than one already
taken in is let through and marked, so that its deltas are placed and its totals and states are not believed. A
counter that falls far back was restarted: a device whose network server checks no counters must not fall silent for it.
Unless its network time says that the frame is old: then a broker tells again what we took in and could not acknowledge.
"""

from enum import StrEnum
from hashlib import blake2b

from msgspec import Struct, structs

from edge.readings import Frame

REMEMBERED = 32
"""Frames remembered per device: more than any network server's replay after an outage holds out of order."""


class Arrived(StrEnum):
    """How a frame stands to those before it."""

    IN_ORDER = "in-order"
    OLDER = "older"
    REPEAT = "repeat"


class Admission(Struct, frozen=True, array_like=True):
    """What is remembered of a device's frames."""

    session: str = ""
    counter: int | None = None
    """Greatest frame counter of the session."""
    recent: tuple[str, ...] = ()
    """Fingerprints of the latest frames, oldest first."""
    lost: int = 0
    """Frame counters that were skipped."""
    newest_s: int | None = None
    """Network time of the frame with the greatest counter, UTC, where the network tells it."""


def admit(memory: Admission, frame: Frame) -> tuple[Admission, Arrived]:
    """The memory after this frame, and how the frame stands to those before. Frames without counter are in order."""
    if frame.counter is None:
        return memory, Arrived.IN_ORDER
    mark = fingerprint(frame)
    if mark in memory.recent:
        return memory, Arrived.REPEAT
    begins = memory.counter is None or frame.session != memory.session or frame.counter <= memory.counter - REMEMBERED
    at_s = None if frame.network_time is None else int(frame.network_time.timestamp())
    same_second_is_old = frame.session == memory.session
    if begins and at_s is not None and memory.newest_s is not None and at_s < memory.newest_s + same_second_is_old:
        return memory, Arrived.REPEAT
    recent = (*memory.recent[-(REMEMBERED - 1) :], mark)
    memory = structs.replace(memory, recent=recent)
    if begins or memory.counter is None:
        return structs.replace(memory, session=frame.session, counter=frame.counter, newest_s=at_s), Arrived.IN_ORDER
    if frame.counter <= memory.counter:
        return structs.replace(memory, lost=max(memory.lost - 1, 0)), Arrived.OLDER
    lost = memory.lost + frame.counter - memory.counter - 1
    return structs.replace(memory, counter=frame.counter, lost=lost, newest_s=at_s), Arrived.IN_ORDER


def fingerprint(frame: Frame) -> str:
    """16 hexadecimal digits that tell this frame from any other of its device."""
    head = f"{frame.session}/{frame.counter}/{frame.port}/".encode()
    return blake2b(head + frame.payload, digest_size=8).hexdigest()
