"""The Things Stack v3 messages: what a JSON document on MQTT means.

In come a topic and a body, out comes a frame, a report, a refusal that names the field, or a note why it is left alone.
Pure. It never reads the server's own decoded payload, never counts a simulated uplink, never fails on an unknown field.
Source: lorawan-stack-docs integrations/data-formats, other-integrations/mqtt; what is empty, zero or false is left out.
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

TOPIC = re.compile(r"(?:.+/)?v3/[^/]+/devices/(?P<device>[^/]+)/(?P<event>.+)")
LEFT_ALONE = re.compile(r"down/.+|service/data|location/solved")
"""Messages about downlinks, positions and other services: nothing of ours is in them."""
Identifier = Annotated[str, Meta(max_length=36)]


class _Application(Struct, frozen=True):
    application_id: Identifier | None = None


class _Identifiers(Struct, frozen=True):
    device_id: Identifier | None = None
    dev_eui: str | None = None
    application_ids: _Application | None = None


class _Message(Struct, frozen=True):
    """What every message carries."""

    end_device_ids: _Identifiers | None = None
    received_at: str | None = None
    """Time at the application server."""


class _Versions(Struct, frozen=True):
    """What the device repository calls it."""

    brand_id: str | None = None
    model_id: str | None = None


class _Uplink(Struct, frozen=True):
    session_key_id: str | None = None
    f_port: Annotated[int, Meta(ge=0, le=255)] | None = None
    f_cnt: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    frm_payload: str | None = None
    rx_metadata: tuple[Reception, ...] | None = None
    received_at: str | None = None
    """Time at the network server."""
    app_s_key: dict[str, msgspec.Raw] | None = None
    """The wrapped key of a payload that the server was told not to decrypt."""
    version_ids: _Versions | None = None


class _Up(_Message, frozen=True):
    uplink_message: _Uplink | None = None
    simulated: bool | None = None


class _JoinAccept(Struct, frozen=True):
    received_at: str | None = None


class _Join(_Message, frozen=True):
    join_accept: _JoinAccept | None = None


_Document = _Up | _Join
_DECODERS: dict[str, msgspec.json.Decoder[_Document]] = {
    "up": msgspec.json.Decoder(_Up),
    "join": msgspec.json.Decoder(_Join),
}


def parse_event(topic: str, body: bytes, heard_ms: int = 0) -> list[Parsed]:
    """What one message says: mostly one thing. The body must confirm the device that the topic names."""
    match = TOPIC.fullmatch(topic)
    if match is None:
        wrong = WrongDocumentError("unknown-topic", f"topic {topic}, expected v3/APPLICATION/devices/DEVICE/EVENT")
        return [wrong.refused(body)]
    event = match["event"]
    if event not in _DECODERS:
        return [Note(f"{event!r} is not ours" if LEFT_ALONE.fullmatch(event) else f"unknown topic suffix {event!r}")]
    try:
        document = decode(_DECODERS[event], body)
        return _items(document, _device(document, match["device"]), heard_ms)
    except WrongDocumentError as error:
        return [error.refused(body, event)]


def _device(document: _Document, in_topic: str) -> DeviceAddress:
    """The devEUI; of a device without one, the names that the operator gave to application and device."""
    ids = document.end_device_ids
    if ids is None:
        raise WrongDocumentError("no-device-ids", "end_device_ids is missing")
    if ids.device_id != in_topic:
        reason = f"end_device_ids.device_id {ids.device_id!r}, but the topic names {in_topic!r}"
        raise WrongDocumentError("wrong-device-id", reason)
    if ids.dev_eui:
        return dev_eui(ids.dev_eui, "end_device_ids.dev_eui")
    application = ids.application_ids.application_id if ids.application_ids else None
    if not application:
        raise WrongDocumentError("no-dev-eui", "end_device_ids has neither dev_eui nor application_ids.application_id")
    return DeviceAddress(f"{application}/{in_topic}")


def _items(document: _Document, device: DeviceAddress, heard_ms: int) -> list[Parsed]:
    match document:
        case _Up():
            return [_uplink(document, device, heard_ms)]
        case _Join():
            return [_join(document, device, heard_ms)]


def _join(join: _Join, device: DeviceAddress, heard_ms: int) -> Report:
    """A new radio session. The sensor's own counts go on."""
    if join.join_accept is None:
        raise WrongDocumentError("no-join-accept", "join_accept is missing")
    time = utc_time(join.join_accept.received_at or join.received_at)
    return Report(device=device, readings=(Health(reset=ResetCause.REJOIN),), heard_ms=heard_ms, network_time=time)


def _uplink(up: _Up, device: DeviceAddress, heard_ms: int) -> Parsed:
    uplink = up.uplink_message
    if uplink is None:
        raise WrongDocumentError("no-uplink-message", "uplink_message is missing")
    if up.simulated:
        return Refused(name="simulated", reason="up: a made-up uplink is never counted", device=device)
    if uplink.app_s_key is not None:
        raise WrongDocumentError("still-encrypted", "uplink_message.app_s_key is there: the server did not decrypt")
    payload = base64_bytes(uplink.frm_payload or "", "uplink_message.frm_payload")
    time = utc_time(uplink.received_at or up.received_at)
    if not uplink.f_port or not payload:
        return Report(device=device, heard_ms=heard_ms, network_time=time)
    rssi_dbm, snr_db = best([reception for reception in uplink.rx_metadata or () if reception.rssi])
    return Frame(
        device=device,
        payload=payload,
        port=uplink.f_port,
        counter=uplink.f_cnt or 0,
        session=uplink.session_key_id or "",
        heard_ms=heard_ms,
        network_time=time,
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
        hint=_hint(up, uplink.version_ids),
    )


def _hint(up: _Up, versions: _Versions | None) -> str | None:
    name = None if up.end_device_ids is None else up.end_device_ids.device_id
    return named(name) if versions is None else named(versions.brand_id, versions.model_id, name)
