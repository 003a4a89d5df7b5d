"""Which sensors want a visit: each reason told, the most urgent first, and a short way round."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.ledger import BatteryDay
from cloud_api.nearby import metres
from cloud_api.provisioning.battery import NEVER_DAYS, days_left
from cloud_api.provisioning.standing import DeviceStanding, Standing
from cloud_api.provisioning.visits import Condition, Reason, Visit, Why, drifts, round_of, visits
from cloud_api.registry import Position
from cloud_api.trust import Cause, Evidence, Trust, Verdict, judge
from tests.town import NOW

HERE = Position(lat=47.2137, lon=-1.5562)
FINE = DeviceStanding(Standing.APPLIED)
FRESH = Verdict(Trust.FRESH)


def condition(
    device: str = "d1",
    *,
    verdict: Verdict = FRESH,
    standing: DeviceStanding = FINE,
    battery_low: bool = False,
    battery_days: int | None = None,
    rssi_dbm: float | None = None,
    drift: float | None = None,
) -> Condition:
    return Condition(
        device=device,
        model="bosch-tps110",
        place=f"place-{device}",
        place_name="Place",
        position=HERE,
        verdict=verdict,
        standing=standing,
        battery_low=battery_low,
        battery_days=battery_days,
        rssi_dbm=rssi_dbm,
        drift=drift,
    )


def visit(number: int, position: Position | None) -> Visit:
    reason = Reason(Why.STALE, Cause("", ""))
    return Visit(device=f"d{number}", model="", place=f"p{number}", place_name="", position=position, reasons=(reason,))


@dataclass(frozen=True)
class Case:
    """A condition, why it wants a visit, and a part of the words."""

    known: Condition
    why: Why
    words: str


STALE = judge(Evidence(heard_at=NOW - timedelta(hours=7), period_s=600), NOW)
CASES = (
    Case(condition(verdict=STALE), Why.STALE, "sans nouvelles depuis 7 h"),
    Case(condition(verdict=judge(Evidence(), NOW)), Why.STALE, "pas encore exprimé"),
    Case(condition(verdict=judge(Evidence(fault="lens"), NOW)), Why.FAULTY, "lens"),
    Case(condition(standing=DeviceStanding(Standing.REFUSED, "unknown model")), Why.REFUSED, "unknown model"),
    Case(condition(battery_low=True), Why.BATTERY, "pile faible"),
    Case(condition(battery_days=30), Why.BATTERY, "dans 30 jours"),
    Case(condition(rssi_dbm=-118.0), Why.SIGNAL, "−118 dBm"),
    Case(condition(drift=2.5), Why.DRIFT, "2,5 fois"),
    Case(condition(drift=0.3), Why.DRIFT, "0,3 fois"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.why}: {case.words}")
def test_each_reason_for_a_visit_is_told_in_words(case: Case) -> None:
    (found,) = visits([case.known])

    assert found.reasons[0].why is case.why
    assert case.words in found.reasons[0].cause.fr


def test_a_sensor_that_does_well_or_is_closed_wants_no_visit() -> None:
    closed = judge(Evidence(closed=Cause("travaux", "works")), NOW)

    assert visits([condition(battery_days=400, rssi_dbm=-90.0, drift=1.4), condition(verdict=closed)]) == []


def test_the_most_urgent_come_first_and_a_sensor_tells_all_its_reasons() -> None:
    weak, silent = condition("d1", rssi_dbm=-118.0), condition("d2", verdict=STALE, battery_low=True)

    found = visits([weak, silent])

    assert [each.device for each in found] == ["d2", "d1"]
    assert [reason.why for reason in found[0].reasons] == [Why.STALE, Why.BATTERY]


def test_a_counter_that_changes_alone_drifts_and_weather_is_no_drift() -> None:
    rain = dict.fromkeys("abcd", 50.0)
    assert drifts(rain, dict.fromkeys("abcd", 100.0)) == dict.fromkeys("abcd", 1.0)

    alone = drifts({**rain, "a": 150.0}, dict.fromkeys("abcd", 100.0))
    assert alone["a"] == 3.0
    assert alone["b"] == 1.0


def test_drift_is_not_told_without_neighbours_or_history() -> None:
    assert drifts({"a": 10.0, "b": 20.0}, {"a": 10.0, "b": 10.0}) == {}
    assert "a" not in drifts(dict.fromkeys("abcd", 10.0), {"a": None, "b": 1.0, "c": 1.0, "d": 1.0})


def line(start: float, slope: float, days: int, step: int = 1) -> list[BatteryDay]:
    return [BatteryDay(20_000 + day, start + slope * day) for day in range(0, days + 1, step)]


@pytest.mark.parametrize(
    ("days", "left"),
    [
        (line(90, -0.5, 100), 60),
        (line(90, -0.5, 98, step=7), 62),
        (line(8, -0.1, 30), 0),
        (line(90, 0.0, 60), NEVER_DAYS),
        (line(90, 0.1, 60), NEVER_DAYS),
        (line(90, -0.5, 10), None),
        ([], None),
    ],
)
def test_a_battery_lasts_as_its_line_says(days: list[BatteryDay], left: int | None) -> None:
    assert days_left(days) == left


def test_a_new_battery_is_not_judged_by_the_old_one_for_ever() -> None:
    old, new = line(60, -0.4, 100), [BatteryDay(20_101 + day, 100.0) for day in range(30)]

    assert days_left([*old, *new]) == NEVER_DAYS


positions = st.builds(
    Position, lat=st.floats(47.20, 47.23, allow_nan=False), lon=st.floats(-1.57, -1.54, allow_nan=False)
)


@given(st.lists(positions, min_size=1, max_size=6))
def test_a_round_visits_everybody_once_and_is_hardly_longer_than_the_shortest(places: list[Position]) -> None:
    wanted = [visit(number, place) for number, place in enumerate(places)]

    way = round_of([*wanted, visit(99, None)], HERE)

    def length(stops: tuple[Position, ...]) -> float:
        return sum(metres(one, other) for one, other in zip((HERE, *stops), stops, strict=False))

    assert way[-1].device == "d99"
    assert sorted(each.device for each in way[:-1]) == sorted(each.device for each in wanted)
    shortest = min(length(order) for order in permutations(places))
    assert length(tuple(each.position for each in way if each.position)) <= 1.3 * shortest + 1


def test_without_a_single_position_the_order_stays() -> None:
    assert [each.device for each in round_of([visit(1, None), visit(0, None)])] == ["d1", "d0"]
