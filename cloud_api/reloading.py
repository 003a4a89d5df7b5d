"""What changes in the registry's store reaches the running API: within seconds, without a restart.

In comes the store's revision, asked for again and again; out goes another snapshot to the one holder, with what is
known of the devices that stay. Devices that are new to it are asked about: the broker and the store know their last
word. While the store does not answer, the last snapshot stands.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime
from typing import Final

from cloud_api.feed import ZoneFeed
from cloud_api.live import Live
from cloud_api.registry.current import CurrentRegistry, read_current
from cloud_api.registry.errors import RegistryError
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
    recall: Callable[[], Coroutine[None, None, None]],
    clock: Callable[[], datetime],
) -> None:
    """Reload until cancelled. `recall` brings the last words of devices that were not known before."""
    async with asyncio.TaskGroup() as recalls:
        async for found in _changes(store, current):
            before = current.replace(found)
            live.forget_unknown()
            feed.look(clock())
            log.info("the registry is at revision %d", current.revision)
            if current.now.installed - before.installed:
                recalls.create_task(recall())


async def _changes(store: RegistryStore, current: CurrentRegistry) -> AsyncIterator[CurrentRegistry]:
    """Each snapshot that is another than the current one; trouble is told when it begins and when it is over."""
    trouble = False
    while True:
        await asyncio.sleep(RETRY_S if trouble else EVERY_S)
        try:
            found = await asyncio.to_thread(_news, store, current.revision)
        except RegistryError as error:
            if not trouble:
                log.warning("the registry is not read, the last snapshot stands: %s", error)
            trouble = True
            continue
        if trouble:
            log.info("the registry is read again")
        trouble = False
        if found is not None:
            yield found


def _news(store: RegistryStore, seen: int) -> CurrentRegistry | None:
    """The registry, if it changed since a revision was seen."""
    return None if store.revision() == seen else read_current(store)
