"""Facts as rows of the embedded store, and rows as what it tells. Pure."""

from functools import lru_cache

from cloud_api.stores.base import (
    HOUR_S,
    Channel,
    Correction,
    CorrectionCause,
    Hour,
    StoredFlow,
    StoredSpace,
    from_microseconds,
    from_seconds,
    to_microseconds,
    to_seconds,
)
from edge.messages import Flag, SpaceState, TimeSource

FLAG_BITS = {
    Flag.SPLIT: 1,
    Flag.SPREAD: 2,
    Flag.LATE: 4,
    Flag.RESET: 8,
    Flag.LOST: 16,
    Flag.CLOCK: 32,
    Flag.DISAGREES: 64,
    Flag.MERGED: 128,
}
"""How flags are written in the file: a bit keeps its meaning for ever."""

Row = dict[str, str | int | None]


def flag_bits(flags: frozenset[Flag]) -> int:
    """Flags as the file has them."""
    return sum(FLAG_BITS[flag] for flag in flags)


@lru_cache(256)
def flags_of(bits: int) -> frozenset[Flag]:
    """Flags from what the file has."""
    return frozenset(flag for flag, bit in FLAG_BITS.items() if bits & bit) if bits else frozenset()


def flow_row(fact: StoredFlow, now: int) -> Row:
    interval = fact.interval
    return {
        "gateway": fact.gateway,
        "epoch": fact.epoch,
        "device": interval.device,
        "channel": interval.channel,
        "mode": interval.mode,
        "start": to_seconds(interval.start),
        "part": interval.part,
        "seconds": interval.seconds,
        "in": interval.in_,
        "out": interval.out,
        "covered_s": interval.covered_s,
        "flags": flag_bits(frozenset(interval.flags)),
        "source": interval.source,
        "committed": now,
    }


def state_row(fact: StoredSpace, now: int) -> Row:
    state = fact.state
    return {
        "gateway": fact.gateway,
        "device": state.device,
        "channel": state.channel,
        "at": to_microseconds(state.at),
        "occupied": state.occupied,
        "since": None if state.since is None else to_microseconds(state.since),
        "source": state.source,
        "committed": now,
    }


def correction_row(correction: Correction) -> Row:
    return {
        "place": correction.place,
        "at": to_microseconds(correction.at),
        "occupied": correction.occupied,
        "cause": correction.cause,
        "counted": correction.counted,
        "note": correction.note,
    }


def correction(place: str, at: int, occupied: int, cause: str, counted: int | None, note: str) -> Correction:
    return Correction(
        place=place,
        at=from_microseconds(at),
        occupied=occupied,
        cause=CorrectionCause(cause),
        counted=counted,
        note=note,
    )


def hour(channel: Channel, row: tuple[int, int, int | None, int, int, int]) -> Hour:
    start, in_, out, covered_s, flags, parts = row
    return Hour(
        channel=channel,
        start=from_seconds(start),
        in_=in_,
        out=out,
        covered_s=min(covered_s, HOUR_S),
        flags=flags_of(flags),
        parts=parts,
    )


def stored_space(row: tuple[str, str, int, int, int | None, str, str]) -> StoredSpace:
    device, channel, at, occupied, since, source, gateway = row
    state = SpaceState(
        device=device,
        channel=channel,
        occupied=bool(occupied),
        at=from_microseconds(at),
        since=None if since is None else from_microseconds(since),
        source=TimeSource(source),
    )
    return StoredSpace(gateway=gateway, state=state)
