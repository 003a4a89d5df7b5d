"""What the JSON documents of LoRaWAN network servers have in common: their fields, and the ways they can be wrong.

In come bodies and parts of them, out come typed values or a `WrongDocumentError`, of which one `Refused` is made. Pure.
It knows no server's document and never fails in another way, whatever the bytes.
"""

import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from edge.drivers.links.base import Refused, Report
from edge.readings import DeviceAddress, Frame

KEPT_BYTES = 600
DEV_EUI = re.compile(r"[0-9a-fA-F]{16}")
NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")
BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")

Document = TypeVar("Document")


@dataclass(frozen=True, slots=True)
class Note:
    """A message that is left alone, and why."""

    text: str


Parsed = Frame | Report | Refused | Note
Parse = Callable[[str, bytes, int], list[Parsed]]
"""What a message says: of its topic, its body and when it was heard (monotonic milliseconds). Mostly one thing."""

LONGEST_NAME = 200


class Reception(Struct, frozen=True):
    """One radio gateway's reception; 0 is also what was left out."""

    rssi: float = 0
    snr: float = 0


class WrongDocumentError(Exception):
    """A document that is not what its source says. Never leaves the links' parsers."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        """The error's name, as in `Refused`."""
        self.reason = reason
        """Field, position and what was expected."""
        super().__init__(reason)

    def refused(self, body: bytes, event: str | None = None) -> Refused:
        """The refusal of this document, which is an `event`."""
        reason = self.reason if event is None else f"{event}: {self.reason}"
        return Refused(name=self.name, reason=reason, data=body[:KEPT_BYTES])


def decode(decoder: msgspec.json.Decoder[Document], body: bytes, hint: str = "") -> Document:
    """The document in a body. `hint` is told when the body is no JSON object at all. Raises `WrongDocumentError`."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise WrongDocumentError("invalid-field", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        told = "" if not hint or body.lstrip()[:1] == b"{" else f"; {hint}"
        raise WrongDocumentError("not-json", f"{error}, of {len(body)} bytes{told}") from error


def dev_eui(text: str | None, field: str) -> DeviceAddress:
    """A devEUI in lower case. Raises `WrongDocumentError`, naming the field."""
    if not text:
        raise WrongDocumentError("no-dev-eui", f"{field} is missing")
    if not DEV_EUI.fullmatch(text):
        raise WrongDocumentError("no-dev-eui", f"{field} {text!r}, expected 16 hexadecimal digits")
    return DeviceAddress(text.lower())


def named(*words: str | None) -> str | None:
    """What a server calls a device, in one line; None where it calls it nothing."""
    return " ".join(word for word in words if word)[:LONGEST_NAME] or None


def utc_time(text: str | None) -> datetime | None:
    """RFC 3339 with up to nine decimals, of which six are kept; UTC. Raises `WrongDocumentError`."""
    if not text:
        return None
    try:
        time = datetime.fromisoformat(BEYOND_MICROSECONDS.sub(r"\1", text))
        if time.tzinfo is None:
            raise WrongDocumentError("bad-time", f"time {text!r} has no offset")
        return time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise WrongDocumentError("bad-time", f"time {text!r} is no RFC 3339 time") from error


def base64_bytes(text: str, field: str) -> bytes:
    """Standard base64 with padding. Raises `WrongDocumentError`, naming field and character."""
    wrong = NOT_BASE64.search(text)
    if wrong is not None:
        raise WrongDocumentError("bad-base64", f"{field}, character {wrong.start()}: {wrong[0]!r} is not base64")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        padding = text.find("=")
        position = len(text) if padding < 0 else padding
        raise WrongDocumentError("bad-base64", f"{field}, character {position}: {error}") from error


def best(receptions: Sequence[Reception]) -> tuple[float | None, float | None]:
    """RSSI (dBm) and SNR (dB) where it was heard best. An RSSI of 0 dBm is one that was left out: unknown."""
    reception = max(receptions, key=lambda reception: reception.snr, default=None)
    return (None, None) if reception is None else (reception.rssi or None, reception.snr)
