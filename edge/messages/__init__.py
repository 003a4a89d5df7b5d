"""The contract: every message that crosses MQTT, its topic and its schema. The cloud imports this and nothing else.

In come bytes and topics, out come frozen values, or one `MessageError` that names what is wrong. All times are UTC.
A fact is never changed: (gateway, epoch, device, channel, mode, start, part) names a flow part for ever.
"""

from edge.messages.base import (
    HOUR_S,
    MAX_BATCH,
    MAX_MESSAGE_BYTES,
    ROOT,
    SCHEMA,
    Count,
    Epoch,
    GatewayName,
    Message,
    Name,
    TimeSource,
    Utc,
)
from edge.messages.command import CapturedFrame, Command, CommandResult
from edge.messages.configuration import (
    CountedLine,
    Desired,
    DeviceSettings,
    ModelInfo,
    Models,
    RefusedSetting,
    Reported,
)
from edge.messages.device import DeviceHealth, HealthReport, Heard, HeardDevice
from edge.messages.dropped import Dropped, Limit, Trimmed
from edge.messages.flow import FLOWS_PER_MESSAGE, Flag, Flow, FlowInterval, IntervalSeconds
from edge.messages.space import Space, SpaceState
from edge.messages.status import CLOCK_TRUSTED, LinkHealth, Status
from edge.messages.stored import MOST_UNCONFIRMED, SeqRange, Stored
from edge.messages.topics import RETAINED, AnyMessage, MessageError, OutboxMessage, gateway_of, kind_of, topic, topic_of
from edge.messages.wire import decode, encode

__all__ = [
    "CLOCK_TRUSTED",
    "FLOWS_PER_MESSAGE",
    "HOUR_S",
    "MAX_BATCH",
    "MAX_MESSAGE_BYTES",
    "MOST_UNCONFIRMED",
    "RETAINED",
    "ROOT",
    "SCHEMA",
    "AnyMessage",
    "CapturedFrame",
    "Command",
    "CommandResult",
    "Count",
    "CountedLine",
    "Desired",
    "DeviceHealth",
    "DeviceSettings",
    "Dropped",
    "Epoch",
    "Flag",
    "Flow",
    "FlowInterval",
    "GatewayName",
    "HealthReport",
    "Heard",
    "HeardDevice",
    "IntervalSeconds",
    "Limit",
    "LinkHealth",
    "Message",
    "MessageError",
    "ModelInfo",
    "Models",
    "Name",
    "OutboxMessage",
    "RefusedSetting",
    "Reported",
    "SeqRange",
    "Space",
    "SpaceState",
    "Status",
    "Stored",
    "TimeSource",
    "Trimmed",
    "Utc",
    "decode",
    "encode",
    "gateway_of",
    "kind_of",
    "topic",
    "topic_of",
]
