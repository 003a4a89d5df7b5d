"""Feeds are asked politely over real HTTP, believed with care, and one feed's trouble is its own."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from cloud_api.feeds.feed_metrics import FeedMetrics
from cloud_api.feeds.fetching import Address, FetchError, new_client
from cloud_api.feeds.lots import Lot, LotState, Reading, Refusal
from cloud_api.feeds.neighbours import FeedState, Neighbour, Neighbours, failed, take, unchanged, waking
from cloud_api.feeds.poller import Poller, pause_s
from cloud_api.feeds.settings import LotFeed, Tongue, headers_of, load_feeds
from cloud_api.registry.places import FeedSource
from cloud_api.settings import ConfigError
from cloud_api.trust import Trust
from tests.town import Clock, until
from tests.web_operator import operator

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 27, 11, tzinfo=UTC)
FEED = LotFeed(name="effia", operator="Effia", tongue=Tongue.PARKAPI_V1, url="http://127.0.0.1/")
GARE = FeedSource(name="effia", id="gare")


class Town:
    """The feeds of a town, and who is told of news."""

    def __init__(self, *feeds: LotFeed) -> None:
        self.clock = Clock(NOON)
        self.neighbours = Neighbours(feeds, PARIS)
        self.registry = CollectorRegistry()
        self.metrics = FeedMetrics(self.registry)
        self.told: list[str] = []

    def gare(self) -> Neighbour:
        return self.neighbours.look(GARE, None, self.clock())

    def run(self, story: Callable[[Callable[[LotFeed], Poller]], Coroutine[Any, Any, None]]) -> None:
        async def with_client() -> None:
            async with new_client() as client:
                await story(
                    lambda feed: Poller(
                        feed,
                        client,
                        self.neighbours,
                        metrics=self.metrics,
                        clock=self.clock,
                        news=self.told.append,
                        random=Random(1),
                    )
                )

        asyncio.run(with_client())


def at(address: str, name: str = "effia", **more: Any) -> LotFeed:
    return LotFeed(name=name, operator="Effia", tongue=Tongue.PARKAPI_V1, url=address, **more)


def test_what_an_operator_tells_is_read_and_asked_for_again_only_when_it_changed() -> None:
    with operator() as effia:
        effia.tell(42)
        town = Town(feed := at(effia.address))

        async def story(poller: Callable[[LotFeed], Poller]) -> None:
            poll = poller(feed)
            await poll.poll()
            await poll.poll()

        town.run(story)

        assert (town.gare().free, town.gare().capacity, town.gare().verdict.trust) == (42, 100, Trust.FRESH)
        assert effia.asked[1]["if-none-match"] == '"42"'
        assert town.told == ["effia", "effia"]
        assert b'passerelle_feed_reads_total{feed="effia",outcome="same"} 1.0' in generate_latest(town.registry)


def test_a_feed_that_stops_answering_keeps_its_last_word_for_a_while_and_then_is_stale_by_name() -> None:
    with operator() as effia:
        effia.tell(42)
        town = Town(feed := at(effia.address))

        async def story(poller: Callable[[LotFeed], Poller]) -> None:
            poll = poller(feed)
            await poll.poll()
            effia.status, effia.headers = 500, {}
            await poll.poll()

        town.run(story)

    assert town.gare().free == 42
    town.clock.now += timedelta(minutes=4)
    assert town.gare().free is None
    assert town.gare().verdict.trust is Trust.STALE
    cause = town.gare().verdict.cause
    assert cause is not None
    assert "Effia" in cause.fr


def test_one_feed_s_trouble_disturbs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    with operator() as effia, operator() as broken:
        effia.tell(42)
        broken.body = b"<html>"
        feeds = [at(broken.address, "broken", period_s=0.01), at(effia.address, period_s=0.01)]
        town = Town(*feeds)

        async def story(poller: Callable[[LotFeed], Poller]) -> None:
            runs = [asyncio.create_task(poller(feed).run()) for feed in feeds]
            await asyncio.to_thread(until, lambda: len(effia.asked) > 2 and len(broken.asked) > 1)
            for run in runs:
                run.cancel()
            await asyncio.gather(*runs, return_exceptions=True)

        with caplog.at_level(logging.WARNING):
            town.run(story)

    assert town.gare().free == 42
    assert "JSON" in (town.neighbours.state("broken").trouble or "")
    assert "feed=broken" in caplog.text
    assert "if-none-match" not in broken.asked[1]


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason", "wait_s"),
    [
        (503, {"Retry-After": "120"}, b"", "status 503", 120.0),
        (429, {"Retry-After": "999999"}, b"", "status 429", 3600.0),
        (404, {"Retry-After": "120"}, b"", "status 404", 0.0),
        (301, {"Location": "http://elsewhere.example/"}, b"", "moved to http://elsewhere.example/", 0.0),
        (200, {"Content-Encoding": "gzip"}, b"x", "content-encoding", 0.0),
        (200, {}, b"x" * 2000, "larger than 1000", 0.0),
        (304, {}, b"", "status 304", 0.0),
    ],
)
def test_an_answer_that_is_no_plain_one_is_an_error_that_says_why(
    status: int, headers: dict[str, str], body: bytes, reason: str, wait_s: float
) -> None:
    async def ask(address: str) -> bytes | None:
        async with new_client() as client:
            return await Address(client, address, {}).fetch(largest=1000)

    with operator() as effia:
        effia.status, effia.headers, effia.body = status, headers, body
        with pytest.raises(FetchError, match=reason) as caught:
            asyncio.run(ask(effia.address))

    assert caught.value.wait_s == wait_s


def test_an_operator_that_is_not_there_is_an_error_and_no_crash() -> None:
    town = Town(feed := at("http://127.0.0.1:9/"))

    async def story(poller: Callable[[LotFeed], Poller]) -> None:
        await poller(feed).poll()

    town.run(story)

    assert town.gare().verdict.trust is Trust.UNKNOWN


@given(st.floats(20, 86_400), st.integers(0, 60), st.integers())
def test_pauses_grow_with_failures_and_stay_within_bounds(period_s: float, failures: int, seed: int) -> None:
    pause = pause_s(period_s, failures, Random(seed))

    assert 0.9 * period_s <= pause <= 1.1 * max(period_s, 900)


def told(*lots: Lot, refused: tuple[Refusal, ...] = ()) -> Reading:
    return Reading(lots=lots, refused=refused)


def looked(state: FeedState, now: datetime, capacity: int | None = 100) -> Neighbour:
    neighbours = Neighbours([FEED], PARIS)
    neighbours.put("effia", unchanged(state, now))
    return neighbours.look(GARE, capacity, now)


@pytest.mark.parametrize(
    ("lot", "trust", "free", "words"),
    [
        (Lot(id="gare", free=3), Trust.FRESH, 3, None),
        (Lot(id="gare", free=3, state=LotState.FULL), Trust.FRESH, 0, "complet"),
        (Lot(id="gare", free=3, state=LotState.CLOSED), Trust.CLOSED, None, "fermé"),
        (Lot(id="gare"), Trust.UNKNOWN, None, "combien"),
        (Lot(id="gare", free=101), Trust.IMPLAUSIBLE, None, "impossible"),
        (Lot(id="gare", free=3, at=NOON - timedelta(minutes=16)), Trust.STALE, None, "16 min"),
        (Lot(id="gare", free=3, at=NOON + timedelta(minutes=11)), Trust.UNKNOWN, None, "futur"),
        (Lot(id="halles", free=3), Trust.UNKNOWN, None, "ne dit rien"),
    ],
)
def test_a_figure_is_shown_only_when_it_can_be_believed(
    lot: Lot, trust: Trust, free: int | None, words: str | None
) -> None:
    seen = looked(take(FeedState(), told(lot), NOON), NOON)

    assert (seen.verdict.trust, seen.free) == (trust, free)
    assert (seen.verdict.cause.fr if seen.verdict.cause else None) is None if words is None else words in str(seen)


def test_a_lot_that_became_impossible_is_implausible_and_not_its_last_figure() -> None:
    state = take(FeedState(), told(Lot(id="gare", free=3)), NOON)
    state = take(state, told(refused=(Refusal(id="gare", reason="free -1"),)), NOON + timedelta(minutes=1))

    assert looked(state, NOON + timedelta(minutes=1)).verdict.trust is Trust.IMPLAUSIBLE


def test_figures_that_all_stand_still_for_two_hours_of_daytime_are_frozen_though_their_clock_goes_on() -> None:
    def reading(now: datetime) -> Reading:
        return told(Lot(id="gare", free=3, at=now), Lot(id="halles", free=7, at=now))

    state = take(FeedState(), reading(NOON), NOON)
    almost, over = NOON + timedelta(minutes=119), NOON + timedelta(minutes=120)

    assert looked(take(state, reading(almost), almost), almost).free == 3
    frozen = looked(take(state, reading(over), over), over)
    assert (frozen.verdict.trust, frozen.free) == (Trust.FROZEN, None)
    assert "Effia" in str(frozen.verdict.cause)


def test_one_car_park_may_stand_still_longer_while_others_move() -> None:
    state = FeedState()
    for quarter in range(33):
        now = datetime(2026, 11, 27, 7, tzinfo=UTC) + timedelta(minutes=15 * quarter)
        state = take(state, told(Lot(id="gare", free=3), Lot(id="halles", free=quarter)), now)
        assert (looked(state, now).verdict.trust is Trust.FROZEN) == (quarter == 32)


@pytest.mark.parametrize("lot", [Lot(id="gare", free=0, capacity=9), Lot(id="gare", free=9, capacity=9)])
def test_a_car_park_that_is_full_or_empty_may_stay_so(lot: Lot) -> None:
    state = take(FeedState(), told(lot), NOON)

    assert looked(state, NOON + timedelta(hours=9)).verdict.trust is Trust.FRESH


def test_a_night_without_change_is_no_sign_of_a_frozen_feed() -> None:
    evening = datetime(2026, 11, 27, 20, tzinfo=UTC)

    assert waking(evening, evening + timedelta(hours=10), PARIS) == timedelta()
    assert waking(evening - timedelta(hours=1), evening + timedelta(hours=11), PARIS) == timedelta(hours=2)


def test_a_feed_that_fails_says_so_and_recovers() -> None:
    state = take(failed(FeedState(), "status 500"), told(Lot(id="gare", free=3)), NOON)

    assert state.trouble is None


def test_a_zone_of_a_feed_that_nobody_reads_is_unknown() -> None:
    assert Neighbours([], PARIS).look(GARE, 100, NOON).verdict.trust is Trust.UNKNOWN


GOOD = """[[feed]]
name = "nantes"
operator = "Nantes Métropole"
tongue = "nantes"
url = "https://data.example/records"
"""


def test_feeds_are_read_from_their_file(tmp_path: Path) -> None:
    (file := tmp_path / "feeds.toml").write_text(GOOD)

    assert [feed.operator for feed in load_feeds(file).feed] == ["Nantes Métropole"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + GOOD, r"feed\[1\].name: 'nantes' is taken"),
        (GOOD.replace('"nantes"\nurl', '"opendatasoft"\nurl'), "fields: expected"),
        (GOOD + '[[orders]]\nname = "nantes"\n', r"orders\[0\].name: 'nantes' is taken"),
        (GOOD + "[[orders]]\nperiod_s = 10\n", r"orders\[0\].period_s"),
        (GOOD.replace("https://", "ftp://"), "url"),
        (GOOD.replace("https://", "https://me:secret@"), "url"),
        (GOOD + "period_s = 1", "period_s"),
        (GOOD + "perod_s = 60", "perod_s"),
        ("[[feed", "feeds.toml"),
    ],
)
def test_a_mistake_in_the_file_is_one_message_with_its_field(tmp_path: Path, text: str, message: str) -> None:
    (file := tmp_path / "feeds.toml").write_text(text)

    with pytest.raises(ConfigError, match=message):
        load_feeds(file)


def test_secrets_are_read_from_files_and_a_bad_one_is_not_shown(tmp_path: Path) -> None:
    (file := tmp_path / "key").write_text("Apikey abc\n")
    feed = at("http://127.0.0.1/", secret_headers={"authorization": file})

    assert headers_of(feed) == {"authorization": "Apikey abc"}
    file.write_text("abc\ndef")
    with pytest.raises(ConfigError, match="one printable line") as caught:
        headers_of(feed)
    assert "abc" not in str(caught.value)
