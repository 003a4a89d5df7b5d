"""What changes in the registry's store reaches the running API: within seconds, without a restart.

In comes the store's revision, asked for again and again; out goes another snapshot to the one holder, with what is
known of the devices that stay. Devices that are new to it are asked about: the broker and the store know their last
word. While the store does not answer, the last snapshot stands.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from cloud_api.feed import ZoneFeed
from cloud_api.live import Live
from cloud_api.registry.current import CurrentRegistry, read_current
from cloud_api.registry.database import RegistryError
from cloud_api.registry.store import RegistryStore

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
RETRY_S: Final = 10.0


async def reload_registry(
    store: RegistryStore,
    current: CurrentRegistry,
    *,
    live: Live,
    feed: ZoneFeed,
    recall: Callable[[], Awaitable[None]],
    clock: Callable[[], datetime],
) -> None:
    """Reload until cancelled. `recall` brings the last words of devices that were not known before."""
    async with asyncio.TaskGroup() as recalls:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                found = await asyncio.to_thread(_news, store, current.revision)
            except RegistryError as error:
                log.warning("the registry is not read, next attempt in %g s: %s", RETRY_S, error)
                await asyncio.sleep(RETRY_S)
                continue
            if found is None:
                continue
            before = current.replace(found)
            live.forget_unknown()
            feed.look(clock())
            log.info("the registry is at revision %d", current.revision)
            if current.now.installed - before.installed:
                recalls.create_task(_run(recall))


async def _run(recall: Callable[[], Awaitable[None]]) -> None:
    await recall()


def _news(store: RegistryStore, seen: int) -> CurrentRegistry | None:
    """The registry, if it changed since a revision was seen."""
    return None if store.revision() == seen else read_current(store)
