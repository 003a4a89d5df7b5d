"""What an outbox at its limit let go of."""

from enum import StrEnum

from msgspec import field

from edge.messages.base import Message, Positive, Utc, Whole


class Trimmed(StrEnum):
    """What an outbox at its limit lets go of, in this order."""

    HEALTH = "health"
    """Reports of devices' health."""
    MERGED = "merged"
    """Messages with flow intervals, whose counts are merged into hours: none is lost."""
    SPACE = "space"
    """States of spaces that a newer one in the outbox supersedes."""
    FLOW = "flow"
    """Counts."""


class Limit(StrEnum):
    """Why an outbox lets something go."""

    DAYS = "days"
    """It had waited for too many days."""
    BYTES = "bytes"
    """The outbox had grown too large."""


class Dropped(Message, frozen=True, kw_only=True):
    """What the gateway let go of because its outbox had reached a limit."""

    kind = "dropped"
    what: Trimmed
    why: Limit
    messages: Positive
    """So many messages fewer in the outbox."""
    in_: Whole = field(name="in", default=0)
    """Passages lost in the devices' first direction."""
    out: Whole = 0
    """Passages lost in their second direction, where it is counted."""
    start: Utc = field(name="from")
    """The earliest moment that was told of."""
    end: Utc = field(name="to")
    """The latest."""
    perhaps_stored: Whole = 0
    """So many of the messages had been handed to the broker: what they tell may be stored nevertheless."""
