"""Somebody with a user name at a broker: what became of what they published, and what they heard."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from tests.broker import Mosquitto

PATIENCE_S = 15.0
NOT_AUTHORIZED = 135
"""MQTT 5 reason code."""


class Person:
    """Somebody with a user name at the broker: what became of what they published, and what they heard."""

    def __init__(self, broker: Mosquitto, user: str, password: str) -> None:
        self._acknowledged: queue.SimpleQueue[ReasonCode] = queue.SimpleQueue()
        self._subscribed: queue.SimpleQueue[list[ReasonCode]] = queue.SimpleQueue()
        self._connected: queue.SimpleQueue[ReasonCode] = queue.SimpleQueue()
        self._gone = Event()
        self.heard: queue.SimpleQueue[MQTTMessage] = queue.SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(user, password)
        self._client.on_connect = lambda _c, _u, _f, reason, _p: self._connected.put(reason)
        self._client.on_publish = lambda _c, _u, _mid, reason, _p: self._acknowledged.put(reason)
        self._client.on_subscribe = lambda _c, _u, _mid, reasons, _p: self._subscribed.put(reasons)
        self._client.on_disconnect = lambda *_: self._gone.set()
        self._client.on_message = lambda _c, _u, message: self.heard.put(message)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self.let_in = not self._connected.get(timeout=PATIENCE_S).is_failure

    @property
    def gone(self) -> bool:
        """Whether a connection of theirs has ended."""
        return self._gone.is_set()

    def publish(self, topic: str, body: bytes = b"{}") -> int:
        """The reason code of the broker's answer; 0 and 16 (nobody listens) are well."""
        self._client.publish(topic, body, qos=1)
        code: int = self._acknowledged.get(timeout=PATIENCE_S).value
        return code

    def subscribe(self, topic: str) -> None:
        """Listen; where rules are in an ACL file, mosquitto grants it to everybody and sends only what they allow."""
        self._client.subscribe(topic, qos=1)
        self._subscribed.get(timeout=PATIENCE_S)

    def leave(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def person(broker: Mosquitto, user: str, password: str | None = None) -> Iterator[Person]:
    """Somebody at the broker, for the length of a `with`."""
    it = Person(broker, user, password or user)
    try:
        yield it
    finally:
        it.leave()
