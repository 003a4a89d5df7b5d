"""ChirpStack link: uplinks and device events of a ChirpStack v4 server, from its MQTT broker.

In come JSON documents, out come frames and reports, acknowledged once they are durable. It never publishes.
"""

from typing import Annotated

from msgspec import Meta

from edge.drivers.links.base import Monotonic
from edge.drivers.links.chirpstack_events import parse_event
from edge.drivers.links.network_server import NetworkServerLink, ServerConfig


class ChirpStackConfig(
    ServerConfig, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="chirpstack"
):
    """A `[[link]]` section of kind `chirpstack`. Let ChirpStack's MQTT integration publish at QoS 1 (`qos=1`)."""

    topic: Annotated[str, Meta(min_length=1)] = "application/+/device/+/event/+"


class ChirpStackLink(NetworkServerLink):
    """All devices of the applications that its topic names."""

    kind = "chirpstack"

    def __init__(self, config: ChirpStackConfig, clock: Monotonic) -> None:
        super().__init__(config, clock, parse_event)
