"""The simulated town's time: it starts where one likes and runs as fast as one likes.

In comes real time, out comes simulated UTC. It never runs back, and waiting on it never wakes up early.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the town lives by."""

    def now(self) -> datetime:
        """Simulated UTC."""

    async def sleep_until(self, moment: datetime) -> None:
        """Return once `now()` is `moment` or later; at once when it is already."""


class ScaledClock:
    """Simulated time that runs at a constant multiple of real time from one point on which both agree."""

    def __init__(
        self,
        origin: datetime | None = None,
        speed: float = 1.0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        real_origin: float | None = None,
    ) -> None:
        """Be `origin` (default: the present) at `real_origin` seconds of `monotonic` (default: now).

        `speed` is simulated seconds per real second, above 0. Raises `ValueError` for one that is not, and for an
        origin without a zone.
        """
        if not speed > 0:
            raise ValueError(f"speed {speed}: more than 0 expected")
        if origin is not None and origin.tzinfo is None:
            raise ValueError(f"origin {origin}: a time with its zone expected")
        self.origin = (origin or datetime.now(UTC)).astimezone(UTC)
        self.speed = speed
        self._monotonic = monotonic
        self._real_origin = monotonic() if real_origin is None else real_origin

    def now(self) -> datetime:
        """Simulated UTC."""
        return self.origin + timedelta(seconds=(self._monotonic() - self._real_origin) * self.speed)

    async def sleep_until(self, moment: datetime) -> None:
        """Return once `now()` is `moment` or later."""
        left = (moment - self.now()).total_seconds()
        if left > 0:
            await asyncio.sleep(left / self.speed)
            await self.sleep_until(moment)
