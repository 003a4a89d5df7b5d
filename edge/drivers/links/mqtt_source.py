"""A subscription at QoS 1 in a session that outlives us, with acknowledgements only when told.

In come a broker's address and a topic, out come messages; what was not acknowledged, the broker sends again after the
next connection. The broker being away, refusing us or ending the connection is a `LinkError`. It publishes nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.drivers.links.base import LinkError
from edge.drivers.links.hand_over import HandOver

log = logging.getLogger(__name__)

WINDOW = 100
"""Messages under way and not acknowledged at most; the broker keeps the rest."""
SESSION_S = 7 * 86_400
"""So long the broker keeps messages for us while we are away, unless told otherwise."""
LONGEST_SESSION_S = 2**32 - 1
"""What MQTT has room for: for ever."""
KEEPALIVE_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where a broker is and how we prove who we are."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    """TLS is used when it is given, and then always."""
    certificate_file: Path | None = None
    """Our own, where the broker asks for one; with its key."""
    key_file: Path | None = None
    protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5
    """5, or 3.1.1 for brokers that know no other."""
    session_s: int = SESSION_S
    """So long the broker shall keep messages for us while we are away; 0 for none (3.1.1 knows only none or some)."""


class Subscription:
    """One session at one broker. Use `subscribed`."""

    def __init__(self, link: str, topic: str, ready: Callable[[], None]) -> None:
        self._link = link
        self._topic = topic
        self._ready = ready
        self._loop = asyncio.get_running_loop()
        self._messages: HandOver[MQTTMessage] = HandOver(WINDOW)
        self._client: Client | None = None

    async def next(self) -> MQTTMessage:
        """The next message. Raises `LinkError` when the connection is gone and all that came before it was taken."""
        return await self._messages.get()

    def acknowledge(self, message: MQTTMessage) -> None:
        """Tell the broker to forget a message. Harmless when the connection it came by is gone."""
        if self._client is not None:
            self._client.ack(message.mid, message.qos)

    async def open(self, broker: Broker) -> None:
        """Connect and subscribe; a refusal by the broker is raised by `next`. Raises `LinkError`."""
        client = _client(broker)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        try:
            await asyncio.to_thread(_connect, client, broker)
        except (OSError, ValueError) as error:
            raise self._error(f"broker {broker.host}:{broker.port}: {error}", "check address and files") from error
        client.loop_start()
        self._client = client

    async def close(self) -> None:
        """Take leave of the broker, which keeps the session."""
        self._messages.close()
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._messages.put(message)

    def _on_connect(
        self, client: Client, _userdata: object, flags: ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            self._messages.fail(self._error(f"the broker refused us: {reason}", "check username and password_file"))
            return
        log.info("connected link=%s session=%s", self._link, "resumed" if flags.session_present else "new")
        try:
            client.subscribe(self._topic, qos=1)
        except ValueError:
            advice = "correct it: `+` stands for one level, `#` for all at the end"
            self._messages.fail(self._error(f"topic {self._topic!r} is no MQTT filter", advice))

    def _on_subscribe(
        self, _client: Client, _userdata: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                self._messages.fail(self._error(f"topic {self._topic} refused: {reason}", "check the broker's ACL"))
                return
        self._loop.call_soon_threadsafe(self._ready)

    def _on_disconnect(
        self, _client: Client, _userdata: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        advice = "check that the broker runs, and that no other client has our client_id"
        self._messages.fail(self._error(f"connection lost: {reason}", advice))

    def _error(self, reason: str, advice: str) -> LinkError:
        return LinkError(self._link, reason, advice=advice)


@asynccontextmanager
async def subscribed(link: str, broker: Broker, topic: str, ready: Callable[[], None]) -> AsyncIterator[Subscription]:
    """The subscription for the length of an `async with`. Raises `LinkError`, naming `link`.

    `ready` is called in the event loop once the broker has confirmed it: what is published from then on arrives.
    """
    subscription = Subscription(link, topic, ready)
    try:
        await subscription.open(broker)
        yield subscription
    finally:
        await subscription.close()


def _client(broker: Broker) -> Client:
    """A client whose session the broker keeps, which in MQTT 5 is asked for when connecting."""
    return Client(
        CallbackAPIVersion.VERSION2,
        broker.client_id,
        clean_session=None if broker.protocol == MQTTProtocolVersion.MQTTv5 else not broker.session_s,
        protocol=broker.protocol,
        manual_ack=True,
        reconnect_on_failure=False,
    )


def _connect(client: Client, broker: Broker) -> None:
    if broker.username is not None:
        password = None if broker.password_file is None else broker.password_file.read_text().strip()
        client.username_pw_set(broker.username, password)
    if broker.ca_file is not None:
        certificate, key = (None if file is None else str(file) for file in (broker.certificate_file, broker.key_file))
        client.tls_set(str(broker.ca_file), certificate, key)
    if broker.protocol == MQTTProtocolVersion.MQTTv5:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = broker.session_s
        properties.ReceiveMaximum = WINDOW
        client.connect(broker.host, broker.port, KEEPALIVE_S, clean_start=not broker.session_s, properties=properties)
    else:
        client.connect(broker.host, broker.port, KEEPALIVE_S)
