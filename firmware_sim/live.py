"""The living town: every sensor speaks when its time has come, through a peer for each link.

In come the town, a clock and the peers, out go uplinks, each at its own moment or as soon after as the machine can.
It must never be early, never leave one out, and never let one slow link hold up the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from firmware_sim.clock import Clock
from firmware_sim.sensors import Span, Uplink, latest, uplinks
from firmware_sim.town import Link, Town

Peer = Callable[[Uplink], Awaitable[None]]
"""Puts one uplink on its way."""
FOR_EVER = datetime(9000, 1, 1, tzinfo=UTC)


async def run_town(town: Town, clock: Clock, peers: Mapping[Link, Peer], stop: asyncio.Event) -> None:
    """Let the sensors of all links that have a peer speak until `stop` is set.

    First each says its last word again, as radios do, so that a listener knows the present at once. An error of a peer
    ends the town, with an `ExceptionGroup`.
    """
    start = clock.now()
    async with asyncio.TaskGroup() as group:
        talking = [group.create_task(_talk(town, clock, link, peer, start)) for link, peer in peers.items()]
        await stop.wait()
        for task in talking:
            task.cancel()


async def _talk(town: Town, clock: Clock, link: Link, peer: Peer, start: datetime) -> None:
    for uplink in latest(town, start, frozenset({link})):
        await peer(uplink)
    for uplink in uplinks(Span(town, start, FOR_EVER), frozenset({link})):
        await clock.sleep_until(uplink.at)
        await peer(uplink)
        await asyncio.sleep(0)  # a peer that never waits must let the others have their turn
