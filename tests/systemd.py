"""Stands in for systemd: a real datagram socket that hears what a service of `Type=notify` tells."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

PATIENCE_S = 60.0
"""A loaded machine needs long to import everything."""


@dataclass(frozen=True, slots=True)
class Systemd:
    """One notification socket."""

    address: str
    """For `NOTIFY_SOCKET`."""
    receiver: socket.socket

    def next(self, patience_s: float = PATIENCE_S) -> str:
        """The next datagram. Raises `TimeoutError` when none comes."""
        self.receiver.settimeout(patience_s)
        return self.receiver.recv(4096).decode()

    def hears(self, word: str, patience_s: float = PATIENCE_S) -> str:
        """The next datagram that holds `word`. Raises `TimeoutError` when none comes in time."""
        until = monotonic() + patience_s
        while word not in (heard := self.next(max(0.01, until - monotonic()))):
            pass
        return heard

    def all_so_far(self) -> list[str]:
        """The datagrams that are there now."""
        self.receiver.settimeout(0)
        heard = []
        with suppress(BlockingIOError):
            while True:
                heard.append(self.receiver.recv(4096).decode())
        return heard

    def until_silent_for(self, seconds: float) -> None:
        """Hear whatever comes until nothing comes for so long."""
        with suppress(TimeoutError):
            while True:
                self.next(seconds)


@contextmanager
def listening(folder: Path, *, abstract: bool = False) -> Iterator[Systemd]:
    """A notification socket for the length of a `with`."""
    path = f"{folder}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{path}" if abstract else path)
        yield Systemd(f"@{path}" if abstract else path, receiver)
