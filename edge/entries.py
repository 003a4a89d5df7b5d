"""What an outbox holds: messages on their way, and observations that wait for the time. Values only."""

from msgspec import Struct


class Entry(Struct, frozen=True):
    """One message as it waits to be published."""

    seq: int
    topic: str
    retain: bool
    body: bytes


class Waiting(Struct, frozen=True):
    """An observation that waits until the wall-clock time is known."""

    session: str
    """The run of the monotonic clock that `heard_ms` belongs to (`Clock.session`)."""
    heard_ms: int
    device: str
    body: bytes
    id: int = 0
    """Given by the outbox; 0 before."""
