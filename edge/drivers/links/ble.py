"""BLE advertisements in the BTHome format, heard through BlueZ by bleak: connects to nothing, asks nobody.

In come advertisements, out go frames (each message once), refusals and strangers; `bthome_sieve` decides which.
It must never log, keep or count an advertisement that is not BTHome: those are the telephones of passers-by.
"""

import logging
from asyncio import Queue, timeout
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Annotated, Literal

from bleak import BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.assigned_numbers import AdvertisementDataType
from bleak.backends.bluezdbus.scanner import BleakScannerBlueZDBus
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakDBusError, BleakError
from msgspec import Meta, Struct

from edge.drivers.links.base import Arrival, Directory, Inbox, Link, LinkError, Monotonic, Refused
from edge.drivers.links.bluez_watch import ADAPTER_GONE, BLUETOOTHD_ENDED, BUS_ENDED, POWERED_OFF, bluez_watched
from edge.drivers.links.bthome_sieve import Heard, Sieve
from edge.readings import DeviceAddress

BTHOME_UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"
BTHOME_UUIDS = {BTHOME_UUID, "0000181c-0000-1000-8000-00805f9b34fb", "0000181e-0000-1000-8000-00805f9b34fb"}
"""Version 2, and the two of version 1."""
BTHOME_PATTERN = (0, AdvertisementDataType.SERVICE_DATA_UUID16, b"\xd2\xfc")
HELD_AT_MOST = 256
"""Advertisements held while the gateway is busy: a few seconds of fifty sensors."""
RSSI_UNKNOWN = -127
"""What bleak says when BlueZ told no signal strength, dBm."""
STOP_WITHIN_S = 5

LIBRARIES = ("bleak", "dbus_fast")
"""At debug level these two log every device in range."""

NO_BLUETOOTHD = "bluetoothd does not run"
START_BLUETOOTHD = "install bluez and start it: systemctl enable --now bluetooth"
PLUG_IN = "plug the adapter in, or enable the built-in one; `bluetoothctl list` shows those there are"
SWITCH_ON = "switch it on: rfkill unblock bluetooth, then bluetoothctl power on"
SCAN_ACTIVELY = 'write scanning = "active" into its configuration'
LET_IN = "add the gateway's user to the group bluetooth"

LOSS_ADVICE = {
    BUS_ENDED: "start it: systemctl start dbus bluetooth",
    BLUETOOTHD_ENDED: "start it: systemctl restart bluetooth; journalctl -u bluetooth says why it ended",
    ADAPTER_GONE: PLUG_IN,
    POWERED_OFF: SWITCH_ON,
}
UNAVAILABLE = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: ("no Bluetooth adapter", PLUG_IN),
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: (
        "the Bluetooth adapter cannot scan for low-energy devices",
        "use one of Bluetooth 4.0 or later",
    ),
    BleakBluetoothNotAvailableReason.POWERED_OFF: ("the Bluetooth adapter is switched off", SWITCH_ON),
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: ("the system bus lets this user not in", LET_IN),
}
BLUEZ_ERRORS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": (NO_BLUETOOTHD, START_BLUETOOTHD),
    "org.freedesktop.DBus.Error.NameHasNoOwner": (NO_BLUETOOTHD, START_BLUETOOTHD),
    "org.freedesktop.DBus.Error.AccessDenied": ("BlueZ lets this user not scan", LET_IN),
    "org.bluez.Error.NotReady": ("the Bluetooth adapter is switched off", SWITCH_ON),
}


class BleConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="ble"):
    """A Bluetooth adapter to listen with."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    adapter: str | None = None
    """BlueZ's name of it (`hci0`); None for the first that is switched on."""
    scanning: Literal["active", "passive"] = "active"
    """`passive` sends nothing and lets BlueZ itself hold back all that is not BTHome v2; needs BlueZ 5.56 with
    `--experimental` and Linux 5.10. `active` works everywhere."""


