"""One connection to the broker: subscribes, hands messages over, acknowledges each only when told to.

In come topics and bytes, out go answers. Paho's thread does the network and calls `on_message` there; all else may be
called from any thread. The broker sends no more than `window` unacknowledged messages: that is the back-pressure.
"""

import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from cloud_api.settings import Broker, ConfigError

log = logging.getLogger(__name__)

KEEPALIVE_S = 15
"""After half as long again without a word the broker gives our share to others: what a machine that died costs."""
RECONNECT_S = (1, 30)
"""Shortest and longest pause between two attempts to connect."""
ANSWERS_QUEUED = 10_000
"""Answers waiting for the broker: more than ingest holds messages, for each may be another gateway's. What goes beyond
is dropped, and asked for again by the gateway."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of the broker's, to be acknowledged once what came of it is safe."""

    topic: str
    body: bytes
    retained: bool
    mid: int
    connection: int
    """Which connection brought it. After a reconnection the broker sends it again, and this one's mid means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a connection listens to. The broker forgets it with the connection, and gives its share to others."""

    client_id: str
    topics: Sequence[str]
    window: int
    """Most messages that are out unacknowledged (MQTT 5 receive maximum), 1 to 65,535."""


class Connection:
    """A subscription that comes back by itself. Guards that an acknowledgement never reaches a later connection."""

    def __init__(self, broker: Broker, subscription: Subscription, on_message: Callable[[Delivery], None]) -> None:
        """Raises `ConfigError` when the password or the certificates cannot be read."""
        self._subscription = subscription
        self._on_message = on_message
        self._numbers = count(1)
        self._connection = 0
        self._problem = "not connected yet"
        self._client = self._make_client(broker)

    def start(self) -> None:
        """Connect in the background, again and again until it works."""
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end the network thread. Blocks for at most a few seconds."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def problem(self) -> str | None:
        """Why nothing can arrive now, in words; None while connected and subscribed."""
        return self._problem or None

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that a message is safe; of no effect when its connection is gone."""
        if delivery.connection == self._connection:
            self._client.ack(delivery.mid, 1)

    def ask_again(self) -> None:
        """Have the broker send what it retains once more; of no effect while it is away, for it will then."""
        self._client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._subscription.topics])

    def publish(self, topic: str, body: bytes, *, retain: bool = False) -> bool:
        """Send at QoS 1. False when it could not be handed over and will not be sent."""
        result = self._client.publish(topic, body, qos=1, retain=retain)
        return result.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _make_client(self, broker: Broker) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._subscription.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        if broker.username is not None:
            client.username_pw_set(broker.username, _password(broker.password_file))
        if broker.tls or broker.ca_file is not None:
            client.tls_set_context(_tls(broker.ca_file))
        client.reconnect_delay_set(*RECONNECT_S)
        client.max_queued_messages_set(ANSWERS_QUEUED)
        client.on_connect = self._connected
        client.on_connect_fail = self._unreachable
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_message = self._arrived
        client.on_publish = self._published
        client.connect_async(
            broker.host,
            broker.port,
            keepalive=KEEPALIVE_S,
            clean_start=True,
            properties=_connect_properties(self._subscription),
        )
        return client

    def _connected(
        self,
        _client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._fail(f"the broker refuses the connection: {reason}")
            return
        self._connection = next(self._numbers)
        self.ask_again()

    def _subscribed(
        self, _client: Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [
            f"{topic} ({reason})"
            for topic, reason in zip(self._subscription.topics, reasons, strict=False)
            if reason.is_failure
        ]
        if refused:
            self._fail(f"the broker refuses the subscription to {', '.join(refused)}")
            return
        self._problem = ""
        log.info("%s is connected and subscribed", self._subscription.client_id)

    def _unreachable(self, _client: Client, _userdata: object) -> None:
        self._fail("the broker cannot be reached")

    def _disconnected(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._connection = 0
        if self._problem:
            return  # a refusal ends the connection too, and says more
        if reason.is_failure:
            self._fail(f"the connection to the broker ended: {reason}")
        else:
            self._problem = "disconnected"

    def _arrived(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._on_message(Delivery(message.topic, bytes(message.payload), message.retain, message.mid, self._connection))

    def _published(
        self, _client: Client, _userdata: object, _mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.warning("the broker refuses what %s publishes: %s", self._subscription.client_id, reason)

    def _fail(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("%s: %s", self._subscription.client_id, problem)
        self._problem = problem


def _connect_properties(subscription: Subscription) -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.ReceiveMaximum = subscription.window
    return properties


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"password file {file} cannot be read: {error}") from error


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"certificate file {ca_file} cannot be used: {error}") from error
