"""From bytes on a wire to free spaces and hourly flows: seven real days, number for number."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from httpx import AsyncClient

from cloud_api.stores import open_store
from cloud_api.stores.base import Channel, Correction, Fact, Hour, Passed, SpaceChange, Store, StoredSpace
from firmware_sim.footfall import hourly
from firmware_sim.saint_aubin import saint_aubin
from firmware_sim.town import Counter, Town
from firmware_sim.walkers import Rhythm
from tests.broker import Mosquitto
from tests.influx import InfluxServer
from tests.influx import influx as influx  # a fixture
from tests.system.street import Street, running_api, running_street

PARIS = ZoneInfo("Europe/Paris")
REAL_MONDAY = date(2024, 10, 7)
"""Of an ordinary week, with its crowds: 125,000 passages at the four sensors."""
AUTUMN = date(2026, 10, 19)
"""The Monday of the week whose Sunday has 25 hours."""
SPRING = date(2026, 3, 23)
"""The Monday of the week whose Sunday has 23 hours."""
LIVED_H = 6
"""Hours from midnight until well after the change to summer time."""


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=PARIS).astimezone(ZoneInfo("UTC"))


def town_of_week(monday: date) -> Town:
    rhythm = Rhythm(real=REAL_MONDAY, town=monday, days=7)
    return saint_aubin(7, opened=midnight(monday) - timedelta(hours=1), rhythm=rhythm)


class BothStores(Store):
    """Writes to two stores what one ingest takes in, so that one replay serves both; answers from the first."""

    def __init__(self, first: Store, second: Store) -> None:
        self.first, self.second = first, second

    def write(self, facts: Sequence[Fact]) -> None:
        self.first.write(facts)
        self.second.write(facts)

    def hours(
        self, channels: Sequence[Channel], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[Hour]:
        return self.first.hours(channels, start, end, as_of)

    def newest(self, channels: Sequence[Channel], start: datetime, end: datetime) -> datetime | None:
        return self.first.newest(channels, start, end)

    def channels(self) -> list[Channel]:
        return self.first.channels()

    def last_states(self) -> list[StoredSpace]:
        return self.first.last_states()

    def changes(
        self, devices: Sequence[str], start: datetime, end: datetime, as_of: datetime | None = None
    ) -> list[SpaceChange]:
        return self.first.changes(devices, start, end, as_of)

    def intervals(self, channels: Sequence[Channel], start: datetime, end: datetime) -> list[Passed]:
        return self.first.intervals(channels, start, end)

    def correct(self, corrections: Sequence[Correction]) -> None:
        self.first.correct(corrections)
        self.second.correct(corrections)

    def corrections(self, place: str, start: datetime, end: datetime) -> list[Correction]:
        return self.first.corrections(place, start, end)

    def ready(self) -> None:
        self.first.ready()

    def close(self) -> None:
        self.first.close()
        self.second.close()


async def check_spaces(street: Street, moment: datetime) -> None:
    """The parking states that the API tells are those of the truth."""
    await street.answered(lambda zones: {zone["id"]: zone["free"] for zone in zones} == street.town.free(moment))


async def check_hours(
    client: AsyncClient, town: Town, first: date, end: date, monday: date, lived: int | None = None
) -> None:
    """The first `lived` local hours that the API tells are the data set's counts and the truth, to the unit."""
    for counter in town.counters:
        told = await hours_of(client, counter, first, end)
        assert len(told) == (midnight(end) - midnight(first)) // timedelta(hours=1)
        check_counter(told[:lived], town, counter, monday)


async def hours_of(client: AsyncClient, counter: Counter, first: date, end: date) -> list[dict[str, Any]]:
    period = {"counter": counter.id, "from": first.isoformat(), "to": end.isoformat()}
    answer = await client.get("/v1/flows/hourly", params=period)
    hours: list[dict[str, Any]] = answer.raise_for_status().json()["hours"]
    return hours


def check_counter(told: list[dict[str, Any]], town: Town, counter: Counter, monday: date) -> None:
    for hour in told:
        begin = datetime.fromisoformat(hour["start"])
        real = hourly(counter.walkers.sensor, REAL_MONDAY + (begin.date() - monday), 1)[begin.hour]
        assert (hour["in"] + hour["out"], counter.id, begin) == (real, counter.id, begin)
        assert (hour["in"], hour["out"]) == town.truth_hour(counter.id, begin.astimezone(ZoneInfo("UTC")))


@pytest.mark.slow
def test_seven_real_days_are_exact_on_both_stores_with_a_day_of_25_hours(
    own_mosquitto: Mosquitto, influx: InfluxServer, tmp_path: Path
) -> None:
    async def live_through() -> None:
        town, begin, end = town_of_week(AUTUMN), midnight(AUTUMN), AUTUMN + timedelta(days=7)
        history = BothStores(open_store(f"sqlite:///{tmp_path / 'history.db'}"), open_store(influx.url("whole_way")))
        with closing(history):
            async with running_street(town, begin - timedelta(hours=1), history, own_mosquitto, tmp_path) as street:
                await street.replay(midnight(end))
                await check_spaces(street, midnight(end))
                await street.settle()
                await check_hours(street.client, town, AUTUMN, end, AUTUMN)
                async with running_api(town, street.clock, history.second, own_mosquitto, tmp_path, "2") as on_influx:
                    await check_hours(on_influx, town, AUTUMN, end, AUTUMN)

    asyncio.run(live_through())


def test_the_night_of_a_day_of_23_hours_is_exact(own_mosquitto: Mosquitto, tmp_path: Path) -> None:
    async def live_through() -> None:
        town, sunday = town_of_week(SPRING), SPRING + timedelta(days=6)
        with closing(open_store(f"sqlite:///{tmp_path / 'history.db'}")) as store:
            begin, end = midnight(sunday) - timedelta(hours=1), midnight(sunday) + timedelta(hours=LIVED_H)
            async with running_street(town, begin, store, own_mosquitto, tmp_path) as street:
                await street.replay(end)
                await check_spaces(street, end)
                await street.settle()
                await check_hours(street.client, town, sunday, SPRING + timedelta(days=7), SPRING, LIVED_H)

    asyncio.run(live_through())
