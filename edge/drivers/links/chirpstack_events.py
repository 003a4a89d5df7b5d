"""ChirpStack v4 integration events: what a JSON document on MQTT means.

In come a topic and a body, out comes a frame, a report, a refusal that names the field, or a note why it is left alone.
Pure. It never reads the server's own codec output and never fails on a field it does not know.
Source: chirpstack/chirpstack api/proto/integration, chirpstack-docs integrations/events; fields left out are zero.
"""

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from edge.drivers.links.base import Refused, Report
from edge.readings import DeviceAddress, Frame, Health, ResetCause

KEPT_BYTES = 600
TOPIC = re.compile(r"(?:.+/)?device/(?P<dev_eui>[^/]+)/event/(?P<event>[^/]+)")
DEV_EUI = re.compile(r"[0-9a-fA-F]{16}")
NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")
BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")
LEFT_ALONE = frozenset({"ack", "txack", "location", "integration"})
"""Events about downlinks and positions: nothing of ours is in them."""
PROTOBUF_HINT = "if ChirpStack's integration writes Protobuf, set json=true there"


@dataclass(frozen=True, slots=True)
class Note:
    """An event that is left alone, and why."""

    text: str


Parsed = Frame | Report | Refused | Note


class _Event(Struct, frozen=True, rename="camel"):
    """What every event carries."""

    device_info: "_DeviceInfo | None" = None
    time: str | None = None


class _DeviceInfo(Struct, frozen=True, rename="camel"):
    dev_eui: str | None = None


class _Reception(Struct, frozen=True, rename="camel"):
    """One gateway's reception."""

    rssi: float = 0
    snr: float = 0


class _Up(_Event, frozen=True, rename="camel"):
    dev_addr: str | None = None
    f_cnt: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    f_port: Annotated[int, Meta(ge=0, le=255)] | None = None
    data: str | None = None
    rx_info: tuple[_Reception, ...] | None = None
    join_server_context: dict[str, msgspec.Raw] | None = None


class _Join(_Event, frozen=True, rename="camel"):
    pass


class _Status(_Event, frozen=True, rename="camel"):
    margin: int | None = None
    battery_level: float | None = None
    battery_level_unavailable: bool | None = None
    external_power_source: bool | None = None


class _Log(_Event, frozen=True, rename="camel"):
    level: str | int | None = None
    code: str | int | None = None
    description: str | None = None


