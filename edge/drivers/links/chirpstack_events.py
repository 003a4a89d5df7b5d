"""ChirpStack v4 integration events: what a JSON document on MQTT means.

In come a topic and a body, out comes a frame, a report, a refusal that names the field, or a note why it is left alone.
Pure. It never reads the server's own codec output and never fails on a field it does not know.
Source: chirpstack/chirpstack api/proto/integration, chirpstack-docs integrations/events; fields left out are zero.
"""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from edge.drivers.links.base import Refused, Report
from edge.drivers.links.envelope import (
    Note,
    Parsed,
    Reception,
    WrongDocumentError,
    base64_bytes,
    best,
    decode,
    dev_eui,
    named,
    utc_time,
)
from edge.readings import DeviceAddress, Frame, Health, ResetCause

TOPIC = re.compile(r"(?:.+/)?device/(?P<dev_eui>[^/]+)/event/(?P<event>[^/]+)")
LEFT_ALONE = frozenset({"ack", "txack", "location", "integration"})
"""Events about downlinks and positions: nothing of ours is in them."""
PROTOBUF_HINT = "if ChirpStack's integration writes Protobuf, set json=true there"


class _Event(Struct, frozen=True, rename="camel"):
    """What every event carries."""

    device_info: "_DeviceInfo | None" = None
    time: str | None = None


class _DeviceInfo(Struct, frozen=True, rename="camel"):
    dev_eui: str | None = None
    device_name: str | None = None
    device_profile_name: str | None = None


class _Up(_Event, frozen=True, rename="camel"):
    dev_addr: str | None = None
    f_cnt: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    f_port: Annotated[int, Meta(ge=0, le=255)] | None = None
    data: str | None = None
    rx_info: tuple[Reception, ...] | None = None
    join_server_context: dict[str, msgspec.Raw] | None = None


class _Join(_Event, frozen=True, rename="camel"):
    pass


class _Status(_Event, frozen=True, rename="camel"):
    margin: Annotated[int, Meta(ge=-128, le=127)] | None = None
    battery_level: float | None = None
    battery_level_unavailable: bool | None = None
    external_power_source: bool | None = None


class _Log(_Event, frozen=True, rename="camel"):
    level: str | int | None = None
    code: str | int | None = None
    description: str | None = None


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
        wrong = WrongDocumentError("unknown-topic", f"topic {topic}, expected …/device/DEVEUI/event/EVENT")
        return [wrong.refused(body)]
    event = match["event"]
    if event not in _DECODERS:
        return [Note(f"event {event!r} is not ours" if event in LEFT_ALONE else f"unknown event {event!r}")]
    try:
        document = decode(_DECODERS[event], body, PROTOBUF_HINT)
        return _items(document, _device(document, match["dev_eui"]), heard_ms)
    except WrongDocumentError as error:
        return [error.refused(body, event)]


def _device(document: _Document, in_topic: str) -> DeviceAddress:
    info = document.device_info
    device = dev_eui(None if info is None else info.dev_eui, "deviceInfo.devEui")
    if device != in_topic.lower():
        raise WrongDocumentError("wrong-dev-eui", f"deviceInfo.devEui {device}, but the topic names {in_topic}")
    return device


def _items(document: _Document, device: DeviceAddress, heard_ms: int) -> list[Parsed]:
    time = utc_time(document.time)
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
        raise WrongDocumentError(
            "still-encrypted", "joinServerContext is set: the network server has no key for `data`"
        )
    payload = base64_bytes(up.data or "", "data")
    if up.f_port and up.data is None:
        reason = f"up: fPort {up.f_port} without data"
        return [Refused(name="no-data", reason=reason, device=alive.device), alive]
    if not up.f_port or not payload:
        return [alive]
    rssi_dbm, snr_db = best(up.rx_info or ())
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
        hint=None if up.device_info is None else named(up.device_info.device_profile_name, up.device_info.device_name),
    )
    return [frame]


def _status(status: _Status) -> Health:
    """A battery level left out is 0 %, unless the device cannot tell it or hangs on the mains."""
    on_mains = bool(status.external_power_source)
    unknown = on_mains or bool(status.battery_level_unavailable)
    return Health(
        battery_pct=None if unknown else status.battery_level or 0.0,
        diagnostics={"margin_db": status.margin or 0, "external_power": on_mains},
    )
