"""What systemd is told of a service of `Type=notify`: that it runs, that it still makes progress, that it stops.

In comes the environment that systemd gave, out go datagrams as sd_notify(3) describes them. Started by hand, without
`NOTIFY_SOCKET`, it tells nobody. It never blocks, and never ends a service because systemd does not listen.
"""

import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

log = logging.getLogger(__name__)

READY = "READY=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"
MICROSECONDS = 1_000_000


def status(text: str) -> str:
    """The line that `systemctl status` shows."""
    return f"STATUS={' '.join(text.split())}"


@dataclass(frozen=True, slots=True)
class Notifier:
    """The way to systemd."""

    address: str | None = None
    """Its socket: a path, or a name that begins with `@` in the abstract namespace; None when nobody asked."""
    watchdog_s: float | None = None
    """After so many seconds without `WATCHDOG` it kills the service; None when it does not watch."""

    def tell(self, *assignments: str) -> None:
        """Send assignments (`READY`, `STOPPING`, `WATCHDOG`, `status(…)`) in one datagram."""
        if self.address is None:
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(assignments).encode(), address)
        except OSError as error:
            log.warning("systemd cannot be told %s: %s", assignments[0], error)


def notifier(environment: Mapping[str, str]) -> Notifier:
    """The way to systemd that the environment names (`NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`)."""
    return Notifier(environment.get("NOTIFY_SOCKET") or None, _watchdog_s(environment))


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    microseconds = environment.get("WATCHDOG_USEC", "")
    meant_for = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdigit() or int(microseconds) == 0 or meant_for != str(os.getpid()):
        return None
    return int(microseconds) / MICROSECONDS
