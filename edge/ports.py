"""The serial ports of this machine, and how a configuration names each so that it is found again after re-plugging.

In comes what the kernel knows, out come values. It opens no port.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

BY_ID = Path("/dev/serial/by-id")


@dataclass(frozen=True, slots=True)
class SerialPort:
    """One port."""

    path: str
    """Its name now: `/dev/ttyUSB0`. The next plugged adapter may get it."""
    product: str
    """What its adapter calls itself, maker first; empty where it says nothing."""
    usb: str | None
    """`usb:VID:PID[:SERIAL]` as a link's `port` takes it; None for a port of the machine's own."""
    by_id: Path | None
    """Its lasting name under `/dev/serial/by-id`."""


def serial_ports() -> list[SerialPort]:
    """The ports plugged in now, in the order of their names."""
    return describe_ports(list_ports.comports(), BY_ID)


def describe_ports(found: Iterable[ListPortInfo], by_id: Path) -> list[SerialPort]:
    """What pyserial found, with the lasting names that `by_id` holds."""
    lasting = {str(link.resolve()): link for link in sorted(by_id.glob("*"))}
    return [
        SerialPort(
            path=port.device,
            product=" ".join(word for word in (port.manufacturer, port.product) if word),
            usb=_usb(port),
            by_id=lasting.get(str(Path(port.device).resolve())),
        )
        for port in sorted(found, key=lambda port: str(port.device))
    ]


def _usb(port: ListPortInfo) -> str | None:
    if port.vid is None or port.pid is None:
        return None
    identity = f"usb:{port.vid:04x}:{port.pid:04x}"
    return f"{identity}:{port.serial_number}" if port.serial_number else identity
