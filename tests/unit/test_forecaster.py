"""Forecasts from memory: what is told, what is kept of it, and whose word is served when the model was worse."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from cloud_api.forecast.occupancy import QUARTER, quarter_of
from cloud_api.forecast.quality import FEWEST, Method
from cloud_api.registry import Closure, Registry
from cloud_api.registry.current import CurrentRegistry
from cloud_api.stores import open_store
from cloud_api.stores.base import Store
from firmware_sim.parking import Habits
from tests.foretold import BAYS, MONDAY, ZONE, Town, by_drivers, by_timetable, days, street
from tests.town import until

WEEK = timedelta(weeks=1)
LONG_STAYS = Habits(stay_min=75, gap_min=14, at_night=0.6)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{tmp_path}/history.db")) as opened:
        yield opened


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Iterator[Town]:
    it = Town(store, tmp_path)
    yield it
    it.archive.close()


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A street that was full twice a day for weeks, and has been empty for three days."""
    folder = tmp_path_factory.mktemp("changed")
    with closing(open_store(f"sqlite:///{folder}/history.db")) as store:
        it = Town(store, folder)
        it.remember(by_timetable(weeks=4))
        it.learn()
        it.live_through([[False] * BAYS] * (FEWEST + days(0.2)))
        it.learn()
        yield it
        it.archive.close()


def test_without_history_nothing_is_said_and_the_cause_is_told(town: Town) -> None:
    town.see([False] * BAYS)
    town.learn()

    told = town.arrival()

    assert (told.probability, told.expected, told.low, told.high, told.method) == (None,) * 5
    assert "no history" in told.why.en


def test_what_the_store_holds_is_learned_from_at_the_start(town: Town) -> None:
    town.remember(by_timetable(weeks=4))
    town.clock.now = MONDAY + timedelta(hours=9, minutes=30)
    town.see([False] * BAYS)
    town.learn()

    soon, at_eleven = town.arrival(15), town.arrival(90)

    assert soon.method is Method.MODEL
    assert soon.probability is not None
    assert at_eleven.probability is not None
    assert soon.probability > 0.8
    assert at_eleven.probability < 0.2


def test_without_sure_news_of_the_present_nothing_is_said_and_nothing_is_kept(town: Town) -> None:
    town.remember(by_timetable(weeks=4))
    town.see([False] * BAYS)
    town.learn()
    town.clock.now += timedelta(hours=6)
    told, quarter = town.arrival(), quarter_of(town.clock.now)

    asyncio.run(town.forecaster.note(town.clock.now))

    assert told.probability is None
    assert "no news" in told.why.en
    assert unseen(town, quarter)
    assert town.archive.outcomes(ZONE.id, 15, quarter + 9).unverified == 0


def test_a_zone_that_will_be_closed_on_arrival_says_so_and_why(store: Store, tmp_path: Path) -> None:
    works = Closure(id="works", place=ZONE.id, start=MONDAY + timedelta(minutes=30), reason="travaux de voirie")
    town = Town(store, tmp_path, street(closures=[works]))
    town.remember(by_timetable(weeks=4))
    town.see([False] * BAYS)
    town.learn()

    assert town.arrival(15).probability is not None
    assert town.arrival(30).probability is None
    assert town.arrival(30).why.fr == "fermé à cette heure : travaux de voirie"
    town.archive.close()


def test_a_space_that_will_be_closed_on_arrival_is_not_counted_on(store: Store, tmp_path: Path) -> None:
    works = [
        Closure(id=f"w{number}", place=f"h{number}", start=MONDAY + timedelta(minutes=30), reason="benne")
        for number in (0, 1, 2)
    ]
    town = Town(store, tmp_path, street(closures=works))
    town.remember(by_timetable(weeks=4))
    town.see([False] * BAYS)
    town.learn()

    assert town.arrival(15).high == BAYS
    assert town.arrival(30).high == 1
    town.archive.close()


def test_a_car_park_that_shuts_before_the_driver_comes_says_so(store: Store, tmp_path: Path) -> None:
    town = Town(store, tmp_path, street(opening_hours="Mo-Sa 07:00-21:00; PH off"))
    town.remember(by_timetable(weeks=4))
    town.clock.now = MONDAY + timedelta(hours=19, minutes=40)
    town.see([False] * BAYS)
    town.learn()
    asyncio.run(town.forecaster.note(town.clock.now))
    later = quarter_of(town.clock.now) + days(1)

    assert town.arrival(15).probability is not None
    assert town.arrival(30).probability is None
    assert town.arrival(30).why.en == "closed at that time: opening hours Mo-Sa 07:00-21:00; PH off"
    assert [town.archive.outcomes(ZONE.id, minutes, later).unverified for minutes in (15, 30, 60)] == [1, 0, 0]
    town.archive.close()


