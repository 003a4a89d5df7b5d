"""The stream of counters tells the same as the answer, and only what changed."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cloud_api.flow_watch import FlowsNowAnswer, FlowWatch
from cloud_api.live import Live
from cloud_api.registry.current import CurrentRegistry
from cloud_api.settings import Settings
from cloud_api.stores.base import Channel, Passed, StoreError
from cloud_api.stores.sqlite import SqliteStore
from cloud_api.stream import HEARTBEAT
from tests.history import flow
from tests.town import LINE, NOW, REGISTRY, Clock


def test_listeners_get_all_counters_and_then_those_that_changed(tmp_path: Path) -> None:
    async def listen() -> list[bytes]:
        with closing(SqliteStore(tmp_path / "history.db")) as store:
            watch = _watch(store)
            await watch.read()
            with watch.stream.listen() as listener:
                events = listener.events()
                told = [await anext(events)]
                await watch.read()
                watch.stream.beat()
                told.append(await anext(events))
                store.write([flow(NOW - timedelta(minutes=5), in_=7, out=9, channel=LINE)])
                await watch.read()
                return [*told, await anext(events)]

    snapshot, nothing, changed = asyncio.run(listen())

    assert b"event: snapshot" in snapshot
    assert _data(snapshot)["data"]["counters"][0]["last_hour"]["in"] is None
    assert nothing == HEARTBEAT
    assert b"event: counter" in changed
    assert (_data(changed)["id"], _data(changed)["last_hour"]["in"]) == ("rue-haute", 7)


class StoreThatGoesAway(SqliteStore):
    """Answers until it does not."""

    is_away = False

    def intervals(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Passed]:
        """Raises `StoreError` once it is away."""
        if self.is_away:
            raise StoreError("away")
        return super().intervals(channels, start, end)


def test_the_last_hour_is_not_now_for_ever_while_the_store_is_away(tmp_path: Path) -> None:
    async def told() -> list[FlowsNowAnswer]:
        with closing(StoreThatGoesAway(tmp_path / "history.db")) as store:
            store.write([flow(NOW - timedelta(minutes=5), in_=7, out=9, channel=LINE)])
            clock = Clock()
            watch = _watch(store, clock)
            await watch.look()
            first = await watch.answer()
            store.is_away, clock.now = True, NOW + timedelta(hours=1)
            await watch.look()
            soon = await watch.answer()
            clock.now = NOW + timedelta(hours=3)
            await watch.look()
            return [first, soon, await watch.answer()]

    answers = asyncio.run(told())

    assert [each.data.counters[0].last_hour.in_ for each in answers] == [7, 7, None]
    assert answers[-1].last_updated == NOW + timedelta(hours=3)


def _watch(store: SqliteStore, clock: Clock | None = None) -> FlowWatch:
    places = CurrentRegistry(REGISTRY)
    return FlowWatch(Settings(), store=store, places=places, live=Live(places), clock=clock or Clock())


def _data(event: bytes) -> dict[str, Any]:
    fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    data: dict[str, Any] = json.loads(fields["data"])
    return data
