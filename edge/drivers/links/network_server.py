"""LoRaWAN network server link: uplinks and device events as JSON documents from an MQTT broker.

In come documents, out come frames and reports; a document is acknowledged only once what came of it is durable or was
refused for good. What a server's documents mean is its parser's business. It never decodes a payload, never publishes.
"""

import logging
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta, Struct
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTProtocolVersion

from edge.drivers.links.base import Arrival, Inbox, Link, Monotonic
from edge.drivers.links.envelope import Note, Parse
from edge.drivers.links.mqtt_source import LONGEST_SESSION_S, SESSION_S, Broker, Subscription, subscribed

log = logging.getLogger(__name__)


class ServerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the `[[link]]` sections of all network servers have in common."""

    protocol: ClassVar[MQTTProtocolVersion] = MQTTProtocolVersion.MQTTv5

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    host: Annotated[str, Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 1883
    client_id: Annotated[str, Meta(min_length=1)]
    """Names our session at the broker: of this gateway alone, and always the same."""
    username: str | None = None
    password_file: Path | None = None
    """A file of mode 0600 that holds the password alone."""
    ca_file: Path | None = None
    """The certificate authority to trust; TLS is used when it is given, and then always."""
    topic: Annotated[str, Meta(min_length=1)]
    session_s: Annotated[int, Meta(ge=0, le=LONGEST_SESSION_S)] = SESSION_S
    """So long the broker shall keep messages while the gateway is away, in seconds; 0 for none."""

    @property
    def broker(self) -> Broker:
        """The broker that it names."""
        return Broker(
            host=self.host,
            port=self.port,
            client_id=self.client_id,
            username=self.username,
            password_file=self.password_file,
            ca_file=self.ca_file,
            protocol=self.protocol,
            session_s=self.session_s,
        )


class NetworkServerLink(Link):
    """One subscription. A broker that goes away ends `run` with `LinkError`; run again, it resumes its session."""

    def __init__(self, config: ServerConfig, clock: Monotonic, parse: Parse) -> None:
        super().__init__(config.name)
        self._config = config
        self._clock = clock
        self._parse = parse

    async def run(self, inbox: Inbox) -> None:
        """See `Link.run`. Raises `LinkError` when the broker is away, refuses us or does not let us subscribe."""
        config, ready = self._config, self.opened.set
        async with subscribed(self.name, config.broker, config.topic, ready) as subscription:
            while True:
                await self._pass_on(subscription, await self.patiently(subscription.next), inbox)

    async def _pass_on(self, subscription: Subscription, message: MQTTMessage, inbox: Inbox) -> None:
        """Hand over what a message says; the last of it carries the acknowledgement."""
        parsed = self._parse(message.topic, bytes(message.payload), self._clock.monotonic_ms())
        notes = [item for item in parsed if isinstance(item, Note)]
        items = [item for item in parsed if not isinstance(item, Note)]
        for note in notes:
            log.debug("left alone link=%s topic=%s: %s", self.name, message.topic, note.text)
        acknowledge = partial(subscription.acknowledge, message)
        if not items:
            acknowledge()
        for item in items[:-1]:
            await inbox(Arrival(item))
        for item in items[-1:]:
            await inbox(Arrival(item, acknowledge))
