"""How a gateway does, told on its own machine: a small file in memory that an upgrade reads before and after.

In comes what the gateway knows of itself, out comes one line of JSON in the folder that systemd made for it
(`RuntimeDirectory=`). It holds no secret, is replaced whole, and a gateway that was started by hand writes none.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

log = logging.getLogger(__name__)

FILE = "health.json"


class Health(Struct, frozen=True, kw_only=True):
    """How a gateway does at one moment."""

    pid: int
    """The process that tells it."""
    version: str
    progress: int
    """Grows every second in which intake and outbox work."""
    broker: bool
    """Connected to the city's broker."""
    links: tuple[str, ...]
    """The names of the links that are up."""
    devices: int
    """How many are adopted."""
    trouble: str = ""
    """Why the outbox cannot be used; empty while it can."""


def health_file(environment: Mapping[str, str]) -> Path | None:
    """Where to write it; None when nobody made a folder for it."""
    folder = environment.get("RUNTIME_DIRECTORY")
    return Path(folder) / FILE if folder else None


def write(file: Path | None, health: Health) -> None:
    """Put it in the place of the last one. A folder that refuses is logged, and disturbs nothing."""
    if file is None:
        return
    new = file.with_suffix(".new")
    try:
        new.write_bytes(msgspec.json.encode(health) + b"\n")
        new.replace(file)
    except OSError as error:
        log.warning("cannot tell on this machine how the gateway does: %s", error)


def read(file: Path) -> Health | None:
    """The last word; None when there is none, or none that this version understands."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Health)
    except (OSError, msgspec.MsgspecError):
        return None
