"""A store of the thinnest kind, as a process of its own: it confirms in batches, as ingest does, and keeps nothing.

`python -m tests.bench.confirming HOST PORT`, until it is ended. So the sender's processor time is the sender's alone.
"""

import sys
from time import monotonic
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge import messages
from edge.messages import Epoch, Flow, GatewayName, SeqRange, Stored

TOGETHER = 100
"""Confirmed in one answer at most."""
ANSWER_S = 0.05
"""At most so long after a message."""
CLIENT_ID = "confirming"
Sender = tuple[str, str]


class Confirming:
    """Answers `stored` for every flow message, many at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=CLIENT_ID, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.on_message = self._received
        self._client.connect(host, port)
        self._client.subscribe(messages.topic("+", "flow"), qos=1)
        self._answered_s = monotonic()
        self._seqs: dict[Sender, list[int]] = {}

    def run(self) -> None:
        """Serve until the broker goes."""
        while self._client.loop(timeout=ANSWER_S) == mqtt.MQTT_ERR_SUCCESS:
            if monotonic() - self._answered_s >= ANSWER_S:
                self._answer()

    def _received(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        flow = messages.decode(message.topic, bytes(message.payload))
        if isinstance(flow, Flow):
            seqs = self._seqs.setdefault((flow.gateway, flow.epoch), [])
            seqs.append(flow.seq)
            if len(seqs) >= TOGETHER:
                self._answer()

    def _answer(self) -> None:
        for (gateway, epoch), seqs in self._seqs.items():
            stored = Stored(gateway=GatewayName(gateway), epoch=Epoch(epoch), ranges=(SeqRange(min(seqs), max(seqs)),))
            self._client.publish(messages.topic_of(stored), messages.encode(stored), qos=1)
        self._seqs.clear()
        self._answered_s = monotonic()


if __name__ == "__main__":
    Confirming(sys.argv[1], int(sys.argv[2])).run()
