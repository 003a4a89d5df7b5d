"""Hundreds of gateways on real MQTT connections, turned by one thread: they publish, and wait for `stored`.

What is not confirmed in time is sent again, as the gateway's publisher does.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from selectors import EVENT_READ, DefaultSelector
from time import monotonic

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge import messages
from edge.messages import Flow, FlowInterval, Stored, encode, topic_of
from edge.publisher import LONGEST_PATIENCE_S, PATIENCE_S
from tests.broker import Mosquitto
from tests.town import EPOCH, LINE

FACTS = 5
"""In one message."""
START = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(minutes=5)
AT_ONCE = 20
"""Messages of one gateway between two looks at the network."""
TURN_S = 0.005
TIDY_S = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one gateway sends."""

    every_s: float
    window: int
    """Messages that are out unconfirmed, at most."""


@dataclass(slots=True)
class _Waiting:
    begun_s: float
    again_s: float
    patience_s: float = PATIENCE_S


@dataclass(slots=True)
class Confirmed:
    """A message that is stored."""

    sent_s: float
    """By the monotonic clock."""
    waited_s: float


@dataclass
class Member:
    """One gateway."""

    name: str
    client: Client
    pace: Pace
    due_s: float
    seq: int = 0
    waiting: dict[int, _Waiting] = field(default_factory=dict)
    confirmed: list[Confirmed] = field(default_factory=list)
    subscribed: bool = False

    def send_what_is_due(self, now_s: float) -> None:
        """Publish the next messages that its pace allows."""
        for _ in range(AT_ONCE):
            if now_s < self.due_s or len(self.waiting) >= self.pace.window:
                return
            self.seq += 1
            self.due_s = max(self.due_s + self.pace.every_s, now_s - self.pace.every_s)
            self.waiting[self.seq] = _Waiting(now_s, now_s + PATIENCE_S)
            self._publish(self.seq)

    def send_again(self, now_s: float) -> None:
        """Publish once more what was not confirmed in time."""
        for seq, each in self.waiting.items():
            if now_s >= each.again_s:
                each.patience_s = min(2 * each.patience_s, LONGEST_PATIENCE_S)
                each.again_s = now_s + each.patience_s
                self._publish(seq)

    def take(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        """Take in an answer."""
        stored = messages.decode(message.topic, bytes(message.payload))
        assert isinstance(stored, Stored)
        now_s = monotonic()
        for part in stored.ranges:
            for seq in range(part.first, part.last + 1):
                if (each := self.waiting.pop(seq, None)) is not None:
                    self.confirmed.append(Confirmed(each.begun_s, now_s - each.begun_s))

    def _publish(self, seq: int) -> None:
        message = flow(self.name, seq)
        self.client.publish(topic_of(message), encode(message), qos=1)


class Fleet:
    """All gateways of a run."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self._tidy_s = monotonic()
        self._selector = DefaultSelector()
        for each in members:
            connection = each.client.socket()
            assert connection is not None
            self._selector.register(connection.fileno(), EVENT_READ, each.client)

    @property
    def sent(self) -> int:
        """Messages so far."""
        return sum(each.seq for each in self.members)

    def send_for(self, seconds: float) -> None:
        """Send, each at its pace."""
        end_s = monotonic() + seconds
        while (now_s := monotonic()) < end_s:
            for each in self.members:
                each.send_what_is_due(now_s)
            self._turn()

    def turn_until(self, condition: Callable[[], bool], patience_s: float) -> None:
        """Send nothing new until a condition holds. Raises `TimeoutError`."""
        end_s = monotonic() + patience_s
        while not condition():
            if monotonic() > end_s:
                waiting = sum(len(each.waiting) for each in self.members)
                raise TimeoutError(f"{waiting} messages are not confirmed after {patience_s:g} s")
            self._turn()

    def is_quiet(self) -> bool:
        """Whether all that was sent is confirmed."""
        return not any(each.waiting for each in self.members)

    def close(self) -> None:
        """Hang up."""
        self._selector.close()
        for each in self.members:
            each.client.disconnect()

    def _turn(self) -> None:
        for key, _ in self._selector.select(TURN_S):
            key.data.loop_read()
        for each in self.members:
            if each.client.want_write():
                each.client.loop_write()
        if (now_s := monotonic()) - self._tidy_s >= TIDY_S:
            self._tidy_s = now_s
            for each in self.members:
                each.client.loop_misc()
                each.send_again(now_s)


@contextmanager
def fleet(broker: Mosquitto, paces: Sequence[Pace]) -> Iterator[Fleet]:
    """One connected gateway for each pace, their first messages spread over it."""
    now_s = monotonic()
    members = [
        _joined(broker, f"gw-{number}", pace, now_s + pace.every_s * number / len(paces))
        for number, pace in enumerate(paces)
    ]
    it = Fleet(members)
    try:
        it.turn_until(lambda: all(each.subscribed for each in members), PATIENCE_S)
        yield it
    finally:
        it.close()


def flow(gateway: str, seq: int) -> Flow:
    """The n-th message of a gateway: its counters' next five minutes."""
    start = START + seq * STEP
    return Flow(gateway=gateway, epoch=EPOCH, seq=seq, intervals=tuple(_part(gateway, n, start) for n in range(FACTS)))


def device(gateway: str, number: int) -> str:
    """One of its counters."""
    return f"{gateway}-{number}"


def _part(gateway: str, number: int, start: datetime) -> FlowInterval:
    return FlowInterval(
        device=device(gateway, number),
        channel=LINE.name,
        mode=LINE.mode,
        start=start,
        seconds=300,
        in_=1,
        out=2,
        covered_s=300,
    )


def _joined(broker: Mosquitto, name: str, pace: Pace, due_s: float) -> Member:
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"bench-{name}", protocol=MQTTProtocolVersion.MQTTv5)
    member = Member(name, client, pace, due_s)
    client.on_connect = lambda it, *_: it.subscribe(messages.topic(name, "stored"), qos=1)
    client.on_subscribe = lambda *_: setattr(member, "subscribed", True)
    client.on_message = member.take
    client.connect(broker.host, broker.port)
    return member
