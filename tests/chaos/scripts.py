"""The stories of a rival's losses, told to us: so many messages, one fault, and nothing drawn.

In comes a site and the number of messages, out go their frames and the fault, in the order that the story wants, and
what happened, counted by kind.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from edge.messages import MOST_UNCONFIRMED
from tests.chaos.site import Site, until
from tests.chaos.window import most_unacknowledged

BLACK_HOLE_S = 30.0
SPEAKERS = 5
AWAY_S = 30.0
INGEST = "passerelle-ingest-1"
STARTS = 3
"""On a read-only disk, as systemd would, until somebody has seen to it."""
FREED_WITHIN_S = 180.0
"""The gateway tries a disk again after at most a minute."""
MOST_GROWN_MB = 128
"""What the messages that it holds, their attempts and all that the program loads when it first meets them may take."""
MOST_HELD = 2 * MOST_UNCONFIRMED
"""All that one gateway may have out, in the commit that fails, and once more where they wait for the next."""
MOST_LATER_MB = 8
"""The store away for an hour takes no more than for a minute."""


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
    halves = []
    for _ in range(2):
        await _all_said(site, messages // 2)
        await asyncio.sleep(AWAY_S)
        halves.append(api.memory_mb())
    held = most_unacknowledged(site.city.log, INGEST)
    await asyncio.to_thread(influx.start)
    grown_mb, later_mb = halves[1] - before_mb, halves[1] - halves[0]
    measured = (
        f"ingest grew by {grown_mb} MB of {MOST_GROWN_MB}, by {later_mb} MB of {MOST_LATER_MB} while the second half"
        f" waited, and held {held} messages of {MOST_HELD}, at most"
    )
    if grown_mb > MOST_GROWN_MB or later_mb > MOST_LATER_MB or held > MOST_HELD:
        raise MemoryError(measured)
    return Told(Counter({"store away": 1}), measured)


async def _full_card(site: Site, messages: int) -> Told:
    """What cannot be made durable is said, and nobody acknowledges it."""
    site.disk.fill()
    _say(site, messages // 2)
    await _refused(site)
    await site.gateway.kill()
    site.gateway.start()
    site.disk.fill()
    await until(lambda: "check the disk" in site.gateway.said_since_start, "a start that says that the disk is full")
    site.disk.free()
    await site.gateway.start_if_ended()
    await until(lambda: not site.unheard(), "every message in the gateway", FREED_WITHIN_S)
    faults = Counter({"card full": 1, "gateway killed": 1})
    return Told(faults + await _read_only_card(site, messages // 2) if site.disk.can_be_read_only else faults)


async def _read_only_card(site: Site, messages: int) -> Counter[str]:
    site.disk.give_up()
    _say(site, messages)
    await _refused(site)
    await site.gateway.kill()
    for _ in range(STARTS):
        site.gateway.start()
        _one_line(await site.gateway.last_words(), "Read-only file system")
    await asyncio.to_thread(site.disk.repair)
    site.gateway.start()
    return Counter({"card read-only": 1, "gateway killed": 1})


async def _refused(site: Site) -> None:
    await until(lambda: "cannot use the outbox" in site.gateway.said_since_start, "a gateway that says what is wrong")


def _one_line(said: str, about: str) -> None:
    if len(said.splitlines()) != 1 or about not in said:
        raise AssertionError(f"expected one line about {about!r}, got {said!r}")


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
    "full card": _full_card,
}
