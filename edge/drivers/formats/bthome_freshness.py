"""Which BTHome v2 advertisement is a new message: every message is sent several times, and recordings can be replayed.

In come service data and the time of hearing them, out comes a verdict. It reads no clock. Encrypted service data must
have been authenticated before it is shown here: a forged counter would shut the device out.
Source: bthome.io/format (packet id, encryption counter); the rule for restarts is our own, and stricter.
"""

from enum import Enum, auto

PACKET_ID = 0x00
PACKET_MEMORY_MS = 4_000
"""After so long without a sign of the last message any packet id is new."""
PACKETS_AHEAD = 63
"""How far a packet id may have moved on, modulo 256."""
RESTART_COUNTER = 100
"""A device that lost its counter begins again below this."""
RESTART_SILENCE_MS = 300_000
"""It must have been silent for so long to be believed that it restarted."""

ENCRYPTED, MAC_INCLUDED = 0x01, 0x02
COUNTER_FROM_END, MIC_FROM_END = 8, 4


class Verdict(Enum):
    """What an advertisement is."""

    NEW = auto()
    REPEAT = auto()
    """The last message once more."""
    REPLAY = auto()
    """An old message: drop it."""
    RESTARTED = auto()
    """New, from a device that began to count again: take it and say so."""


class Freshness:
    """What was last heard of one device. Guards one invariant: no message is new twice."""

    def __init__(self, last_counter: int | None) -> None:
        """`last_counter`: the greatest encryption counter taken so far, across restarts; None when there is none."""
        self._counter = last_counter
        self._counter_ms: int | None = None
        self._payload = b""
        self._payload_ms: int | None = None

    @property
    def last_counter(self) -> int | None:
        """The encryption counter of the last message taken."""
        return self._counter

    def accept(self, payload: bytes, now_ms: int) -> Verdict:
        """Judge service data (without UUID) heard at `now_ms` of a monotonic clock, and remember it if it is taken."""
        counter = encryption_counter(payload)
        return self._judge_plain(payload, now_ms) if counter is None else self._judge_counter(counter, now_ms)

    def _judge_counter(self, counter: int, now_ms: int) -> Verdict:
        if self._counter_ms is None:
            self._counter_ms = now_ms
        verdict = self._compare_counter(counter, now_ms - self._counter_ms)
        if verdict is not Verdict.REPLAY:
            self._counter, self._counter_ms = counter, now_ms
        return verdict

    def _compare_counter(self, counter: int, silent_ms: int) -> Verdict:
        if self._counter is None or counter > self._counter:
            return Verdict.NEW
        if counter == self._counter:
            return Verdict.REPEAT
        restarted = counter < RESTART_COUNTER and silent_ms >= RESTART_SILENCE_MS
        return Verdict.RESTARTED if restarted else Verdict.REPLAY

    def _judge_plain(self, payload: bytes, now_ms: int) -> Verdict:
        packet = packet_id(payload)
        forgotten = self._payload_ms is None or now_ms - self._payload_ms > PACKET_MEMORY_MS
        verdict = Verdict.NEW if forgotten else self._compare_plain(payload, packet)
        if verdict is Verdict.NEW or (verdict is Verdict.REPEAT and packet is not None):
            self._payload, self._payload_ms = payload, now_ms
        return verdict

    def _compare_plain(self, payload: bytes, packet: int | None) -> Verdict:
        last = packet_id(self._payload)
        if packet is None or last is None:
            return Verdict.REPEAT if payload == self._payload else Verdict.NEW
        ahead = (packet - last) % 256
        if ahead == 0:
            return Verdict.REPEAT
        return Verdict.NEW if ahead <= PACKETS_AHEAD else Verdict.REPLAY


def encryption_counter(payload: bytes) -> int | None:
    """The counter of encrypted service data; None when it is plain or too short to hold one."""
    if not payload or not payload[0] & ENCRYPTED or len(payload) < _objects_start(payload) + COUNTER_FROM_END:
        return None
    return int.from_bytes(payload[-COUNTER_FROM_END:-MIC_FROM_END], "little")


def packet_id(payload: bytes) -> int | None:
    """The packet id, 0 to 255, of plain service data; None when its first object is another."""
    start = _objects_start(payload)
    if len(payload) < start + 2 or payload[0] & ENCRYPTED or payload[start] != PACKET_ID:
        return None
    return payload[start + 1]


def _objects_start(payload: bytes) -> int:
    return 7 if payload and payload[0] & MAC_INCLUDED else 1
