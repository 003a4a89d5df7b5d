"""The stories of a rival's losses, told to us: so many messages, one fault, and nothing drawn.

In comes a site and the number of messages, out go their frames and the fault, in the order that the story wants.
"""

import asyncio
from collections.abc import Awaitable, Callable

from tests.chaos.site import Site, until

BLACK_HOLE_S = 30.0
SPEAKERS = 5


async def _outage(site: Site, messages: int) -> None:
    site.lines["uplink"].cut()
    await _all_said(site, messages)
    await site.gateway.kill()
    site.gateway.start()
    site.lines["uplink"].heal()


async def _sigterm(site: Site, messages: int) -> None:
    site.lines["uplink"].cut()
    await _all_said(site, messages)
    await site.gateway.stop()
    site.gateway.start()
    site.lines["uplink"].heal()


async def _dark_boot(site: Site, messages: int) -> None:
    await site.gateway.stop()
    site.lines["uplink"].cut()
    site.gateway.start()
    await _all_said(site, messages)
    site.lines["uplink"].heal()


async def _black_hole(site: Site, messages: int) -> None:
    site.lines["uplink"].swallow()
    _say(site, messages)
    await asyncio.sleep(BLACK_HOLE_S)
    site.lines["uplink"].heal()


async def _one_device(site: Site, messages: int) -> None:
    reports = [site.town.bursting.report(site.draws) for _ in range(messages)]
    site.publish(reports)


def _say(site: Site, messages: int) -> None:
    for _ in range(messages // SPEAKERS):
        site.publish([sensor.report(site.draws) for sensor in site.town.steady])


async def _all_said(site: Site, messages: int) -> None:
    """Return when the gateway has all of it, durable."""
    _say(site, messages)
    await until(lambda: not site.unheard(), "every message in the gateway")


STORIES: dict[str, Callable[[Site, int], Awaitable[None]]] = {
    "outage": _outage,
    "sigterm": _sigterm,
    "dark boot": _dark_boot,
    "black hole": _black_hole,
    "one device": _one_device,
}
