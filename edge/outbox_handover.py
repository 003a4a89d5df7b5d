"""How one installed version hands its outbox to another: `python -m edge.outbox_handover VERB …`, asked by an upgrade.

Each version speaks for itself, in a process of its own: the newer one alone knows the way back from its schema. In come
a verb and files, out comes one line of JSON or, on standard error, why not. Nothing but `copy` opens two files.
"""

import hashlib
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec import Struct

from edge.aggregator.device import DeviceState
from edge.exits import FAILED, MISUSED, failed
from edge.outbox import Outbox, OutboxError
from edge.outbox_schema import SCHEMA_VERSION, bring_back, version_of


class Contents(Struct, frozen=True, kw_only=True):
    """What a handover must keep, as one version reads it."""

    epoch: str
    last_seq: int
    """The last sequence number given."""
    queue: str
    """SHA-256 of all messages that the store has not confirmed, with their numbers."""
    states: str
    """SHA-256 of the checkpoints: open intervals, totals, what was heard already."""
    waiting: str
    """SHA-256 of the observations that wait for the time."""


def main(arguments: Sequence[str]) -> None:
    """One verb. Ends with a line on standard error and a status when it cannot be done."""
    try:
        match arguments:
            case ["schema"]:
                print(SCHEMA_VERSION)
            case ["copy", file, to]:
                copy(Path(file), Path(to))
            case ["open", file, gateway]:
                rewrite(Path(file), gateway)
                print(msgspec.json.encode(contents(Path(file))).decode())
            case ["back", file, version] if version.isdigit():
                back(Path(file), int(version))
            case _:
                raise failed("expected schema, copy, open or back, with its files", MISUSED)
    except (OSError, sqlite3.Error, OutboxError, msgspec.DecodeError) as error:
        raise failed(f"{type(error).__name__}: {error}", FAILED) from error


def copy(file: Path, to: Path) -> None:
    """What the file holds at this moment, be a gateway at work on it or not. Raises `sqlite3.Error`."""
    with closing(_reading(file)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def rewrite(file: Path, gateway: str) -> None:
    """Open the file as this version's gateway does, and write every checkpoint anew. Raises `OutboxError`."""
    with closing(Outbox(file, gateway)) as outbox:
        outbox.commit(outbox.load_states(), ())


def back(file: Path, version: int) -> None:
    """Bring the file back to an older schema; nothing happens when it is as old. Raises `sqlite3.Error`."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = FULL")
        bring_back(database, version)


def contents(file: Path) -> Contents:
    """What the file holds. Raises `OutboxError` when its schema is not this version's, else `sqlite3.Error`."""
    decoder = msgspec.msgpack.Decoder(DeviceState)
    with closing(_reading(file)) as database:
        found = version_of(database)
        if found != SCHEMA_VERSION:
            reason = f"it has schema {found}, and this version of the gateway reads {SCHEMA_VERSION}"
            raise OutboxError(file, reason, advice="use the `passerelle` that the gateway runs with")
        ((epoch, last_seq),) = database.execute("SELECT epoch, last_seq FROM identity")
        states = database.execute("SELECT address, state FROM device ORDER BY address")
        waiting = database.execute("SELECT session, heard_ms, device, body FROM waiting ORDER BY id")
        return Contents(
            epoch=epoch,
            last_seq=last_seq,
            queue=_digest(database.execute("SELECT seq, topic, retain, body FROM outbox ORDER BY seq")),
            states=_digest((address, _in_order(decoder.decode(state))) for address, state in states),
            waiting=_digest(waiting),
        )


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True)


def _in_order(state: DeviceState) -> object:
    return msgspec.to_builtins(state, str_keys=True, order="deterministic")


def _digest(rows: Iterable[tuple[object, ...]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(msgspec.msgpack.encode(row))
    return digest.hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