class BleLink(Link):
    """Listens for BTHome v2 sensors; refuses those of BTHome v1 by name (heard in active scanning only)."""

    kind = "ble"

    def __init__(self, config: BleConfig, clock: Monotonic, directory: Directory) -> None:
        super().__init__(config.name)
        self._config = config
        self._clock = clock
        self._sieve = Sieve(directory)

    @property
    def repeats(self) -> int:
        """Advertisements since the start that said again what had been said; each message is sent several times."""
        return self._sieve.repeats

    async def run(self, inbox: Inbox) -> None:
        """Scan and hand over until cancelled. Raises `LinkError` when bus, bluetoothd, adapter or its power is away."""
        for name in LIBRARIES:
            logging.getLogger(name).setLevel(logging.WARNING)
        ear = _Ear(self.name, self._clock)
        async with AsyncExitStack() as opened:
            await self._open(opened, ear)
            self.opened.set()
            while True:
                for item in self._sieve.sift(await self.patiently(ear.next)):
                    await inbox(Arrival(item))
                if ear.overflowed:
                    await inbox(Arrival(ear.confess()))

    async def _open(self, opened: AsyncExitStack, ear: "_Ear") -> None:
        try:
            await opened.enter_async_context(bluez_watched(self._config.adapter, ear.deafen))
            scanner = _scanner(self._config, ear.hear)
            await scanner.start()
        except BleakError as error:
            raise _link_error(self.name, error) from error
        except (OSError, EOFError, ValueError) as error:
            reason = f"no D-Bus system bus: {str(error) or 'it hung up'}"
            raise LinkError(self.name, reason, advice=LOSS_ADVICE[BUS_ENDED]) from error
        opened.push_async_exit(partial(_stop, scanner))


class _Ear:
    """What one scan has heard and the gateway has not yet taken.

    Guards one invariant: no more than `HELD_AT_MOST` advertisements wait, and those that found no room are counted.
    """

    def __init__(self, link: str, clock: Monotonic) -> None:
        self._link = link
        self._clock = clock
        self._heard: Queue[Heard | LinkError] = Queue()
        self.overflowed = 0

    async def next(self) -> Heard:
        """The next advertisement, in the order they came. Raises `LinkError` when no more can come."""
        heard = await self._heard.get()
        if isinstance(heard, LinkError):
            raise heard
        return heard

    def hear(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        """What bleak calls for every device in range whenever anything of it is news."""
        for uuid in BTHOME_UUIDS & advertisement.service_data.keys():
            if self._heard.qsize() >= HELD_AT_MOST:
                self.overflowed += 1
                return
            heard = Heard(
                device=DeviceAddress(device.address.upper()),
                payload=advertisement.service_data[uuid],
                rssi_dbm=None if advertisement.rssi == RSSI_UNKNOWN else advertisement.rssi,
                heard_ms=self._clock.monotonic_ms(),
                version_1=uuid != BTHOME_UUID,
            )
            self._heard.put_nowait(heard)

    def deafen(self, reason: str) -> None:
        """Nothing more will be heard, for one of the reasons of `bluez_watch`."""
        self._heard.put_nowait(LinkError(self._link, reason, advice=LOSS_ADVICE[reason]))

    def confess(self) -> Refused:
        """What was dropped since the last confession."""
        dropped, self.overflowed = self.overflowed, 0
        reason = f"{dropped} advertisements dropped: more than {HELD_AT_MOST} were waiting for the gateway"
        return Refused(name="overflow", reason=reason)


class _ForgetfulScanner(BleakScannerBlueZDBus):
    """bleak's own scanner, which would otherwise keep every device that it ever saw."""

    def call_detection_callbacks(self, device: BLEDevice, advertisement_data: AdvertisementData) -> None:
        super().call_detection_callbacks(device, advertisement_data)
        self.seen_devices.clear()


def _scanner(config: BleConfig, hear: Callable[[BLEDevice, AdvertisementData], None]) -> BleakScanner:
    bluez = BlueZScannerArgs(filters={"DuplicateData": True}, or_patterns=[BTHOME_PATTERN])
    if config.adapter is not None:
        bluez["adapter"] = config.adapter
    return BleakScanner(hear, scanning_mode=config.scanning, bluez=bluez, backend=_ForgetfulScanner)


async def _stop(
    scanner: BleakScanner,
    _type: type[BaseException] | None,
    error: BaseException | None,
    _traceback: TracebackType | None,
) -> None:
    """End the scan. A bus that is gone has no scan to end, and bleak would only try to write to it."""
    if isinstance(error, LinkError) and error.reason == BUS_ENDED:
        return
    with suppress(BleakError, OSError, EOFError):
        async with timeout(STOP_WITHIN_S):
            await scanner.stop()


def _link_error(link: str, error: BleakError) -> LinkError:
    reason, advice = str(error), "bluetoothctl show tells what the adapter can do"
    if isinstance(error, BleakBluetoothNotAvailableError):
        reason, advice = UNAVAILABLE.get(error.reason, (str(error.args[0]), PLUG_IN))
    elif isinstance(error, BleakDBusError):
        reason, advice = BLUEZ_ERRORS.get(error.dbus_error, (reason, advice))
    elif reason.endswith("not found"):
        advice = PLUG_IN
    elif reason.startswith("passive scanning"):
        advice = SCAN_ACTIVELY
    return LinkError(link, reason, advice=advice)
