"""A gateway that minds no window, as a process of its own: it publishes as fast as the broker takes it, unconfirmed.

`python -m tests.bench.flooding HOST PORT NAME`, until it is ended.
"""

import sys
from itertools import count

from paho.mqtt.client import MQTT_ERR_SUCCESS, Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.messages import encode, topic_of
from tests.bench.fleet import flow

IN_FLIGHT = 20
"""Without PUBACK: what mosquitto asks for."""


def flood(host: str, port: int, name: str) -> None:
    """Publish until the broker goes."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"flooding-{name}", protocol=MQTTProtocolVersion.MQTTv5)
    seqs = count(1)

    def publish_next() -> None:
        message = flow(name, next(seqs))
        client.publish(topic_of(message), encode(message), qos=1)

    client.on_publish = lambda *_: publish_next()
    client.connect(host, port)
    for _ in range(IN_FLIGHT):
        publish_next()
    while client.loop() == MQTT_ERR_SUCCESS:
        pass


if __name__ == "__main__":
    flood(sys.argv[1], int(sys.argv[2]), sys.argv[3])
