"""What all messages share: limits, names, times, whose clock dated a value, and what every message carries."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, NewType

from msgspec import Meta, Struct, field

SCHEMA = 1
"""The schema version this code writes. A reader refuses newer ones by name."""
ROOT = f"passerelle/{SCHEMA}"
MAX_MESSAGE_BYTES = 256 * 1024
"""No message is larger; a reader refuses what is, unread."""
MAX_BATCH = 500
"""At most so many facts in one message."""
HOUR_S = 3600
GatewayName = NewType("GatewayName", str)
"""Lower-case letters, digits and hyphens, at most 63: it is part of topics."""
Epoch = NewType("Epoch", str)
"""16 hexadecimal digits drawn when an outbox file is created: with `seq` it names a message for ever."""
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Count = Annotated[int, Meta(ge=0, le=2**40)]
LARGEST = 2**63 - 1
"""What 64 bits hold, and so every store: JSON itself knows no largest number."""
Whole = Annotated[int, Meta(ge=0, le=LARGEST)]
Number = Annotated[int, Meta(ge=-LARGEST, le=LARGEST)]
Positive = Annotated[int, Meta(ge=1, le=LARGEST)]
Utc = Annotated[datetime, Meta(tz=True)]
"""A time with its zone; we write UTC."""


class TimeSource(StrEnum):
    """Whose clock dated a value."""

    DEVICE = "device"
    NETWORK = "network"
    GATEWAY = "gateway"


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every message carries."""

    kind: ClassVar[str]
    schema: Whole = field(default=0)
    """The schema version of the writer."""
    gateway: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")] = field()
    """Whose message it is (or whom it is for): the same as in the topic, which the broker's ACL guards."""
    epoch: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")] = field()
    """16 hexadecimal digits drawn when the gateway's outbox file was created."""
    seq: Whole = 0
    """Place in the outbox of that epoch, from 1; 0 for what does not go through it."""