class _WrongError(Exception):
    """A document that is not what the source says. Never leaves this module."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(reason)


_Document = _Up | _Join | _Status | _Log
_DECODERS: dict[str, msgspec.json.Decoder[_Document]] = {
    "up": msgspec.json.Decoder(_Up),
    "join": msgspec.json.Decoder(_Join),
    "status": msgspec.json.Decoder(_Status),
    "log": msgspec.json.Decoder(_Log),
}


def parse_event(topic: str, body: bytes, heard_ms: int = 0) -> list[Parsed]:
    """What one message says: mostly one thing. The body must confirm the device that the topic names."""
    match = TOPIC.fullmatch(topic)
    if match is None:
        reason = f"topic {topic}, expected …/device/DEVEUI/event/EVENT"
        return [Refused(name="unknown-topic", reason=reason, data=body[:KEPT_BYTES])]
    event = match["event"]
    if event not in _DECODERS:
        return [Note(f"event {event!r} is not ours" if event in LEFT_ALONE else f"unknown event {event!r}")]
    try:
        document = _decode(event, body)
        return _items(document, _device(document, match["dev_eui"]), heard_ms)
    except _WrongError as error:
        return [Refused(name=error.name, reason=f"{event}: {error.reason}", data=body[:KEPT_BYTES])]


def _decode(event: str, body: bytes) -> _Document:
    try:
        return _DECODERS[event].decode(body)
    except msgspec.ValidationError as error:
        raise _WrongError("invalid-field", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "" if body.lstrip()[:1] == b"{" else f"; {PROTOBUF_HINT}"
        raise _WrongError("not-json", f"{error}, of {len(body)} bytes{hint}") from error


def _device(document: _Document, in_topic: str) -> DeviceAddress:
    info = document.device_info
    dev_eui = None if info is None else info.dev_eui
    if not dev_eui:
        raise _WrongError("no-dev-eui", "deviceInfo.devEui is missing")
    if not DEV_EUI.fullmatch(dev_eui):
        raise _WrongError("no-dev-eui", f"deviceInfo.devEui {dev_eui!r}, expected 16 hexadecimal digits")
    if dev_eui.lower() != in_topic.lower():
        raise _WrongError("wrong-dev-eui", f"deviceInfo.devEui {dev_eui}, but the topic names {in_topic}")
    return DeviceAddress(dev_eui.lower())


def _items(document: _Document, device: DeviceAddress, heard_ms: int) -> list[Parsed]:
    time = _time(document.time)
    alive = Report(device=device, heard_ms=heard_ms, network_time=time)
    match document:
        case _Up():
            return _uplink(document, alive)
        case _Join():
            return [_with(alive, Health(reset=ResetCause.REJOIN))]
        case _Status():
            return [_with(alive, _status(document))]
        case _Log():
            told = (str(part) for part in (document.level, document.code, document.description) if part)
            return [_with(alive, Health(note="network server: " + " ".join(told)))]


def _with(alive: Report, health: Health) -> Report:
    return msgspec.structs.replace(alive, readings=(health,))


def _uplink(up: _Up, alive: Report) -> list[Parsed]:
    if up.join_server_context:
        raise _WrongError("still-encrypted", "joinServerContext is set: the network server has no key for `data`")
    payload = _base64(up.data or "")
    if not up.f_port:
        return [alive]
    if not payload:
        reason = f"up: fPort {up.f_port} without data"
        return [Refused(name="no-data", reason=reason, device=alive.device), alive]
    rssi_dbm, snr_db = _best(up.rx_info or ())
    frame = Frame(
        device=alive.device,
        payload=payload,
        port=up.f_port,
        counter=up.f_cnt or 0,
        session=up.dev_addr or "",
        heard_ms=alive.heard_ms,
        network_time=alive.network_time,
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
    )
    return [frame]


def _best(receptions: Sequence[_Reception]) -> tuple[float | None, float | None]:
    """RSSI and SNR of the gateway that heard it best. An RSSI of 0 dBm is one that was left out: unknown."""
    best = max(receptions, key=lambda reception: reception.snr, default=None)
    return (None, None) if best is None else (best.rssi or None, best.snr)


def _status(status: _Status) -> Health:
    """A battery level left out is 0 %, unless the device cannot tell it or hangs on the mains."""
    on_mains = bool(status.external_power_source)
    unknown = on_mains or bool(status.battery_level_unavailable)
    return Health(
        battery_pct=None if unknown else status.battery_level or 0.0,
        diagnostics={"margin_db": status.margin or 0, "external_power": on_mains},
    )


def _time(text: str | None) -> datetime | None:
    """RFC 3339 with up to nine decimals, of which six are kept; UTC."""
    if not text:
        return None
    try:
        time = datetime.fromisoformat(BEYOND_MICROSECONDS.sub(r"\1", text))
    except ValueError as error:
        raise _WrongError("bad-time", f"time {text!r} is no RFC 3339 time") from error
    if time.tzinfo is None:
        raise _WrongError("bad-time", f"time {text!r} has no offset")
    return time.astimezone(UTC)


def _base64(text: str) -> bytes:
    wrong = NOT_BASE64.search(text)
    if wrong is not None:
        raise _WrongError("bad-base64", f"data, character {wrong.start()}: {wrong[0]!r} is not base64")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        padding = text.find("=")
        position = len(text) if padding < 0 else padding
        raise _WrongError("bad-base64", f"data, character {position}: {error}") from error
