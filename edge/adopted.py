"""A device of this gateway, ready to be read: its settings, its model, and what follows from both. Pure.

In come settings that were found applicable (`config.refused_devices`), out comes what the intake asks for every frame.
"""

from datetime import datetime

from msgspec import Struct

from edge.aggregator.device import Identity
from edge.drivers.devices import catalogue
from edge.drivers.model import Model
from edge.messages import DeviceHealth, DeviceSettings
from edge.readings import AnyReading, Delta, Event, Frame, Knowledge, Presence, Total
from edge.signals import WATCHING_S, Setting, setting_of


class Adopted(Struct, frozen=True):
    """A device of this gateway, ready to be read."""

    settings: DeviceSettings
    model: Model
    identity: Identity
    period_s: int
    raw: Setting | None
    """How its raw signal is read; None when it has none."""

    def decode(self, frame: Frame, health: DeviceHealth | None, latest: datetime | None) -> list[AnyReading]:
        """What a frame says, told what the device said of itself before, and the `latest` time that it can tell.

        Raises `DecodeError`.
        """
        knowledge = Knowledge(
            firmware=None if health is None else health.firmware,
            key=None if self.settings.key is None else bytes.fromhex(self.settings.key),
            latest=latest,
            options=self.settings.options,
        )
        return self.model.decode(frame, knowledge)

    def ignores(self, reading: AnyReading) -> bool:
        """Whether the technician wants its channel left out."""
        ignored = self.settings.ignored_channels
        return isinstance(reading, Total | Delta | Event | Presence) and reading.channel in ignored


def ready(settings: DeviceSettings) -> Adopted:
    """The device that these settings describe."""
    model = catalogue()[settings.model]
    raw = setting_of(model, settings)
    identity = Identity(
        device=settings.address,
        model=model.name,
        inverted=settings.invert_presence,
        debounce_s=settings.debounce_s or 0,
        watches=() if raw is None else tuple((channel.name, channel.mode or "") for channel in raw.channels),
        one_way=raw is not None and all(channel.second is None for channel in raw.channels),
    )
    period_s = settings.period_s or max(model.reporting_period_s, WATCHING_S if raw else 0)
    return Adopted(settings, model, identity, period_s, raw)
