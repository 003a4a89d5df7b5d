"""What every answer about the present comes in: the envelope that GBFS taught everyone."""

from datetime import datetime
from typing import Final

from msgspec import Struct

VERSION: Final = "1.0"
"""Of the shape of the answers."""


class Envelope(Struct, frozen=True, kw_only=True, tag_field="version", tag=VERSION):
    """An answer about the present, with its version; what it is about is its `data`."""

    last_updated: datetime
    """As of when it is so, UTC."""
    ttl: int
    """How long this answer may be kept, in seconds."""
