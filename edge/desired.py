"""The devices that a gateway shall own: put in force as far as they can be, kept for the next start, then reported.

In come the cloud's `Desired` and the devices of the configuration file, which serve until the cloud has spoken. A
device that cannot be adopted is refused with its reason and disturbs no other.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from edge.config import refused_devices
from edge.intake import Intake
from edge.messages import Desired, DeviceSettings, RefusedSetting, Reported
from edge.outbox import Outbox
from edge.outbox_keeper import Persist

log = logging.getLogger(__name__)

DESIRED = "desired"
"""The outbox's setting that holds the last of them."""


class DesiredDevices:
    """Guards that what is reported is in force, and is so again at the next start."""

    def __init__(self, outbox: Outbox, intake: Intake) -> None:
        self._outbox = outbox
        self._intake = intake
        self._unkept: Desired | None = None
        self.reported = Reported(gateway=outbox.gateway, epoch=outbox.epoch, revision=0)
        """Which devices are in force, and which were refused and why."""

    def adopt_last_good(self, configured: tuple[DeviceSettings, ...]) -> None:
        """Put in force what the cloud last desired, or the configuration's devices where it never did."""
        desired = _desired_in(self._outbox.recall(DESIRED))
        if desired is None:
            self._adopt(0, configured)
        else:
            self._adopt(desired.revision, desired.devices)

    def configure(self, devices: tuple[DeviceSettings, ...]) -> None:
        """Put the devices of a changed configuration in force, until the cloud's next word."""
        self._adopt(self.reported.revision, devices)

    def desire(self, desired: Desired) -> None:
        """Put the cloud's devices in force; `keep` keeps and reports them."""
        known = self.reported
        self._adopt(desired.revision, desired.devices)
        if self.reported != known:
            log.info(
                "configuration applied revision=%d devices=%d refused=%d",
                *(desired.revision, len(self.reported.devices), len(self.reported.refused)),
            )
        self._unkept = desired

    async def keep(self, persist: Persist, tell: Callable[[Reported], None]) -> None:
        """Keep what was desired since the last call for the next start, then report it."""
        desired, self._unkept = self._unkept, None
        if desired is None:
            return
        await persist(partial(self._outbox.remember, DESIRED, msgspec.json.encode(desired)))
        tell(self.reported)

    def _adopt(self, revision: int, devices: tuple[DeviceSettings, ...]) -> None:
        refused = refused_devices(devices)
        self._intake.adopt(_without(devices, refused))
        for setting in refused:
            log.error("device refused address=%s: %s", setting.where, setting.reason)
        self.reported = Reported(
            gateway=self._outbox.gateway,
            epoch=self._outbox.epoch,
            revision=revision,
            devices=self._intake.devices,
            refused=tuple(refused),
        )


def _desired_in(remembered: bytes | None) -> Desired | None:
    """What was kept; None when nothing was, or when another version kept it in a way that this one cannot read."""
    if remembered is None:
        return None
    try:
        return msgspec.json.decode(remembered, type=Desired)
    except msgspec.DecodeError as error:
        log.warning("the devices kept here cannot be read, the file's serve until the cloud speaks again: %s", error)
        return None


def _without(devices: tuple[DeviceSettings, ...], refused: Sequence[RefusedSetting]) -> list[DeviceSettings]:
    names = {setting.where for setting in refused}
    return [device for device in devices if device.address not in names]
