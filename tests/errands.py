"""A gateway's errands without a gateway: it knows one sensor and one link, and stands on a clock that a test turns."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge.errands import Errands
from edge.messages import CommandResult, Epoch
from edge.publisher import BrokerConfig
from edge.readings import AnyReading, DecodeError, DeviceAddress, Frame, Presence
from edge.renewal import Renewal
from tests.clocks import ManualClock
from tests.town import NOW

BAY: Final = DeviceAddress("0004a30b00ff0001")


class Willing:
    """A gateway that knows one sensor and one link."""

    async def recalibrate(self, device: str) -> str | None:
        """Only the sensor that it knows."""
        return None if device == BAY else "this gateway does not listen to it"

    async def restart_link(self, name: str) -> str | None:
        """Only the link that it knows."""
        return None if name == "lora" else f"no link {name!r}"


def explain(frame: Frame) -> tuple[AnyReading, ...]:
    """What a frame says."""
    if frame.device != BAY:
        raise KeyError(frame.device)
    if not frame.payload:
        raise DecodeError("bosch-tps110", "1 byte expected", port=frame.port, offset=0)
    return (Presence(channel="1", occupied=frame.payload == b"\x01"),)


def errands(
    tell: Callable[[CommandResult], None], *, clock: ManualClock | None = None, renewal: Renewal | None = None
) -> Errands:
    """Errands that tell what became of them."""
    unproven = Renewal(BrokerConfig(host="broker"), Path(), lambda _: None)
    return Errands(
        Willing(), clock or ManualClock(NOW), Epoch("a" * 16), explain=explain, tell=tell, renewal=renewal or unproven
    )
