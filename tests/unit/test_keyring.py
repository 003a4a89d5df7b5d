"""Keys at hand: what was made or revoked here a moment ago holds, whatever was being read at that moment."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine

from cloud_api.keyring import Keyring
from cloud_api.registry.database import open_database
from cloud_api.registry.keys import AccessKey, KeyStore
from cloud_api.scopes import Scope
from tests.town import NOW, PATIENCE_S, Clock


class SlowKeys(KeyStore):
    """Keys that are read, and told only when a test lets them go."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.are_read, self.go_on = Event(), Event()
        self.go_on.set()

    def all(self) -> list[AccessKey]:
        """Reads, then waits."""
        keys = super().all()
        self.are_read.set()
        assert self.go_on.wait(PATIENCE_S)
        return keys


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[SlowKeys]:
    engine = open_database(str(tmp_path / "registry.db"))
    yield SlowKeys(engine)
    engine.dispose()


def test_a_key_that_is_made_while_the_keys_are_read_opens_at_once(keys: SlowKeys) -> None:
    async def sign_in_amid_a_reading() -> bool:
        keyring = Keyring(keys, Clock())
        keys.are_read.clear()
        keys.go_on.clear()
        reading = asyncio.create_task(keyring.read())
        await asyncio.to_thread(keys.are_read.wait, PATIENCE_S)
        key, secret = keys.create("Ada", [Scope.PROVISION], by="test", at=NOW)
        keyring.add(key)
        keys.go_on.set()
        await reading
        return keyring.find(secret) is not None

    assert asyncio.run(sign_in_amid_a_reading())


def test_a_key_that_is_revoked_while_the_keys_are_read_opens_nothing_any_more(keys: SlowKeys) -> None:
    key, secret = keys.create("Ada", [Scope.PROVISION], by="test", at=NOW)

    async def sign_out_amid_a_reading() -> bool:
        keyring = Keyring(keys, Clock())
        keys.are_read.clear()
        keys.go_on.clear()
        reading = asyncio.create_task(keyring.read())
        await asyncio.to_thread(keys.are_read.wait, PATIENCE_S)
        keys.revoke(key.id, by="test", at=NOW)
        keyring.drop(secret)
        keys.go_on.set()
        await reading
        return keyring.find(secret) is None

    assert asyncio.run(sign_out_amid_a_reading())
