"""How a gateway and its links do."""

from typing import Annotated

from msgspec import Meta, Struct, field

from edge.messages.base import Message, Name, Utc

CLOCK_TRUSTED = "trusted"
"""What a gateway says of its clock while it believes it."""


class LinkHealth(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one link does."""

    name: Name
    kind: str
    state: str
    """`up`, `starting`, or `down: ` and why."""
    frames: int = 0
    """Frames taken in since the gateway started."""
    restarts: int = 0
    refused: dict[str, int] = field(default_factory=dict)
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
    queued: int = 0
    """Messages in the outbox that the store has not confirmed."""
    disk_free_bytes: Annotated[int, Meta(ge=0)] | None = None
    """Free on the disk of the outbox; None where that cannot be told."""
    disk_size_bytes: Annotated[int, Meta(ge=0)] | None = None
    """Size of that disk."""
    links: tuple[LinkHealth, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    """Further counts since the gateway started, by name (`duplicates`, `heard`, `publish_refused`, …)."""
