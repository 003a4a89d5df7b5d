"""What gateways said of themselves and of sensors: their configuration, and devices that nobody adopted.

In come messages in any order, out comes the newest of each. What comes from the broker is bounded: names of gateways
and devices are not ours. Touched by the event loop only.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

from msgspec import Struct

from edge.messages import AnyMessage, Desired, Heard, HeardDevice, Models, Reported, Status

Word = TypeVar("Word", Status, Models, Desired, Reported)

MOST_GATEWAYS: Final = 1000
MOST_HEARD: Final = 5000
"""Devices that nobody adopted, of all gateways together; who was not heard for longest goes first."""


class By(NamedTuple):
    """A device and the gateway that heard it."""

    device: str
    gateway: str


class Sighting(Struct, frozen=True, kw_only=True):
    """A device that a gateway hears and nobody adopted."""

    gateway: str
    device: HeardDevice
    first_at: datetime
    """When it was first heard, as far as this process remembers."""
    frames: int
    """Frames since then."""


class Gateways:
    """Guards that the newest word stands, and that memory is bounded."""

    def __init__(self) -> None:
        self._status: dict[str, Status] = {}
        self._models: dict[str, Models] = {}
        self._desired: dict[str, Desired] = {}
        self._reported: dict[str, Reported] = {}
        self._heard: dict[By, Sighting] = {}

    @property
    def status(self) -> Mapping[str, Status]:
        """What each gateway last said of itself, by its name."""
        return MappingProxyType(self._status)

    @property
    def models(self) -> Mapping[str, Models]:
        """What each gateway's version can read."""
        return MappingProxyType(self._models)

    @property
    def desired(self) -> Mapping[str, Desired]:
        """What the broker keeps for each gateway."""
        return MappingProxyType(self._desired)

    @property
    def reported(self) -> Mapping[str, Reported]:
        """What each gateway last said that it has in force."""
        return MappingProxyType(self._reported)

    @property
    def heard(self) -> Mapping[By, Sighting]:
        """Devices that nobody had adopted when they were heard; who was heard last comes last."""
        return MappingProxyType(self._heard)

    def take(self, message: AnyMessage) -> bool:
        """Take in one message; whether anything is different for it."""
        match message:
            case Status():
                return _keep(self._status, message.gateway, message)
            case Models():
                return _keep(self._models, message.gateway, message)
            case Desired():
                return _keep(self._desired, message.gateway, message)
            case Reported():
                return _keep(self._reported, message.gateway, message)
            case Heard():
                for each in message.devices:
                    self.remember(message.gateway, each)
                return bool(message.devices)
            case _:
                return False

    def remember(self, gateway: str, device: HeardDevice) -> None:
        """Take in that a device was heard; an older word changes nothing but its count."""
        by = By(device.device, gateway)
        before = self._heard.pop(by, None)
        if before is None:
            self._heard[by] = Sighting(gateway=gateway, device=device, first_at=device.at, frames=device.frames)
        else:
            newest = max(before.device, device, key=lambda each: each.at)
            frames = before.frames + device.frames
            self._heard[by] = Sighting(gateway=gateway, device=newest, first_at=before.first_at, frames=frames)
        if len(self._heard) > MOST_HEARD:
            del self._heard[next(iter(self._heard))]


def _keep(known: dict[str, Word], gateway: str, news: Word) -> bool:
    if gateway not in known and len(known) >= MOST_GATEWAYS:
        return False
    before, known[gateway] = known.get(gateway), news
    return before != news
