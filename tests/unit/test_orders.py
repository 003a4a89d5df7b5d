"""Orders that forbid to park close the bays that lie within, at their hours, and open them again."""

import io
import json
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.feeds.dialog import Orders, Validity, Weekly, read_orders
from cloud_api.feeds.lots import FeedError
from cloud_api.feeds.order_closures import AHEAD, Plan, plan, windows
from cloud_api.registry import Closure, Position, Registry, Space, Zone
from cloud_api.registry.places import Capacity, Counting, ZoneKind
from tests.orders import END, START, ban, export, hours, order, validity, vehicles

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
NEAR = Position(lat=47.21375, lon=-1.5552)
"""5.6 m from the middle of the street."""
FAR = Position(lat=47.2140, lon=-1.5552)
CORNERS = [[-1.557, 47.213], [-1.555, 47.213], [-1.555, 47.2145], [-1.557, 47.2145], [-1.557, 47.213]]
SQUARE = json.dumps({"type": "Polygon", "coordinates": [CORNERS]})


def town(*closures: Closure) -> Registry:
    zones = [
        Zone(id="haute", name="Rue Haute", position=NEAR),
        Zone(id="halles", name="Halles", position=NEAR, kind=ZoneKind.OFF_STREET, counting=Counting.NONE),
        Zone(id="quai", name="Quai", position=NEAR, counting=Counting.ENTRANCES, capacity=Capacity(public=10)),
    ]
    spaces = [
        Space(id="h1", zone="haute", position=NEAR),
        Space(id="h2", zone="haute", position=FAR),
        Space(id="h3", zone="haute"),
    ]
    return Registry(zones=zones, spaces=spaces, closures=closures)


def read(*orders: str) -> Orders:
    return read_orders(export(*orders), PARIS)


def planned(registry: Registry, *orders: str, now: datetime = NOW) -> Plan:
    return plan(registry, read(*orders), source="dialog", now=now, zone=PARIS)


def applied(registry: Registry, done: Plan) -> Registry:
    closures = {each.id: each for each in (*registry.closures, *done.changes)}
    return town(*closures.values())


def closed(registry: Registry, at: datetime = NOW) -> set[str]:
    return {each.place for each in registry.closures if each.in_force_at(at)}


def test_bays_along_the_street_are_closed_and_those_farther_away_are_not() -> None:
    done = planned(town(), order(ban()))

    assert {each.place for each in done.changes} == {"h1", "h3", "quai"}
    closure = done.changes[0]
    assert (closure.source, closure.reason) == ("dialog", "Travaux rue Haute (Ville de Saint-Aubin)")
    assert (closure.start, closure.end) == (datetime.fromisoformat(START), datetime.fromisoformat(END))


def test_an_area_closes_what_it_covers() -> None:
    assert {"h1", "h2"} <= closed(applied(town(), planned(town(), order(ban(place=SQUARE)))))


def test_a_car_park_off_the_street_is_left_to_a_person() -> None:
    (doubtful,) = planned(town(), order(ban())).doubtful

    assert doubtful.id == "halles"
    assert "by hand" in doubtful.reason


def test_reading_the_same_orders_again_changes_nothing() -> None:
    weekly = order(ban(validity(hours("07:00:00+00:00", "12:00:00+00:00", "monday", "thursday"))), id_="b")
    once = applied(town(), planned(town(), order(ban()), weekly))

    again = planned(once, order(ban()), weekly, now=NOW + timedelta(minutes=10))

    assert again.changes == ()
    assert again.same > 3


def test_an_order_that_is_withdrawn_opens_its_bays_now_and_its_closures_stay_written() -> None:
    before = applied(town(), planned(town(), order(ban()), order(ban(place=SQUARE), id_="other")))

    done = planned(before, order(ban(), id_="0193-a"))
    after = applied(before, done)

    assert {each.end for each in done.changes} == {NOW}
    assert closed(after) == {"h1", "h3", "quai"}
    assert len(after.closures) == len(before.closures)


def test_an_order_withdrawn_before_it_begins_never_comes_into_force() -> None:
    later = validity(start="2026-12-01T08:00:00+01:00")
    before = applied(town(), planned(town(), order(ban(later)), order(ban(place=SQUARE), id_="other")))
    after = applied(before, planned(before, order(ban(place=SQUARE), id_="other")))

    assert all(each.end == each.start for each in after.closures if each.start > NOW)


def test_an_order_that_lasts_longer_moves_the_end_of_its_closures() -> None:
    before = applied(town(), planned(town(), order(ban())))
    longer = "2026-12-11T18:00:00+01:00"
    done = planned(before, order(ban(validity(end=longer))))

    assert {each.id for each in done.changes} == {each.id for each in before.closures}
    assert {each.end for each in done.changes} == {datetime.fromisoformat(longer)}


