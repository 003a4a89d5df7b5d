"""From bytes on a wire to free spaces and hourly flows: seven real days, number for number."""

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cloud_api.stores import open_store
from firmware_sim.footfall import hourly
from firmware_sim.saint_aubin import saint_aubin
from firmware_sim.town import Counter, Town
from firmware_sim.walkers import Rhythm
from tests.broker import Mosquitto
from tests.influx import InfluxServer
from tests.influx import influx as influx  # a fixture
from tests.system.street import Street, running_street

PARIS = ZoneInfo("Europe/Paris")
REAL_MONDAY = date(2024, 10, 7)
AUTUMN = date(2026, 10, 19)
"""The Monday of the week whose Sunday has 25 hours."""
SPRING = date(2026, 3, 23)
"""The Monday of the week whose Sunday has 23 hours."""


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=PARIS).astimezone(ZoneInfo("UTC"))


def town_of_week(monday: date) -> Town:
    rhythm = Rhythm(real=REAL_MONDAY, town=monday, days=7)
    return saint_aubin(7, opened=midnight(monday) - timedelta(hours=1), rhythm=rhythm)


async def check_week(monday: date, hours: int, store_url: str, mosquitto: Mosquitto, folder: Path) -> None:
    town, start, end = town_of_week(monday), midnight(monday), midnight(monday + timedelta(days=7))
    store = open_store(store_url)
    try:
        async with running_street(town, start - timedelta(hours=1), store, mosquitto, folder) as street:
            await street.replay(end)
            await check_spaces(street, end)
            await street.settle()
            for counter in town.counters:
                await check_hours(street, counter, monday, hours)
    finally:
        store.close()


async def check_spaces(street: Street, moment: datetime) -> None:
    """The parking states that the API tells are those of the truth."""
    await street.answered(lambda zones: {zone["id"]: zone["free"] for zone in zones} == street.town.free(moment))


async def check_hours(street: Street, counter: Counter, monday: date, hours: int) -> None:
    """The API's local hours are the data set's counts and the simulator's truth, to the unit."""
    sunday = monday + timedelta(days=7)
    answer = await street.client.get(
        "/v1/flows/hourly", params={"counter": counter.id, "from": monday.isoformat(), "to": sunday.isoformat()}
    )
    told = answer.raise_for_status().json()["hours"]
    assert len(told) == hours
    for hour in told:
        begin = datetime.fromisoformat(hour["start"])
        real = hourly(counter.walkers.sensor, REAL_MONDAY + (begin.date() - monday), 1)[begin.hour]
        assert (hour["in"] + hour["out"], counter.id, begin) == (real, counter.id, begin)
        assert (hour["in"], hour["out"]) == street.town.truth_hour(counter.id, begin.astimezone(ZoneInfo("UTC")))


@pytest.mark.slow
def test_a_week_with_a_day_of_25_hours_is_exact_on_sqlite(mosquitto: Mosquitto, tmp_path: Path) -> None:
    asyncio.run(check_week(AUTUMN, 7 * 24 + 1, f"sqlite:///{tmp_path / 'history.db'}", mosquitto, tmp_path))


@pytest.mark.slow
def test_a_week_with_a_day_of_23_hours_is_exact_on_influxdb(
    mosquitto: Mosquitto, influx: InfluxServer, tmp_path: Path
) -> None:
    asyncio.run(check_week(SPRING, 7 * 24 - 1, influx.url("whole_way"), mosquitto, tmp_path))
