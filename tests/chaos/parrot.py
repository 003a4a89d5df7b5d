"""Somebody at the city's broker who says again, ten times and in any order, what gateways said.

In comes a broker, out go its own messages. It never changes one.
"""

import threading
from random import Random

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge import messages
from tests.broker import Mosquitto

TIMES = 10
MOST_REPEATED = 50
LEAVES_WITHIN_S = 20.0


def repeat_ten_times(broker: Mosquitto, listening_s: float, draws: Random) -> None:
    """Listen for so long, then repeat. Blocks. Raises `OSError` when the broker is away."""
    heard: list[tuple[str, bytes]] = []
    never = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = lambda _client, _data, message: _keep(heard, message)
    client.connect(broker.host, broker.port)
    client.subscribe([(messages.topic("+", "flow"), 1), (messages.topic("+", "space", "+"), 1)])
    client.loop_start()
    never.wait(listening_s)
    client.unsubscribe([messages.topic("+", "flow"), messages.topic("+", "space", "+")])
    again = heard[-MOST_REPEATED:] * TIMES
    draws.shuffle(again)
    sent = [client.publish(topic, body, qos=1) for topic, body in again]
    for each in sent:
        each.wait_for_publish(LEAVES_WITHIN_S)
    client.disconnect()
    client.loop_stop()


def _keep(heard: list[tuple[str, bytes]], message: MQTTMessage) -> None:
    heard.append((message.topic, bytes(message.payload)))
