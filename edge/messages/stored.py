"""What the store has committed: only then does an outbox forget."""

from typing import Annotated

from msgspec import Meta, Struct

from edge.messages.base import MAX_BATCH, Message, Positive

MOST_UNCONFIRMED = 1_000
"""So many messages of a gateway may be out without `stored`: several commits' worth. Ingest lets go of what is beyond,
without an answer."""


class SeqRange(Struct, frozen=True, array_like=True):
    """Sequence numbers from `first` to `last`, both included."""

    first: Positive
    last: Positive


class Stored(Message, frozen=True, kw_only=True):
    """Cloud to edge: what of this epoch the store has committed. Only then does the outbox forget."""

    kind = "stored"
    ranges: Annotated[tuple[SeqRange, ...], Meta(max_length=MAX_BATCH)]
