"""Retention: how long counts are kept by themselves before only their hourly sums are, and the task that sees to it.

In come a policy, a store and a clock; out goes what is older, some at a time. Hours are kept for ever, unless told.
"""

import asyncio
import logging
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cloud_api.settings import ConfigError
from cloud_api.stores.base import StoreError
from cloud_api.stores.lasting import LastingStore, Trimmed

log = logging.getLogger(__name__)

FOR_EVER: Final = "ever"
LEAST_MONTHS: Final = 2
"""What is younger is still looked at by itself: forecasts learn from eight weeks."""
MOST_MONTHS: Final = 1200
EVERY_S: Final = 6 * 3600.0
SOON_S: Final = 15 * 60.0
"""Before the next run while there is more to do: InfluxDB's writers know by then what was announced."""


def parse_months(option: str, text: str) -> int | None:
    """How many months, or None for ever. Raises `ConfigError`."""
    if text == FOR_EVER:
        return None
    if not text.isdecimal() or not LEAST_MONTHS <= int(text) <= MOST_MONTHS:
        raise ConfigError(f"{option} {text!r}: {LEAST_MONTHS} to {MOST_MONTHS} months, or {FOR_EVER!r}, expected")
    return int(text)


def months_before(now: datetime, months: int) -> datetime:
    """Midnight, UTC, of the day so many calendar months ago; of the month's last where it has no such day."""
    today = now.astimezone(UTC)
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return datetime(year, month + 1, min(today.day, monthrange(year, month + 1)[1]), tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Policy:
    """Months, each None for ever: how long counts are kept by themselves, and how long their hourly sums."""

    raw: int | None = None
    hours: int | None = None


def parse_policy(keep_raw: str, keep_hours: str) -> Policy:
    """What `--keep-raw` and `--keep-hours` say. Raises `ConfigError`."""
    policy = Policy(parse_months("--keep-raw", keep_raw), parse_months("--keep-hours", keep_hours))
    if policy.hours is not None and (policy.raw is None or policy.raw > policy.hours):
        raise ConfigError("--keep-hours: hourly sums are kept at least as long as what they are made of (--keep-raw)")
    return policy


def apply(policy: Policy, store: LastingStore, now: datetime) -> Trimmed:
    """Let go what is older, and sum up what stays, as much as one run may. Blocks. Raises `StoreError`."""
    if policy.hours is not None:
        store.forget(months_before(now, policy.hours), now=now)
    unsettled = store.settle(now)
    if policy.raw is None:
        return Trimmed(parts=0, more=unsettled)
    done = store.trim(months_before(now, policy.raw), now=now)
    return Trimmed(parts=done.parts, more=done.more or unsettled)


async def keep_to(policy: Policy, store: LastingStore, clock: Callable[[], datetime]) -> None:
    """Let go again and again, until cancelled. Any number of processes may do so on one store."""
    while True:
        pause_s = SOON_S
        try:
            done = await asyncio.to_thread(apply, policy, store, clock())
        except StoreError as error:
            log.warning("nothing is trimmed, next attempt in %g s: %s", SOON_S, error)
        else:
            pause_s = SOON_S if done.more else EVERY_S
            if done.parts:
                log.info("%d counts older than %s months are hourly sums now", done.parts, policy.raw)
        await asyncio.sleep(pause_s)
