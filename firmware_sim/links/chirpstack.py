"""A ChirpStack v4 server's MQTT integration: the documents it writes, and its connection to a real broker.

In come a sensor's uplinks, out go JSON documents of the new form or the old (until 4.0.5: zero fields left out).
Written from chirpstack/chirpstack api/proto/integration and the documentation of its events.
"""

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from firmware_sim.links.mqtt_server import Document, ServerPeer

APPLICATION = "17c82e96-0000-4000-8000-000000000001"
GATEWAY = "0016c001f1000001"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class EndDevice:
    """A device as the server knows it."""

    dev_eui: str
    """16 hexadecimal digits, lower case."""
    dev_addr: str = "00189440"
    """8 hexadecimal digits; changes at every join."""
    name: str = "device"
    old_server: bool = False
    """Its server is older than 4.1 and leaves out what is zero."""


def uplink(
    device: EndDevice,
    *,
    counter: int,
    port: int,
    payload: bytes,
    at: datetime,
    rssi_dbm: int = -87,
    snr_db: float = 8.5,
) -> Document:
    """An `up` event: `payload` decrypted by the server, heard at `at` (aware) by one gateway."""
    radio = _without_zeros(
        {"gatewayId": GATEWAY, "uplinkId": 4_217_106_255, "gwTime": _rfc3339(at), "rssi": rssi_dbm, "snr": snr_db}
    )
    lora = {"bandwidth": 125_000, "spreadingFactor": 9, "codeRate": "CR_4_5"}
    fields: Json = {
        "devAddr": device.dev_addr,
        "adr": False,
        "dr": 3,
        "fCnt": counter,
        "fPort": port,
        "confirmed": False,
        "data": base64.b64encode(payload).decode(),
        "rxInfo": [radio],
        "txInfo": {"frequency": 868_100_000, "modulation": {"lora": lora}},
    }
    return _document(device, "up", at, fields)


def join(device: EndDevice, at: datetime) -> Document:
    """A `join` event: the device has a new session, whose address is `device.dev_addr`."""
    return _document(device, "join", at, {"devAddr": device.dev_addr})


def status(device: EndDevice, at: datetime, *, battery_pct: float | None, margin_db: int = 10) -> Document:
    """A `status` event; `battery_pct` None is a device that cannot tell."""
    fields: Json = {
        "margin": margin_db,
        "externalPowerSource": False,
        "batteryLevelUnavailable": battery_pct is None,
        "batteryLevel": battery_pct or 0.0,
    }
    return _document(device, "status", at, fields)


def log(device: EndDevice, at: datetime, *, code: str, description: str, level: str = "WARNING") -> Document:
    """A `log` event, such as `UPLINK_F_CNT_RESET`."""
    return _document(device, "log", at, {"level": level, "code": code, "description": description})


def _document(device: EndDevice, event: str, at: datetime, fields: Json) -> Document:
    info: Json = {
        "tenantName": "Ville",
        "applicationId": APPLICATION,
        "deviceName": device.name,
        "devEui": device.dev_eui,
        "tags": {},
    }
    document: Json = {"deduplicationId": str(uuid.uuid4()), "time": _rfc3339(at), "deviceInfo": info}
    document |= _without_zeros(fields) if device.old_server else fields
    topic = f"application/{APPLICATION}/device/{device.dev_eui}/event/{event}"
    return Document(topic, json.dumps(document).encode())


def _without_zeros(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value not in (0, False, "", None)}


def _rfc3339(at: datetime) -> str:
    """With nine decimals, as the server writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000+00:00"


class ChirpStackPeer(ServerPeer):
    """The server's connection to its broker. ChirpStack publishes at QoS 0 unless its integration is set to 1."""
