"""How much a gateway may have out without `stored`: more while the cloud keeps up, half as much when it does not. Pure.

In come confirmations and what is missed, out comes a number of messages. As TCP finds out what a road takes (RFC 5681):
when a whole town comes back at once, a broker drops what is beyond its queue, and all that is sent again is in the way.
"""

from typing import Final

from edge.messages import MOST_UNCONFIRMED

FIRST: Final = 20
"""On a new connection, of which nothing is known yet; never fewer."""


class Allowance:
    """Guards that no more messages are out than `MOST_UNCONFIRMED`, nor than the cloud has lately kept up with."""

    def __init__(self) -> None:
        self._messages = float(FIRST)
        self._careful_from = float(MOST_UNCONFIRMED)
        """Below, each confirmation makes it larger by one; from here on, all that is out together does."""

    @property
    def messages(self) -> int:
        """So many may be out: from `FIRST` to `MOST_UNCONFIRMED`."""
        return int(self._messages)

    def confirmed(self, count: int) -> None:
        """So many more are stored."""
        more = count if self._messages < self._careful_from else count / self._messages
        self._messages = min(self._messages + more, MOST_UNCONFIRMED)

    def missed(self) -> None:
        """What was sent was not confirmed in time."""
        self._messages = self._careful_from = max(self._messages / 2, FIRST)
