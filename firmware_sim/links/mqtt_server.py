"""A LoRaWAN network server's connection to an MQTT broker, whichever server it is.

In come its documents, out they go at QoS 0 or 1. It never makes a document.
"""

import threading
from dataclasses import dataclass

from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Document:
    """One message of the server."""

    topic: str
    body: bytes


class ServerPeer:
    """The server's connection to its broker."""

    def __init__(
        self, host: str, port: int, *, username: str | None = None, password: str | None = None, qos: int = 1
    ) -> None:
        """Connect. Raises OSError, TimeoutError."""
        self._qos = qos
        self._connected = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = self._on_connect
        if username is not None:
            self._client.username_pw_set(username, password)
        self._client.connect(host, port)
        self._client.loop_start()
        if not self._connected.wait(TIMEOUT_S):
            self.close()
            raise TimeoutError(f"no broker let us in at {host}:{port} within {TIMEOUT_S:g} s")

    def publish(self, document: Document) -> None:
        """Send a document, without waiting."""
        self._client.publish(document.topic, document.body, qos=self._qos)

    def publish_and_wait(self, document: Document) -> None:
        """Send a document and wait until the broker has it. Raises TimeoutError."""
        sent = self._client.publish(document.topic, document.body, qos=self._qos)
        sent.wait_for_publish(TIMEOUT_S)
        if not sent.is_published():
            raise TimeoutError(f"the broker did not take a document within {TIMEOUT_S:g} s")

    def close(self) -> None:
        """Take leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, _client: Client, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if not reason.is_failure:
            self._connected.set()
