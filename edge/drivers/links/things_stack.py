"""The Things Stack link: uplinks and joins of an application, from the MQTT server of a The Things Stack v3 cluster.

In come JSON documents, out come frames and reports. The server keeps nothing for us while we are away: devices that
send totals lose nothing by it, a broker between that bridges it at QoS 1 keeps the rest. It never publishes.
"""

from typing import Annotated, ClassVar

from msgspec import Meta
from paho.mqtt.enums import MQTTProtocolVersion

from edge.drivers.links.base import Monotonic
from edge.drivers.links.network_server import NetworkServerLink, ServerConfig
from edge.drivers.links.things_stack_events import parse_event


class TtsConfig(
    ServerConfig, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="things-stack"
):
    """A `[[link]]` section of kind `things-stack`.

    `username` is `application@tenant` (`@ttn` on The Things Network, no tenant on an open-source installation), the
    password an API key that may read the application's traffic. Port 8883 wants a `ca_file`.
    """

    protocol: ClassVar[MQTTProtocolVersion] = MQTTProtocolVersion.MQTTv311
    """The Things Stack speaks no other."""

    topic: Annotated[str, Meta(min_length=1)] = "v3/+/devices/+/#"


class ThingsStackLink(NetworkServerLink):
    """All devices of the application that its user name names."""

    kind = "things-stack"

    def __init__(self, config: TtsConfig, clock: Monotonic) -> None:
        super().__init__(config, clock, parse_event)
