"""Which frames are new: repeats are known by (session, frame counter, payload hash), across restarts.

Network servers, modems and brokers repeat frames; a repeat must change nothing. A frame that is older than one already
taken in is let through and marked, so that its deltas are placed and its totals and states are not believed. A
counter that falls far back was restarted: a device whose network server checks no counters must not fall silent for it.
Unless its network time says that the frame is old: then a broker tells again what we took in and could not acknowledge,
or, where its counter is one that was skipped, tells late what we never had.
"""

from enum import StrEnum
from hashlib import blake2b

from msgspec import Struct, structs

from edge.readings import Frame

REMEMBERED = 32
"""Frames remembered per device: more than any network server's replay after an outage holds out of order."""


GAPS_REMEMBERED = 64
"""Runs of skipped counters remembered per device, the latest: a broker may give hours of frames out of order."""


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
    missing: tuple[tuple[int, int], ...] = ()
    """Runs of counters (first, last) of the session that were skipped and have not come since."""


def admit(memory: Admission, frame: Frame) -> tuple[Admission, Arrived]:
    """The memory after this frame, and how the frame stands to those before. Frames without counter are in order."""
    if frame.counter is None:
        return memory, Arrived.IN_ORDER
    mark = fingerprint(frame)
    if mark in memory.recent:
        return memory, Arrived.REPEAT
    begins = memory.counter is None or frame.session != memory.session or frame.counter <= memory.counter - REMEMBERED
    at_s = None if frame.network_time is None else int(frame.network_time.timestamp())
    if begins and _is_old(memory, frame, at_s):
        late = frame.session == memory.session and _is_missing(memory, frame.counter)
        return (_overtaken(memory, frame.counter), Arrived.OLDER) if late else (memory, Arrived.REPEAT)
    memory = structs.replace(memory, recent=(*memory.recent[-(REMEMBERED - 1) :], mark))
    if begins or memory.counter is None:
        began = structs.replace(memory, session=frame.session, counter=frame.counter, newest_s=at_s, missing=())
        return began, Arrived.IN_ORDER
    if frame.counter <= memory.counter:
        return _overtaken(memory, frame.counter), Arrived.OLDER
    lost = memory.lost + frame.counter - memory.counter - 1
    missing = _skipped(memory.missing, memory.counter + 1, frame.counter - 1)
    return structs.replace(memory, counter=frame.counter, lost=lost, newest_s=at_s, missing=missing), Arrived.IN_ORDER


def _is_old(memory: Admission, frame: Frame, at_s: int | None) -> bool:
    """Whether the network dates the frame before the newest that is known; one second holds one frame of a session."""
    if at_s is None or memory.newest_s is None:
        return False
    return at_s < memory.newest_s + (frame.session == memory.session)


def _overtaken(memory: Admission, counter: int) -> Admission:
    return structs.replace(memory, lost=max(memory.lost - 1, 0), missing=_without(memory.missing, counter))


def _is_missing(memory: Admission, counter: int) -> bool:
    return any(first <= counter <= last for first, last in memory.missing)


def _skipped(missing: tuple[tuple[int, int], ...], first: int, last: int) -> tuple[tuple[int, int], ...]:
    return missing if last < first else (*missing[-(GAPS_REMEMBERED - 1) :], (first, last))


def _without(missing: tuple[tuple[int, int], ...], counter: int) -> tuple[tuple[int, int], ...]:
    """The runs, the one that holds the counter cut in two around it."""
    rest: list[tuple[int, int]] = []
    for first, last in missing:
        pieces = ((first, counter - 1), (counter + 1, last)) if first <= counter <= last else ((first, last),)
        rest.extend(piece for piece in pieces if piece[0] <= piece[1])
    return tuple(rest[-GAPS_REMEMBERED:])


def fingerprint(frame: Frame) -> str:
    """16 hexadecimal digits that tell this frame from any other of its device."""
    head = f"{frame.session}/{frame.counter}/{frame.port}/".encode()
    return blake2b(head + frame.payload, digest_size=8).hexdigest()
