"""Retention and moving of the embedded store, said to one connection each: parts become sums, and all can be read out.

`hour` is not touched when parts go: it is, at every commit, the sum over `part` and `kept`.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime

from cloud_api.stores.base import (
    HOUR_S,
    Channel,
    Correction,
    CorrectionCause,
    StoredFlow,
    from_microseconds,
    from_seconds,
    to_microseconds,
    to_seconds,
)
from cloud_api.stores.kept import CommittedFlow, CommittedSpace, Kept, fold, key_of, keys_of, keys_text
from cloud_api.stores.lasting import FlowSpan, SpaceSpan
from cloud_api.stores.sqlite_rows import flag_bits, flags_of, stored_space
from edge.messages import FlowInterval, TimeSource

_OLDEST = """
    SELECT min(oldest) FROM (
        SELECT (SELECT min(start) FROM part WHERE part.channel = channel.id) AS oldest FROM channel
    )
"""
_TRIMMABLE = "SELECT count(*) FROM channel JOIN part ON part.channel = channel.id AND part.start < ?"
_PARTS = """
    SELECT gateway, epoch, start, part, seconds, in_, out, covered_s, flags, source, committed
    FROM part JOIN origin ON origin.id = part.origin
    WHERE channel = ? AND start >= ? AND start < ?
    ORDER BY start, gateway, epoch, part
"""
_KEPT = """
    SELECT gateway, epoch, start, in_, out, covered_s, flags, keys, committed
    FROM kept JOIN origin ON origin.id = kept.origin
    WHERE channel = ? AND start >= ? AND start < ?
    ORDER BY start, gateway, epoch, first
"""
_KEEP = """
    INSERT INTO kept
    SELECT :channel, :start, id, :first, :in, :out, :covered_s, :flags, :parts, :keys, :committed
    FROM origin WHERE gateway = :gateway AND epoch = :epoch
    ON CONFLICT DO NOTHING
"""
_TAKE_OFF = "DELETE FROM part WHERE channel = :channel AND start = :start AND origin = :origin AND part = :part"
_FLOW_SPANS = """
    SELECT device, name, mode, min(start), max(start) FROM hour JOIN channel ON channel.id = hour.channel
    GROUP BY channel.id ORDER BY device, name, mode
"""
_SPACE_SPANS = """
    SELECT device, channel, (SELECT min(at) FROM state WHERE space = id), (SELECT max(at) FROM state WHERE space = id)
    FROM space ORDER BY device, channel
"""
_STATES = """
    SELECT device, channel, at, occupied, since, source, gateway, committed
    FROM space JOIN state ON state.space = space.id
    WHERE device = ? AND channel = ? AND at >= ? AND at < ?
    ORDER BY at
"""
_EVERY_CORRECTION = "SELECT place, at, occupied, cause, counted, note FROM correction ORDER BY place, at"
_SET_FORGOTTEN = "INSERT INTO forgotten VALUES (1, ?) ON CONFLICT DO UPDATE SET before = max(before, excluded.before)"
_FORGET = (
    "DELETE FROM part WHERE channel = ? AND start < ?",
    "DELETE FROM kept WHERE channel = ? AND start < ?",
    "DELETE FROM hour WHERE channel = ? AND start < ?",
)
_SET_HORIZON = "INSERT INTO horizon VALUES (1, ?) ON CONFLICT DO UPDATE SET before = max(before, excluded.before)"


def horizon(connection: sqlite3.Connection) -> int | None:
    """Seconds since 1970 before which only hourly sums are told."""
    row = connection.execute("SELECT before FROM horizon").fetchone()
    return None if row is None else int(row[0])


def advance(connection: sqlite3.Connection, before: int) -> None:
    """Move the horizon on, never back."""
    connection.execute(_SET_HORIZON, (before,))


def forgotten(connection: sqlite3.Connection) -> datetime | None:
    """Before it no hours are kept."""
    row = connection.execute("SELECT before FROM forgotten").fetchone()
    return None if row is None else from_seconds(row[0])


def forget(connection: sqlite3.Connection, number: int, before: int) -> None:
    """Let the hours of one channel before an instant go."""
    connection.execute(_SET_FORGOTTEN, (before,))
    for statement in _FORGET:
        connection.execute(statement, (number, before))


def trimmable(connection: sqlite3.Connection, before: datetime) -> int:
    """Parts before an instant."""
    count: int = connection.execute(_TRIMMABLE, (to_seconds(before),)).fetchone()[0]
    return count


def oldest(connection: sqlite3.Connection) -> int | None:
    """When the interval of the oldest part begins, in seconds since 1970."""
    at: int | None = connection.execute(_OLDEST).fetchone()[0]
    return at


def channels(connection: sqlite3.Connection) -> list[tuple[int, Channel]]:
    """The numbers of all channels."""
    rows = connection.execute("SELECT id, device, name, mode FROM channel ORDER BY id")
    return [(number, Channel(*names)) for number, *names in rows]


def trim_channel(connection: sqlite3.Connection, number: int, channel: Channel, end: int) -> int:
    """Put the parts of one channel before an instant into sums; how many there were."""
    parts = _parts(connection, number, channel, 0, end)
    if parts:
        connection.executemany(_KEEP, [{**_kept_row(each), "channel": number} for each in fold(parts)])
        connection.execute("DELETE FROM part WHERE channel = ? AND start < ?", (number, end))
    return len(parts)


def keep(connection: sqlite3.Connection, sums: Sequence[Kept]) -> None:
    """Add sums of another store's; parts that are in them go, and their hours are added up again."""
    for each in sums:
        names = (each.channel.device, each.channel.name, each.channel.mode)
        connection.execute("INSERT INTO channel (device, name, mode) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", names)
        connection.execute(
            "INSERT INTO origin (gateway, epoch) VALUES (?, ?) ON CONFLICT DO NOTHING", (each.gateway, each.epoch)
        )
        (number,) = connection.execute(
            "SELECT id FROM channel WHERE device = ? AND name = ? AND mode = ?", names
        ).fetchone()
        if connection.execute(_KEEP, {**_kept_row(each), "channel": number}).rowcount:
            _take_off(connection, number, each)
            _add_up(connection, number, each.channel, to_seconds(each.start))


