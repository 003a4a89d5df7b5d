"""Cuts a serial byte stream into the frames of one model, by the model's `Framing`.

In come chunks as the port delivers them, out come whole frames and, for each run of bytes that belong to none, one
`Rubbish`. Pure: time comes in as an argument. It never raises on noise and never holds more than one longest frame.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.drivers.model import Framing

PATIENCE_MS = 100
"""So long an unfinished frame may wait for its rest."""
RUN_MS = 1_000
"""A run of rubbish is told after this time, even when no frame ends it."""
LONGEST_FRAME = 600
KEPT_BYTES = 600
"""So many bytes of a run are kept for the log."""


@dataclass(frozen=True, slots=True)
class Rubbish:
    """A run of bytes that are no frame."""

    offset: int
    """Of its first byte in the stream, from 0 when the port was opened."""
    length: int
    data: bytes
    """Its first `KEPT_BYTES`."""
    problem: str | None
    """Why the first thing in it that looked like a frame was none; None when nothing did."""


Piece = bytes | Rubbish


@dataclass(slots=True)
class _Run:
    offset: int
    began_ms: int
    length: int = 0
    data: bytearray = field(default_factory=bytearray)
    problem: str | None = None

    def end(self) -> Rubbish:
        return Rubbish(self.offset, self.length, bytes(self.data), self.problem)


class StreamCutter:
    """The stream of one port since it was opened. After rubbish it goes on one byte further, never a frame further."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._start = _start_pattern(framing.header)
        self._buffer = bytearray()
        self._offset = 0
        self._last_ms = 0
        self._run: _Run | None = None

    def feed(self, data: bytes, now_ms: int) -> list[Piece]:
        """What these bytes complete. A frame that lacks bytes waits for them."""
        self._buffer += data
        self._last_ms = now_ms
        return self._cut(now_ms, patient=True) + self._end_run(since_ms=now_ms - RUN_MS)

    def quiet(self, now_ms: int) -> list[Piece]:
        """What silence means: after `PATIENCE_MS` of it an unfinished frame is rubbish, and a run is over."""
        if now_ms - self._last_ms < PATIENCE_MS:
            return []
        return self._cut(now_ms, patient=False) + self._end_run(since_ms=now_ms)

    def _cut(self, now_ms: int, *, patient: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while self._reach_start(now_ms):
            found = self._judge()
            if isinstance(found, bytes):
                pieces += [*self._end_run(since_ms=now_ms), found]
                self._drop(len(found))
            elif found is not None:
                self._skip(1, now_ms, problem=found)
            elif patient:
                break
            else:
                self._skip(1, now_ms, problem=f"unfinished after {PATIENCE_MS} ms")
        return pieces

    def _reach_start(self, now_ms: int) -> bool:
        """Skip to where a frame may start; False when nothing is left."""
        match = self._start.search(self._buffer)
        self._skip(len(self._buffer) if match is None else match.start(), now_ms)
        return bool(self._buffer)

    def _judge(self) -> bytes | str | None:
        """The frame at the buffer's start, or why it is none, or None when that cannot be told yet."""
        seen = bytes(self._buffer[:LONGEST_FRAME])
        if not seen.startswith(self._framing.header):
            return None
        length = self._framing.length(seen)
        if length is None:
            return None if len(seen) < LONGEST_FRAME else f"no end within {LONGEST_FRAME} bytes"
        if not 0 < length <= LONGEST_FRAME:
            return f"impossible length {length}"
        if len(seen) < length:
            return None
        problem = self._framing.problem(seen[:length])
        return seen[:length] if problem is None else problem

    def _skip(self, count: int, now_ms: int, *, problem: str | None = None) -> None:
        if not count:
            return
        run = self._run or _Run(self._offset, now_ms)
        room = KEPT_BYTES - len(run.data)
        run.data += self._buffer[: min(count, room)]
        run.length += count
        run.problem = run.problem or problem
        self._run = run
        self._drop(count)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._offset += count

    def _end_run(self, *, since_ms: int) -> list[Piece]:
        """The run under way, if it began at `since_ms` or before."""
        run = self._run
        if run is None or run.began_ms > since_ms:
            return []
        self._run = None
        return [run.end()]


def _start_pattern(headers: Sequence[bytes]) -> re.Pattern[bytes]:
    """Matches where a frame may start: at a whole header, or at the beginning of one that the chunk's end cuts off."""
    whole = [re.escape(header) for header in headers]
    cut = [re.escape(header[:length]) + rb"\Z" for header in headers for length in range(len(header) - 1, 0, -1)]
    return re.compile(b"|".join(whole + cut))
