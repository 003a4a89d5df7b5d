"""A The Things Stack v3 application server: the documents it writes, of which what is empty or zero is left out.

In come a sensor's uplinks, out go JSON documents for a broker. Written from the documentation of its data formats
(lorawan-stack-docs integrations/data-formats) and MQTT topics.
"""

import base64
import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from firmware_sim.links.mqtt_server import Document, ServerPeer

TENANT = "town"
GATEWAY = {"gateway_id": "mairie", "eui": "0016C001F1000001"}

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDevice:
    """A device as the server knows it."""

    device_id: str
    """The name that the operator gave it."""
    dev_eui: str | None
    """16 hexadecimal digits; None for some devices activated by personalization."""
    application: str = "street"
    dev_addr: str = "00BCB929"
    session_key_id: str = "AXA50tHUGUucuzS/bCGMNw=="
    """Changes at every join."""

    def rejoined(self) -> "EndDevice":
        """The device in a new session."""
        return replace(self, session_key_id=base64.b64encode(uuid.uuid4().bytes).decode())


def uplink(
    device: EndDevice,
    *,
    counter: int,
    port: int,
    payload: bytes,
    at: datetime,
    rssi_dbm: int = -87,
    snr_db: float = 8.5,
    simulated: bool = False,
) -> Document:
    """An `up` message: `payload` decrypted by the server, heard at `at` (aware) by one gateway."""
    message: Json = {
        "session_key_id": device.session_key_id,
        "f_port": port,
        "f_cnt": counter,
        "frm_payload": base64.b64encode(payload).decode(),
        "rx_metadata": [_present({"gateway_ids": GATEWAY, "rssi": rssi_dbm, "snr": snr_db})],
        "settings": {
            "data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": 9}},
            "frequency": "868100000",
        },
        "received_at": _rfc3339(at),
    }
    return _document(device, "up", at, {"uplink_message": _present(message), "simulated": simulated})


def join(device: EndDevice, at: datetime) -> Document:
    """A `join` message: the device has the session `device.session_key_id`."""
    accept: Json = {"session_key_id": device.session_key_id, "received_at": _rfc3339(at)}
    return _document(device, "join", at, {"join_accept": accept})


def downlink_queued(device: EndDevice, at: datetime) -> Document:
    """A `down/queued` message, as somebody else's downlink causes it."""
    return _document(device, "down/queued", at, {"downlink_queued": {"f_port": 15, "frm_payload": "vu8="}})


def _document(device: EndDevice, event: str, at: datetime, fields: Json) -> Document:
    ids: Json = {
        "device_id": device.device_id,
        "application_ids": {"application_id": device.application},
        "dev_eui": device.dev_eui,
        "dev_addr": device.dev_addr,
    }
    document: Json = {
        "end_device_ids": _present(ids),
        "correlation_ids": [f"as:up:{uuid.uuid4().hex}"],
        "received_at": _rfc3339(at),
    }
    topic = f"v3/{device.application}@{TENANT}/devices/{device.device_id}/{event}"
    return Document(topic, json.dumps(document | _present(fields)).encode())


def _present(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value not in (0, False, "", None)}


def _rfc3339(at: datetime) -> str:
    """With nine decimals, as the server writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"


class ThingsStackPeer(ServerPeer):
    """The connection of who publishes these documents: the server itself at QoS 0, or a broker that bridges it at 1."""