def _take_off(connection: sqlite3.Connection, number: int, each: Kept) -> None:
    (origin,) = connection.execute(
        "SELECT id FROM origin WHERE gateway = ? AND epoch = ?", (each.gateway, each.epoch)
    ).fetchone()
    start = to_seconds(each.start)
    for part in _parts(connection, number, each.channel, start, start + HOUR_S):
        interval = part.fact.interval
        if (part.fact.gateway, part.fact.epoch) == (each.gateway, each.epoch) and key_of(interval) in each.keys:
            at = {"channel": number, "start": to_seconds(interval.start), "origin": origin, "part": interval.part}
            connection.execute(_TAKE_OFF, at)


def _add_up(connection: sqlite3.Connection, number: int, channel: Channel, start: int) -> None:
    sums = kept(connection, channel, start, start + HOUR_S)
    sums += fold(_parts(connection, number, channel, start, start + HOUR_S))
    outs = [each.out for each in sums if each.out is not None]
    connection.execute(
        "INSERT OR REPLACE INTO hour VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            start,
            sum(each.in_ for each in sums),
            sum(outs) if outs else None,
            sum(each.covered_s for each in sums),
            flag_bits(frozenset(flag for each in sums for flag in each.flags)),
            sum(len(each.keys) for each in sums),
            max(to_microseconds(each.committed) for each in sums),
        ),
    )


def flow_spans(connection: sqlite3.Connection) -> list[FlowSpan]:
    """Every channel with its first and last hour."""
    rows = connection.execute(_FLOW_SPANS)
    return [FlowSpan(Channel(*names), from_seconds(first), from_seconds(last)) for *names, first, last in rows]


def space_spans(connection: sqlite3.Connection) -> list[SpaceSpan]:
    """Every space with its first and last state."""
    rows = connection.execute(_SPACE_SPANS)
    return [
        SpaceSpan(device, channel, from_microseconds(first), from_microseconds(last))
        for device, channel, first, last in rows
        if first is not None
    ]


def parts(connection: sqlite3.Connection, channel: Channel, start: datetime, end: datetime) -> list[CommittedFlow]:
    """The parts of one channel."""
    number = _number(connection, channel)
    return [] if number is None else _parts(connection, number, channel, to_seconds(start), to_seconds(end))


def kept(connection: sqlite3.Connection, channel: Channel, start: int, end: int) -> list[Kept]:
    """The sums of one channel; `start` and `end` in seconds since 1970."""
    return [
        Kept(
            gateway=gateway,
            epoch=epoch,
            channel=channel,
            start=from_seconds(at),
            in_=in_,
            out=out,
            covered_s=covered_s,
            flags=flags_of(flags),
            keys=keys_of(keys),
            committed=from_microseconds(committed),
        )
        for gateway, epoch, at, in_, out, covered_s, flags, keys, committed in connection.execute(
            _KEPT, (_number(connection, channel), start, end)
        )
    ]


def states(
    connection: sqlite3.Connection, device: str, channel: str, start: datetime, end: datetime
) -> list[CommittedSpace]:
    """The states of one space."""
    rows = connection.execute(_STATES, (device, channel, to_microseconds(start), to_microseconds(end)))
    return [CommittedSpace(stored_space(row[:7]), from_microseconds(row[7])) for row in rows]


def every_correction(connection: sqlite3.Connection) -> Iterator[Correction]:
    """All corrections."""
    for place, at, occupied, cause, counted, note in connection.execute(_EVERY_CORRECTION):
        yield Correction(
            place=place,
            at=from_microseconds(at),
            occupied=occupied,
            cause=CorrectionCause(cause),
            counted=counted,
            note=note,
        )


def _number(connection: sqlite3.Connection, channel: Channel) -> int | None:
    names = (channel.device, channel.name, channel.mode)
    row = connection.execute("SELECT id FROM channel WHERE device = ? AND name = ? AND mode = ?", names).fetchone()
    return None if row is None else int(row[0])


def _parts(connection: sqlite3.Connection, number: int, channel: Channel, start: int, end: int) -> list[CommittedFlow]:
    return [
        CommittedFlow(
            StoredFlow(
                gateway=gateway,
                epoch=epoch,
                interval=FlowInterval(
                    device=channel.device,
                    channel=channel.name,
                    mode=channel.mode,
                    start=from_seconds(at),
                    seconds=seconds,
                    part=part,
                    in_=in_,
                    out=out,
                    covered_s=covered_s,
                    flags=tuple(sorted(flags_of(flags))),
                    source=TimeSource(source),
                ),
            ),
            from_microseconds(committed),
        )
        for gateway, epoch, at, part, seconds, in_, out, covered_s, flags, source, committed in connection.execute(
            _PARTS, (number, start, end)
        )
    ]


def _kept_row(each: Kept) -> dict[str, str | int | None]:
    return {
        "gateway": each.gateway,
        "epoch": each.epoch,
        "start": to_seconds(each.start),
        "first": each.first,
        "in": each.in_,
        "out": each.out,
        "covered_s": each.covered_s,
        "flags": flag_bits(each.flags),
        "parts": len(each.keys),
        "keys": keys_text(each.keys),
        "committed": to_microseconds(each.committed),
    }
