"""Editions of events that the office named, as they are kept and as reports read them.

An edition counts from its moment until the next one of the same event; one without a body withdraws the event. So a
report as of a date knows what was known then. What the calendar's file says is kept among them, as an event of its own.
What a body says is its writer's business; here it is JSON.
"""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct

CALENDAR: Final = "calendar"
"""The editions of the calendar's file are this event's."""


class EventEdition(Struct, frozen=True, kw_only=True):
    """What was written of an event at one moment."""

    number: int
    """Later editions, of this event or another, have higher ones."""
    event: str
    """Which event: 16 hexadecimal digits, or `CALENDAR`; the same in all its editions."""
    at: datetime
    """UTC; later than that of every edition with a lower number."""
    who: str
    body: dict[str, Any] | None
    """None: withdrawn."""