def test_an_answer_is_kept_for_its_time_to_live(town: Town) -> None:
    town.see([False] * BAYS)
    first = town.forecaster.look(ZONE, (15,), town.clock.now)

    assert town.forecaster.look(ZONE, (15,), town.clock.now + timedelta(seconds=9)) is first
    assert town.forecaster.look(ZONE, (15,), town.clock.now + timedelta(seconds=10)) is not first


def test_half_an_hour_ahead_is_worked_out_for_all_zones_and_told_for_some_minutes(town: Town) -> None:
    town.remember(by_timetable(weeks=4))
    town.see([False] * BAYS)
    town.learn()
    asyncio.run(town.forecaster.look_ahead(town.clock.now))

    soon = town.forecaster.soon(ZONE.id, town.clock.now + timedelta(minutes=2))

    assert soon == town.arrival(30)
    assert town.forecaster.soon(ZONE.id, town.clock.now + timedelta(minutes=6)) is None
    assert town.forecaster.soon("elsewhere", town.clock.now) is None


def test_a_zone_that_left_the_registry_is_forgotten_and_a_new_one_learned(town: Town) -> None:
    town.remember(by_timetable(weeks=4))
    town.learn()
    other = structs.replace(ZONE, id="gare")
    town.places.replace(CurrentRegistry(Registry(zones=[other])))
    asyncio.run(town.forecaster.note(town.clock.now))
    town.learn()

    (quality,) = town.forecaster.quality(town.places.now.zones, town.clock.now).data.zones

    assert quality.id == "gare"
    assert town.forecaster.quality({ZONE.id: ZONE}, town.clock.now).data.zones[0].leads == ()


def test_by_a_timetable_the_last_three_weeks_are_the_better_word_and_are_served(town: Town) -> None:
    town.remember(by_timetable(weeks=4))
    town.learn()
    town.live_through(by_timetable(weeks=1)[: FEWEST + days(0.5)])
    town.learn()

    quality, told = town.quality(60), town.arrival(60)

    assert quality.brier[Method.USUAL] == 0
    assert quality.serves is Method.USUAL
    assert quality.beaten is not None
    assert quality.beaten.model > 0
    assert told.method is Method.USUAL
    assert "further off" in told.why.en


def test_drivers_are_forecast_better_by_the_model_and_it_is_served(town: Town) -> None:
    start = MONDAY - 3 * WEEK
    taken = by_drivers(start, days(21) + FEWEST + days(0.2), LONG_STAYS)
    town.remember(taken[: days(21)])
    town.learn()
    town.live_through(taken[days(21) :])
    town.learn()

    quality = town.quality(60)
    model, now, usual = (quality.brier[method] or 0.0 for method in Method)

    assert quality.scored >= FEWEST
    assert model < min(now, usual)
    assert quality.serves is Method.MODEL
    assert town.arrival(60).method is Method.MODEL


def test_where_habits_changed_overnight_as_now_is_the_better_word_and_is_served(changed: Town) -> None:
    told = changed.arrival()

    assert changed.quality().serves is Method.AS_NOW
    assert (told.method, told.probability, told.expected) == (Method.AS_NOW, 1.0, BAYS)


def test_the_archive_and_whose_word_is_served_survive_a_restart(changed: Town) -> None:
    again = Town(changed.store, changed.folder, clock=changed.clock)
    again.see([False] * BAYS)
    again.learn()

    assert again.quality() == changed.quality()
    assert again.arrival() == changed.arrival()
    again.archive.close()


def test_it_goes_on_when_the_past_cannot_be_read_and_the_archive_takes_nothing(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    town.store.close()
    town.archive.close()

    async def run() -> None:
        running = asyncio.create_task(town.forecaster.run())
        await asyncio.to_thread(until, lambda: "no zone's habits are learned now" in caplog.text)
        town.clock.now += QUARTER
        await asyncio.to_thread(until, lambda: "are not kept" in caplog.text)
        assert not running.done()
        running.cancel()

    asyncio.run(run())


def test_a_quarter_hour_that_is_come_upon_late_is_not_taken_for_observed(town: Town) -> None:
    town.remember(by_timetable(weeks=4))
    town.see([False] * BAYS)
    first = quarter_of(town.clock.now)

    async def run() -> None:
        running = asyncio.create_task(town.forecaster.run())
        await asyncio.to_thread(until, lambda: town.forecaster.soon(ZONE.id, town.clock.now) is not None)
        town.clock.now += QUARTER + timedelta(minutes=6)
        await asyncio.to_thread(until, lambda: town.forecaster.soon(ZONE.id, town.clock.now) is not None)
        town.clock.now += timedelta(minutes=9, seconds=30)
        await asyncio.to_thread(until, lambda: not unseen(town, first + 2))
        running.cancel()

    asyncio.run(run())

    assert unseen(town, first + 1)


def unseen(town: Town, quarter: int) -> bool:
    return bool(np.isnan(town.archive.series(ZONE.id, quarter, quarter + 1).share).all())
