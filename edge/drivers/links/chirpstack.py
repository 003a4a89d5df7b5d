"""ChirpStack link: uplinks and device events of a LoRaWAN network server, from its MQTT broker.

In come JSON documents, out come frames and reports; a document is acknowledged only once what came of it is durable or
was refused for good. It never decodes a payload and never publishes.
"""

import logging
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from paho.mqtt.client import MQTTMessage

from edge.drivers.links.base import Arrival, Inbox, Link, Monotonic
from edge.drivers.links.chirpstack_events import Note, parse_event
from edge.drivers.links.mqtt_source import Broker, Subscription, subscribed

log = logging.getLogger(__name__)


class ChirpStackConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="chirpstack"
):
    """A `[[link]]` section of kind `chirpstack`. Let ChirpStack's MQTT integration publish at QoS 1 (`qos=1`)."""

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
    topic: Annotated[str, Meta(min_length=1)] = "application/+/device/+/event/+"

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
        )


class ChirpStackLink(Link):
    """One subscription. A broker that goes away ends `run` with `LinkError`; run again, it resumes its session."""

    kind = "chirpstack"

    def __init__(self, config: ChirpStackConfig, clock: Monotonic) -> None:
        super().__init__(config.name)
        self._config = config
        self._clock = clock

    async def run(self, inbox: Inbox) -> None:
        """See `Link.run`. Raises `LinkError` when the broker is away, refuses us or does not let us subscribe."""
        async with subscribed(self.name, self._config.broker, self._config.topic) as subscription:
            self.opened.set()
            while True:
                await self._pass_on(subscription, await subscription.next(), inbox)

    async def _pass_on(self, subscription: Subscription, message: MQTTMessage, inbox: Inbox) -> None:
        """Hand over what a message says; the last of it carries the acknowledgement."""
        parsed = parse_event(message.topic, bytes(message.payload), self._clock.monotonic_ms())
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
