"""Tries a serial port as its link would. In comes the port, out comes one finding.

A port that somebody has open is not touched: opening it could reset what hangs on it.
"""

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge.drivers.links.base import LinkError
from edge.drivers.links.tty import open_tty, path_of
from edge.findings import Finding, ok, wrong

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a file open."""

    pid: int
    command: tuple[str, ...]
    """Its program and arguments."""

    @property
    def is_gateway(self) -> bool:
        """Whether it is what `passerelle edge` becomes."""
        return "edge.service" in self.command

    def __str__(self) -> str:
        return f"process {self.pid} ({Path(self.command[0]).name if self.command else 'unknown'})"


def probe(what: str, link: str, port: str, baud: int) -> Finding:
    """Whether the port is there, may be opened and is nobody else's."""
    try:
        path = path_of(link, port)
        if not Path(path).exists():
            return wrong(
                what, f"port {path} is not there", "plug it in; `passerelle devices ports` shows those there are"
            )
        holders = holders_of(Path(path))
        if holders:
            return _held(what, path, holders)
        asyncio.run(_open_and_close(link, port, baud))
    except LinkError as error:
        return wrong(what, error.reason, error.advice)
    return ok(what, f"{path} can be opened, and nobody else has it")


def holders_of(path: Path) -> list[Holder]:
    """The other processes that have a file open, as far as this user may see them."""
    target = str(path.resolve())
    return [
        holder
        for folder in PROC.glob("[0-9]*")
        if int(folder.name) != os.getpid() and (holder := _holder(folder, target)) is not None
    ]


def _holder(folder: Path, target: str) -> Holder | None:
    """The process, when it has the target open and lives long enough to be asked."""
    with suppress(OSError):
        if any(_leads_to(target, descriptor) for descriptor in (folder / "fd").iterdir()):
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            return Holder(int(folder.name), tuple(command.rstrip("\0").split("\0")))
    return None


def _leads_to(target: str, descriptor: Path) -> bool:
    try:
        return str(descriptor.readlink()) == target
    except FileNotFoundError:  # closed meanwhile
        return False


def _held(what: str, path: str, holders: list[Holder]) -> Finding:
    strangers = [holder for holder in holders if not holder.is_gateway]
    if not strangers:
        return ok(what, f"{path} is open in the gateway, {holders[0]}")
    return wrong(what, f"{path} is open in {', '.join(map(str, strangers))}", "close that program")


async def _open_and_close(link: str, port: str, baud: int) -> None:
    async with open_tty(link, port, baud):
        pass
