"""Which message travels on which topic."""

from edge.messages.base import ROOT
from edge.messages.command import Command, CommandResult
from edge.messages.configuration import Desired, Models, Reported
from edge.messages.device import HealthReport, Heard
from edge.messages.dropped import Dropped
from edge.messages.flow import Flow
from edge.messages.space import Space
from edge.messages.status import Status
from edge.messages.stored import Stored

OutboxMessage = Flow | Space | HealthReport | Heard | Dropped
"""What ingest takes in. All but `Heard` go through the outbox and are forgotten only when stored; who was heard and not
adopted is told again soon enough, and spares the SD card (its `seq` is 0)."""
AnyMessage = OutboxMessage | Status | Models | Desired | Reported | Stored | Command | CommandResult
_SUFFIXES: dict[str, type[AnyMessage]] = {
    "status": Status,
    "models": Models,
    "flow": Flow,
    "space": Space,
    "health": HealthReport,
    "heard": Heard,
    "dropped": Dropped,
    "config/desired": Desired,
    "config/reported": Reported,
    "stored": Stored,
    "command": Command,
    "result": CommandResult,
}
KINDS = tuple(_SUFFIXES.values())
"""Every kind of message."""
_PER_DEVICE = {"space", "health"}
RETAINED: frozenset[type[AnyMessage]] = frozenset({Status, Models, Space, HealthReport, Desired, Reported})


class MessageError(Exception):
    """A message that is not what the contract says."""

    def __init__(self, name: str, topic: str, reason: str) -> None:
        self.name = name
        """What it counts under: `not-json`, `newer-schema`, `unknown-topic`, `too-large`, `invalid`, `wrong-sender`."""
        self.topic = topic
        self.reason = reason
        super().__init__(f"{name} on {topic}: {reason}")


def topic_of(message: AnyMessage) -> str:
    """The topic a message travels on."""
    suffix = next(suffix for suffix, type_ in _SUFFIXES.items() if type_ is type(message))
    return topic(message.gateway, suffix, _device_of(message))


def topic(gateway: str, suffix: str, device: str | None = None) -> str:
    """`passerelle/1/{gateway}/{suffix}[/{device}]`; `+` is welcome in either place for subscriptions."""
    tail = "" if device is None else "/" + (device if device == "+" else _level(device))
    return f"{ROOT}/{gateway}/{suffix}{tail}"


def gateway_of(topic: str) -> str:
    """Whose a topic is, or for whom; of any that a subscription to the contract's topics brings."""
    return topic.split("/", 3)[2]


def kind_of(topic: str) -> type[AnyMessage]:
    """What kind of message travels on a topic. Raises `MessageError` where none does."""
    return parse_topic(topic)[1]


def parse_topic(topic: str) -> tuple[str, type[AnyMessage]]:
    """Whose a topic is and what travels on it. Raises `MessageError` where nothing does."""
    levels = topic.split("/")
    if "/".join(levels[:2]) != ROOT or len(levels) < 4:
        raise MessageError("unknown-topic", topic, f"expected {ROOT}/GATEWAY/…")
    suffix = levels[3] if levels[3] in _PER_DEVICE and len(levels) == 5 else "/".join(levels[3:])
    kind = _SUFFIXES.get(suffix)
    if kind is None or (suffix in _PER_DEVICE and len(levels) != 5):
        raise MessageError("unknown-topic", topic, "no such message in the contract")
    return levels[2], kind


def _device_of(message: AnyMessage) -> str | None:
    if isinstance(message, Space):
        return message.states[0].device
    if isinstance(message, HealthReport):
        return message.health.device
    return None


def _level(device: str) -> str:
    """A device address as one topic level: what MQTT reserves is written as a hyphen."""
    return "".join("-" if character in "/+#" else character for character in device)
