"""The stories of a rival's losses, told to us: so many messages, one fault, and nothing drawn.

In comes a site and the number of messages, out go their frames and the fault, in the order that the story wants, and
what happened, counted by kind.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.site import Site, until

BLACK_HOLE_S = 30.0
SPEAKERS = 5
AWAY_S = 30.0
MOST_GROWN_MB = 64
"""What 500 messages and their attempts may take; the store away for an hour takes no more than for a minute."""


@dataclass(frozen=True, slots=True)
class Told:
    """What happened in a story."""

    faults: Counter[str]
    """By kind."""
    measured: str = ""
    """What it measured, in words."""


async def _outage(site: Site, messages: int) -> Told:
    site.lines["uplink"].cut()
    await _all_said(site, messages)
    await site.gateway.kill()
    site.gateway.start()
    site.lines["uplink"].heal()
    return Told(Counter({"uplink away": 1, "gateway killed": 1}))


async def _sigterm(site: Site, messages: int) -> Told:
    site.lines["uplink"].cut()
    await _all_said(site, messages)
    await site.gateway.stop()
    site.gateway.start()
    site.lines["uplink"].heal()
    return Told(Counter({"uplink away": 1, "gateway stopped": 1}))


async def _dark_boot(site: Site, messages: int) -> Told:
    await site.gateway.stop()
    site.lines["uplink"].cut()
    site.gateway.start()
    await _all_said(site, messages)
    site.lines["uplink"].heal()
    return Told(Counter({"booted without uplink": 1}))


async def _black_hole(site: Site, messages: int) -> Told:
    site.lines["uplink"].swallow()
    _say(site, messages)
    await asyncio.sleep(BLACK_HOLE_S)
    site.lines["uplink"].heal()
    return Told(Counter({"line black-holed": 1}))


async def _one_device(site: Site, messages: int) -> Told:
    reports = [site.town.bursting.report(site.draws) for _ in range(messages)]
    site.publish(reports)
    return Told(Counter({"burst": 1}))


async def _store_away(site: Site, messages: int) -> Told:
    """Ingest may hold what it has unacknowledged at the broker and no more, however much waits in the gateway."""
    (api,), influx = site.apis.values(), site.influx
    if influx is None:
        raise ValueError("this site keeps its history in SQLite")
    before_mb = api.memory_mb()
    await asyncio.to_thread(influx.kill)
    await _all_said(site, messages)
    await asyncio.sleep(AWAY_S)
    grown_mb = api.memory_mb() - before_mb
    await asyncio.to_thread(influx.start)
    if grown_mb > MOST_GROWN_MB:
        raise MemoryError(f"ingest grew by {grown_mb} MB while {site.queued()} messages waited for the store")
    return Told(Counter({"store away": 1}), f"ingest grew by {grown_mb} MB")


def _say(site: Site, messages: int) -> None:
    for _ in range(messages // SPEAKERS):
        site.publish([sensor.report(site.draws) for sensor in site.town.steady])


async def _all_said(site: Site, messages: int) -> None:
    """Return when the gateway has all of it, durable."""
    _say(site, messages)
    await until(lambda: not site.unheard(), "every message in the gateway")


STORIES: dict[str, Callable[[Site, int], Awaitable[Told]]] = {
    "outage": _outage,
    "sigterm": _sigterm,
    "dark boot": _dark_boot,
    "black hole": _black_hole,
    "one device": _one_device,
    "store away": _store_away,
}
