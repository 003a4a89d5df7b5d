"""How a gateway and its links do."""

from msgspec import Struct, field

from edge.messages.base import Message, Name, Utc, Whole

CLOCK_TRUSTED = "trusted"
"""What a gateway says of its clock while it believes it."""


class LinkHealth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one link does."""

    name: Name
    kind: str
    state: str
    """`up`, `starting`, or `down: ` and why."""
    frames: Whole = 0
    """Frames taken in since the gateway started."""
    restarts: Whole = 0
    refused: dict[str, Whole] = field(default_factory=dict)
    """What was refused since the gateway started, counted by the name of the error."""


class Status(Message, frozen=True, kw_only=True):
    """How the gateway does; its `online: false` twin is the last will."""

    kind = "status"
    online: bool
    at: Utc | None = None
    """When it was written; None in the last will and before the clock is trusted."""
    version: str = ""
    clock: str = "unknown"
    """`trusted`, or why it is not."""
    queued: Whole = 0
    """Messages in the outbox that the store has not confirmed."""
    disk_free_bytes: Whole | None = None
    """Free on the disk of the outbox; None where that cannot be told."""
    disk_size_bytes: Whole | None = None
    """Size of that disk."""
    links: tuple[LinkHealth, ...] = ()
    counters: dict[str, Whole] = field(default_factory=dict)
    """Further counts since the gateway started, by name (`duplicates`, `heard`, `publish_refused`, …)."""