def test_the_closures_of_an_order_that_became_unreadable_stay() -> None:
    before = applied(town(), planned(town(), order(ban())))
    exception = validity("<com:exceptionPeriod/>")

    assert planned(before, order(ban(exception))).changes == ()


def test_closures_planned_by_hand_are_not_touched() -> None:
    by_hand = Closure(id="c1", place="h2", start=NOW, end=NOW + timedelta(days=1), reason="marché")

    assert by_hand.id not in {each.id for each in planned(town(by_hand), order(ban())).changes}


def test_hours_that_come_back_are_closures_of_their_own_by_the_town_s_clock() -> None:
    weekly = validity(hours("07:00:00+00:00", "12:00:00+00:00", "monday", "friday"), end="2026-12-20T00:00:00+01:00")

    spans = [(each.start, each.end) for each in planned(town(), order(ban(weekly))).changes if each.place == "h1"]

    days = ["2026-11-27", "2026-11-30", "2026-12-04", "2026-12-07", "2026-12-11"]
    assert spans == [
        (datetime.fromisoformat(f"{day}T08:00:00+01:00"), datetime.fromisoformat(f"{day}T13:00:00+01:00"))
        for day in days
    ]


def test_an_hour_keeps_its_place_on_the_clock_when_the_clocks_change() -> None:
    """08:00 in October stays 08:00 in November, though it was written in UTC."""
    start = datetime(2026, 10, 20, tzinfo=UTC)
    text = validity(hours("06:00:00+00:00", "10:00:00+00:00", "monday"), start=start.isoformat())
    (only,) = read(order(ban(text))).orders

    assert only.bans[0].validities[0].weekly == (Weekly(frozenset({0}), time(8), time(12)),)


@given(
    weekly=st.builds(Weekly, st.frozensets(st.integers(0, 6), min_size=1), st.times(), st.times()),
    days=st.integers(1, 60),
    later=st.integers(0, 40 * 24),
)
def test_windows_lie_within_their_validity_and_stand_wherever_one_looks_from(
    weekly: Weekly, days: int, later: int
) -> None:
    validity_ = Validity(NOW - timedelta(days=5), NOW + timedelta(days=days), (weekly,))
    soon, then = NOW, NOW + timedelta(hours=later)
    first = {each for each in windows(validity_, soon, PARIS) if each[0] < each[1]}
    second = {each for each in windows(validity_, then, PARIS) if each[0] < each[1]}

    assert all(validity_.start <= start and end <= validity_.end for start, end in first | second)
    shared = soon + AHEAD - timedelta(days=1)
    assert first >= {(start, end) for start, end in second if start < shared and then < end}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (order(ban(), status="draft"), "not in force"),
        (order(ban(status="inactive")), "not in force"),
        (order(ban(rule="parkingPermitted")), "allows or limits, does not forbid"),
        (order(ban(validity(end=None))), "permanent"),
        (order(ban(others=vehicles("heavyGoodsVehicle", exempted=False))), "for some vehicles only"),
        (order("<trafficRegulation/>"), "not about parking"),
    ],
)
def test_what_closes_no_bay_is_left_out_and_counted(text: str, why: str) -> None:
    orders = read(text)

    assert (orders.orders, orders.left_out) == ((), {why: 1})


def test_a_ban_that_spares_some_vehicles_holds_for_all_others() -> None:
    assert planned(town(), order(ban(others=vehicles("emergencyServices", exempted=True)))).changes


@pytest.mark.parametrize(
    ("regulation", "reason"),
    [
        (ban(place=""), "geoJsonGeometry"),
        (ban(place='{"type":"Point"}'), "geoJsonGeometry"),
        (ban(place='{"type":"GeometryCollection","geometries":[]}'), "empty"),
        (ban(validity("<com:exceptionPeriod/>")), "exceptionPeriod"),
        (ban(validity(start="hier")), "time 'hier'"),
        (ban(validity(end="2020-01-01T00:00:00Z")), "after overallStartTime"),
        (ban(validity(hours("8h", "9h", "monday"))), "hour '8h'"),
        (ban(validity(hours("08:00:00Z", "09:00:00Z", "lundi"))), "applicableDay"),
    ],
)
def test_an_order_that_is_not_understood_is_refused_by_name_and_the_others_stand(regulation: str, reason: str) -> None:
    orders = read(order(regulation, id_="wrong"), order(ban(), id_="right"))

    assert [each.id for each in orders.orders] == ["right"]
    (refused,) = orders.refused
    assert refused.id == "wrong"
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (export(order(ban())).getvalue()[:-40], "line .*: XML"),
        (export().getvalue(), "at least one trafficRegulationOrder"),
        (b'<!DOCTYPE a [<!ENTITY x "x">]><a>&x;</a>', "without a document type"),
    ],
)
def test_half_an_export_is_no_export(body: bytes, message: str) -> None:
    with pytest.raises(FeedError, match=message):
        read_orders(io.BytesIO(body), PARIS)
