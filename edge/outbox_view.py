"""Looks at an outbox without changing it, be a gateway at work on it or not.

In comes its file, out comes what it holds, or `OutboxError`. It never creates a file and never writes to one.
"""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from edge import messages
from edge.aggregator.device import DeviceState
from edge.desired import DESIRED
from edge.messages import AnyMessage, Desired, Dropped, Flow, HealthReport, MessageError, Space
from edge.outbox import WAITING_DROPPED, OutboxError
from edge.outbox_schema import SCHEMA_VERSION


class OutboxView(Struct, frozen=True, kw_only=True):
    """What an outbox holds at one moment."""

    gateway: str
    """Whose it is."""
    queued: int
    """Messages that the store has not confirmed."""
    oldest: datetime | None
    """What the oldest of them tells of, UTC; None when nothing is queued."""
    dropped: tuple[Dropped, ...]
    """What it let go of because it had reached a limit, as far as the store has not confirmed that it knows."""
    waiting: int
    """Observations that wait for the clock."""
    waiting_dropped: int
    """Older ones that were dropped because too many waited."""
    size_bytes: int
    states: dict[str, DeviceState]
    """The checkpoint of every device that was ever heard, by address."""
    desired: Desired | None
    """The devices that the cloud gave this gateway; None while it gave none."""


def look(path: Path) -> OutboxView:
    """What the outbox holds. Raises `OutboxError`, also when there is none."""
    try:
        size_bytes = path.stat().st_size
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as database:
            return _look(database, path, size_bytes)
    except (OSError, sqlite3.Error, msgspec.DecodeError, MessageError) as error:
        raise OutboxError(path, str(error), advice="check the disk and who owns the folder") from error


def _look(database: sqlite3.Connection, path: Path, size_bytes: int) -> OutboxView:
    _check(database, path)
    (gateway,) = database.execute("SELECT gateway FROM identity").fetchone() or ("",)
    (queued,) = database.execute("SELECT count(*) FROM outbox").fetchone()
    (waiting,) = database.execute("SELECT count(*) FROM waiting").fetchone()
    first = database.execute("SELECT topic, body FROM outbox ORDER BY seq LIMIT 1").fetchone()
    desired = database.execute("SELECT value FROM setting WHERE name = ?", (DESIRED,)).fetchone()
    dropped = database.execute("SELECT value FROM setting WHERE name = ?", (WAITING_DROPPED,)).fetchone()
    decoder = msgspec.msgpack.Decoder(DeviceState)
    return OutboxView(
        gateway=gateway,
        queued=queued,
        oldest=None if first is None else told_of(messages.decode(*first)),
        dropped=_dropped(database, gateway),
        waiting=waiting,
        waiting_dropped=0 if dropped is None else int(dropped[0]),
        size_bytes=size_bytes,
        states={
            address: decoder.decode(state) for address, state in database.execute("SELECT address, state FROM device")
        },
        desired=None if desired is None else msgspec.json.decode(desired[0], type=Desired),
    )


def _dropped(database: sqlite3.Connection, gateway: str) -> tuple[Dropped, ...]:
    topic = messages.topic(gateway, "dropped")
    rows = database.execute("SELECT topic, body FROM outbox WHERE topic = ? ORDER BY seq", (topic,))
    told = [messages.decode(*row) for row in rows]
    return tuple(message for message in told if isinstance(message, Dropped))


def _check(database: sqlite3.Connection, path: Path) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        reason = f"it has schema {version}, and this version of the gateway reads {SCHEMA_VERSION}"
        raise OutboxError(path, reason, advice="use the `passerelle` that the gateway runs with")
    (damage,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if damage != "ok":
        advice = "stop the gateway, move the file away and start again; keep it: what was not stored is in it"
        raise OutboxError(path, f"the file is damaged: {damage}", advice=advice)


def told_of(message: AnyMessage) -> datetime | None:
    """The moment that a message of the outbox tells of, UTC."""
    match message:
        case Flow(intervals=[*_, last]):
            return last.start + timedelta(seconds=last.seconds)
        case Space(states=[first, *_]):
            return first.at
        case HealthReport(health=health):
            return health.at
        case Dropped():
            return message.end
        case _:
            return None
