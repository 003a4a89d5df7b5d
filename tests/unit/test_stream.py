"""The stream's promise: whoever hears it, whenever he came, went and came back, ends with the zones as they are."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st

from cloud_api import stream
from cloud_api.stream import HEARTBEAT, PAST, Stream, Wanted, encode_event

ZONES = ("a", "b", "c")


class Town:
    """Zones that are numbers, and their stream."""

    def __init__(self) -> None:
        self.zones = dict.fromkeys(ZONES, 0)
        self.stream = Stream("zone", self._snapshot)

    def change(self, zone: str) -> None:
        self.zones[zone] += 1
        self.stream.tell(zone, json.dumps({zone: self.zones[zone]}).encode())

    def _snapshot(self, number: str, zones: Wanted) -> bytes:
        seen = {zone: value for zone, value in self.zones.items() if zones is None or zone in zones}
        return encode_event("snapshot", number, json.dumps(seen).encode())


class Caller:
    """What a caller makes of the events: a snapshot replaces all, a zone replaces itself."""

    def __init__(self) -> None:
        self.zones: dict[str, int] = {}
        self.last_id = ""
        self.names: list[str] = []

    def hear(self, events: bytes) -> None:
        for event in events.decode().split("\n\n")[:-1]:
            if not event.startswith(":"):
                self._take(dict(line.split(": ", 1) for line in event.split("\n")))

    def _take(self, fields: dict[str, str]) -> None:
        seen = json.loads(fields["data"])
        self.zones = seen if fields["event"] == "snapshot" else self.zones | seen
        self.last_id = fields["id"]
        self.names.append(fields["event"])


@contextmanager
def listening(town: Town, caller: Caller, zones: Wanted = None) -> Iterator[AsyncIterator[bytes]]:
    with town.stream.listen(zones, caller.last_id) as listener:
        yield listener.events()


MOVES = st.lists(st.sampled_from([*ZONES, "hear", "come back", "another registry"]), max_size=60)


@given(moves=MOVES, wanted=st.none() | st.frozensets(st.sampled_from(ZONES), min_size=1), past=st.integers(1, 4))
def test_a_listener_ends_with_the_same_zones_as_a_fresh_snapshot(moves: list[str], wanted: Wanted, past: int) -> None:
    """Through any order of changes, of being slow, of leaving and coming back, with a past however short."""

    async def scenario() -> tuple[Caller, Caller]:
        town, caller = Town(), Caller()
        town.stream._past = type(town.stream._past)(maxlen=past)
        rest = moves
        while True:
            with listening(town, caller, wanted) as events:
                caller.hear(await anext(events))
                rest = await follow(town, caller, events, rest)
                if not rest:
                    town.stream.beat()
                    caller.hear(await anext(events))
                    break
        fresh = Caller()
        with listening(town, fresh, wanted) as events:
            fresh.hear(await anext(events))
        return caller, fresh

    caller, fresh = asyncio.run(scenario())

    assert caller.zones == fresh.zones


async def follow(town: Town, caller: Caller, events: AsyncIterator[bytes], moves: list[str]) -> list[str]:
    """Make moves until the caller leaves; returns those that are left."""
    for index, move in enumerate(moves):
        if move == "come back":
            for zone in ZONES[: index % 3]:
                town.change(zone)
            return moves[index + 1 :] or ["hear"]
        if move == "hear":
            town.stream.beat()
            caller.hear(await anext(events))
        elif move == "another registry":
            town.stream.begin_anew()
        else:
            town.change(move)
    return []


def heard(*steps: str, zones: Wanted = None) -> Caller:
    """A caller that hears the snapshot, is away for these changes, and comes back."""

    async def scenario() -> Caller:
        town, caller = Town(), Caller()
        with listening(town, caller, zones) as events:
            caller.hear(await anext(events))
        for zone in steps:
            town.change(zone)
        with listening(town, caller, zones) as events:
            caller.hear(await anext(events))
        return caller

    return asyncio.run(scenario())


def test_who_comes_back_gets_the_newest_of_each_zone_that_changed() -> None:
    caller = heard("a", "b", "a", "a")

    assert caller.names == ["snapshot", "zone", "zone"]
    assert caller.zones == {"a": 3, "b": 1, "c": 0}


def test_who_comes_back_too_late_gets_a_snapshot() -> None:
    assert heard(*["a"] * (PAST + 1)).names == ["snapshot", "snapshot"]


def test_who_comes_back_to_nothing_new_gets_a_sign_of_life() -> None:
    assert heard().names == ["snapshot"]


def test_an_id_that_was_never_given_leads_to_a_snapshot() -> None:
    for last_id in ("", "x", "deadbeef-1", "deadbeef-", "-1", "9" * 5000, "²-²"):

        async def first(last_id: str = last_id) -> bytes:
            with Town().stream.listen(None, last_id) as listener:
                return await anext(listener.events())

        assert b"event: snapshot" in asyncio.run(first())


def test_an_id_from_the_future_leads_to_a_snapshot() -> None:
    async def scenario() -> bytes:
        town = Town()
        with town.stream.listen(None, f"{town.stream._run}-7") as listener:
            return await anext(listener.events())

    assert b"event: snapshot" in asyncio.run(scenario())


def test_what_waits_for_a_slow_listener_is_one_event_a_zone() -> None:
    async def scenario() -> Caller:
        town, caller = Town(), Caller()
        with listening(town, caller) as events:
            caller.hear(await anext(events))
            for number in range(3 * PAST):
                town.change(ZONES[number % len(ZONES)])
            caller.hear(await anext(events))
        assert caller.zones == town.zones
        return caller

    assert asyncio.run(scenario()).names == ["snapshot", "zone", "zone", "zone"]


def test_a_quiet_stream_shows_that_it_lives() -> None:
    async def scenario() -> bytes:
        town, caller = Town(), Caller()
        with listening(town, caller) as events:
            await anext(events)
            town.stream.beat()
            return await anext(events)

    assert asyncio.run(scenario()) == HEARTBEAT


def test_who_comes_after_the_end_is_let_go_at_once() -> None:
    async def scenario() -> list[bytes]:
        town = Town()
        town.stream.end()
        with town.stream.listen() as listener:
            return [events async for events in listener.events()]

    assert asyncio.run(scenario()) == []


def test_the_past_is_bounded() -> None:
    town = Town()
    for _ in range(2 * stream.PAST):
        town.change("a")

    assert len(town.stream._past) == stream.PAST
