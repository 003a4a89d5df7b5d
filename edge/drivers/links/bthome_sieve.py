"""Which BTHome advertisements are worth a frame: each message once, encrypted ones only when their MIC is right.

In comes what was heard, one advertisement at a time; out come frames, refusals, strangers and notes about a device.
It does no I/O and reads no clock. It must never let a forged frame move a replay counter: the MIC is checked first.
"""

from dataclasses import dataclass

from msgspec import Struct

from edge.drivers.devices.bthome_v2 import NAME, decrypt
from edge.drivers.formats.bthome_freshness import Freshness, Verdict, encryption_counter
from edge.drivers.links.base import Directory, Refused, Report, Stranger
from edge.messages import DeviceSettings
from edge.readings import DecodeError, DeviceAddress, Frame, Health

TOLD_EVERY_MS = 10_000
"""A stranger, or an old format, is told at most so often."""
TOLD_AT_MOST = 512
"""Strangers remembered, so that one who invents addresses fills no memory."""
MAX_REFUSED_BYTES = 600

ENCRYPTED = 0x01
"""Bit of the device-information byte."""
VERSION, VERSION_SHIFT = 2, 5
"""Its bits 5 to 7."""

Sifted = Frame | Report | Refused | Stranger


class Heard(Struct, frozen=True, kw_only=True):
    """One advertisement with BTHome service data."""

    device: DeviceAddress
    """The advertiser's address, upper case with colons."""
    payload: bytes
    """Service data after its UUID."""
    rssi_dbm: float | None = None
    heard_ms: int
    """Milliseconds of the gateway's monotonic clock."""
    version_1: bool = False
    """It came under a UUID of BTHome v1, whose layout is another."""


@dataclass(slots=True)
class _Sender:
    """What is remembered of one device; apart for plain frames, which anybody can forge, and encrypted ones."""

    freshness: Freshness
    session: str = ""


class Sieve:
    """Remembers per adopted device which message came last.

    Guards one invariant: no message yields two frames, and no encrypted one any before its MIC was checked.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._senders: dict[tuple[DeviceAddress, bool], _Sender] = {}
        self._told_ms: dict[DeviceAddress, int] = {}
        self.repeats = 0
        """Advertisements that said again what had been said."""

    def sift(self, heard: Heard) -> list[Sifted]:
        """What one advertisement means to the gateway: nothing, or up to two items in the order they are to be told."""
        settings = self._directory.settings(heard.device)
        if heard.version_1:
            return self._refuse_version_1(heard, adopted=settings is not None)
        if settings is None:
            return self._tell_stranger(heard, _hint(heard.payload))
        counter = encryption_counter(heard.payload) if _is_version_2(heard.payload) else None
        if counter is None:
            return self._let_through_once(heard, None)
        return self._check_encrypted(heard, counter, settings)

    def _check_encrypted(self, heard: Heard, counter: int, settings: DeviceSettings) -> list[Sifted]:
        if settings.key is None:
            return self._tell_stranger(heard, "BTHome v2, needs a key")
        try:
            decrypt(heard.payload, heard.device, bytes.fromhex(settings.key))
        except DecodeError as error:
            refused = _refused("wrong-mic", str(error), heard)
            return [refused, *self._tell_stranger(heard, "BTHome v2, wrong key")]
        return self._let_through_once(heard, counter)

    def _let_through_once(self, heard: Heard, counter: int | None) -> list[Sifted]:
        sender = self._sender(heard.device, encrypted=counter is not None)
        verdict = sender.freshness.accept(heard.payload, heard.heard_ms)
        if verdict is Verdict.REPEAT:
            self.repeats += 1
            return []
        if verdict is Verdict.REPLAY:
            old = "packet id" if counter is None else f"message counter {counter}"
            return [_refused("replay", f"{old} of an earlier message: expected one after the last", heard)]
        notes: list[Sifted] = []
        if verdict is Verdict.RESTARTED:
            sender.session = f"restarted at {counter}"
            notes.append(_restarted(heard, counter))
        return [*notes, _frame(heard, counter, sender.session)]

    def _sender(self, device: DeviceAddress, *, encrypted: bool) -> _Sender:
        sender = self._senders.get((device, encrypted))
        if sender is None:
            last = self._directory.last_counter(device) if encrypted else None
            sender = self._senders[device, encrypted] = _Sender(Freshness(last))
        return sender

    def _refuse_version_1(self, heard: Heard, *, adopted: bool) -> list[Sifted]:
        """The UUIDs of v1 belong to other things too (0x181C is "user data"): nothing of a device nobody adopted."""
        if not self._due(heard.device if adopted else DeviceAddress("BTHome v1"), heard.heard_ms):
            return []
        reason = "BTHome v1 (service 0x181C or 0x181E); expected v2 (0xFCD2): update the sensor's firmware"
        return [_refused("bthome-v1", reason, heard) if adopted else Refused(name="bthome-v1", reason=reason)]

    def _tell_stranger(self, heard: Heard, hint: str) -> list[Sifted]:
        if not self._due(heard.device, heard.heard_ms):
            return []
        models = (NAME,) if _is_version_2(heard.payload) else ()
        return [Stranger(device=heard.device, hint=hint, models=models, rssi_dbm=heard.rssi_dbm)]

    def _due(self, device: DeviceAddress, now_ms: int) -> bool:
        """Whether this device may be told again; if so, it counts as told."""
        told_ms = self._told_ms.get(device)
        if told_ms is not None and now_ms - told_ms < TOLD_EVERY_MS:
            return False
        self._told_ms.pop(device, None)
        self._told_ms[device] = now_ms
        if len(self._told_ms) > TOLD_AT_MOST:
            del self._told_ms[next(iter(self._told_ms))]
        return True


def _is_version_2(payload: bytes) -> bool:
    return bool(payload) and payload[0] >> VERSION_SHIFT == VERSION


def _hint(payload: bytes) -> str:
    if not _is_version_2(payload):
        return "BTHome, not version 2"
    return "BTHome v2, needs a key" if payload[0] & ENCRYPTED else "BTHome v2"


def _frame(heard: Heard, counter: int | None, session: str) -> Frame:
    return Frame(
        device=heard.device,
        payload=heard.payload,
        counter=counter,
        session=session,
        heard_ms=heard.heard_ms,
        rssi_dbm=heard.rssi_dbm,
    )


def _restarted(heard: Heard, counter: int | None) -> Report:
    note = f"message counter restarted at {counter} after a silence: battery changed?"
    return Report(device=heard.device, readings=(Health(note=note),), heard_ms=heard.heard_ms)


def _refused(name: str, reason: str, heard: Heard) -> Refused:
    return Refused(name=name, reason=reason, data=heard.payload[:MAX_REFUSED_BYTES], device=heard.device)
