"""The keys that are good, at hand on the event loop; and when each was last used.

In come the registry's keys, read again every few seconds; out goes the key of a text, or None. Uses are written down
once a minute.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from cloud_api.registry.errors import RegistryError
from cloud_api.registry.keys import AccessKey, Digest, KeyStore, digest_of

log = logging.getLogger(__name__)

EVERY_S: Final = 2.0
"""So soon a new key opens, and a revoked one does not."""
RETRY_S: Final = 10.0
NOTED_EVERY_S: Final = 60.0


class Keyring:
    """Guards that a key opens nothing once it is revoked or has expired. Belongs to the event loop."""

    def __init__(self, store: KeyStore, clock: Callable[[], datetime]) -> None:
        """Blocks. Raises `RegistryError`."""
        self._store = store
        self._clock = clock
        self._keys = _by_digest(store.all())
        self._used: dict[str, datetime] = {}

    def find(self, secret: str) -> AccessKey | None:
        """The key of this text, if it is good now."""
        key, now = self._keys.get(digest_of(secret)), self._clock()
        if key is None or not key.opens_at(now):
            return None
        self._used[key.id] = now
        return key

    def add(self, key: AccessKey) -> None:
        """Know a key that was made here a moment ago."""
        self._keys = {**self._keys, key.digest: key}

    def drop(self, secret: str) -> None:
        """Forget a key that was revoked here a moment ago."""
        self._keys = {digest: key for digest, key in self._keys.items() if digest != digest_of(secret)}

    async def watch(self) -> None:
        """Read the keys again and again, and write down their use, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            tasks.create_task(self._note())

    async def _read(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.read()
            except RegistryError as error:
                log.warning("the keys are not read, next attempt in %g s: %s", RETRY_S, error)
                await asyncio.sleep(RETRY_S)

    async def read(self) -> None:
        """Read the keys; what was made or revoked here meanwhile is not in them, and read the next time.

        Raises `RegistryError`.
        """
        before = self._keys
        read = _by_digest(await asyncio.to_thread(self._store.all))
        if self._keys is before:
            self._keys = read

    async def _note(self) -> None:
        while True:
            await asyncio.sleep(NOTED_EVERY_S)
            await self.note_use()

    async def note_use(self) -> None:
        """Write down when keys were last used; where that fails, they are noted the next time."""
        used, self._used = self._used, {}
        try:
            await asyncio.to_thread(self._store.used, used)
        except RegistryError as error:
            self._used = used | self._used
            log.warning("the last use of keys is not noted: %s", error)


def _by_digest(keys: Iterable[AccessKey]) -> Mapping[Digest, AccessKey]:
    return {key.digest: key for key in keys}
