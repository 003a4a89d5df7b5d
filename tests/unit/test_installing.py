"""Sensors at their places: installed, turned round, moved, swapped, taken down; mistakes say what to do instead."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cloud_api.flows import hourly_flows
from cloud_api.periods import Period
from cloud_api.provisioning import installing
from cloud_api.provisioning.installing import install
from cloud_api.provisioning.plan import NotPossibleError, Plan
from cloud_api.registry import Counter, Device, Gateway, Installation, Position, Registry, Space, Zone
from cloud_api.registry.contradictions import tables_of
from cloud_api.registry.kinds import key_of, kind_of
from cloud_api.stores import open_store
from cloud_api.stores.base import Channel
from tests.history import flow

NOW = datetime(2026, 11, 27, 12, 34, 56, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOON = NOW.replace(minute=0, second=0)
HERE = Position(lat=47.2137, lon=-1.5562)
PUCK, SPARE, LINE = "0004a30b00ff0001", "0004a30b00ff0002", "0004a30b00ff0003"
STREET = Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="vers la gare", out="vers la mairie")
TOWN = Registry(
    zones=[Zone(id="marche", name="Place du Marché", position=HERE)],
    spaces=[Space(id="m1", zone="marche"), Space(id="m2", zone="marche")],
    counters=[STREET, Counter(id="rue-basse", name="Rue Basse", position=HERE, in_="nord", out="sud")],
    gateways=[Gateway(name="halles", label="Les halles", managed=True)],
    devices=[
        Device(address=PUCK, model="bosch-tps110", gateway="halles", debounce_s=5),
        Device(address=SPARE, model="bosch-tps110", gateway="halles"),
        Device(address=LINE, model="parametric-pcr2", gateway="halles"),
    ],
)


def after(town: Registry, plan: Plan) -> Registry:
    """The registry with a plan carried out, as the store does it."""
    entries = {(kind_of(each), key_of(each)): each for each in town.entries}
    entries.update({(kind_of(each), key_of(each)): each for each in plan.entries})
    for each in plan.gone:
        del entries[kind_of(each), key_of(each)]
    tables = tables_of(entries.values())
    return Registry(**{name: getattr(tables, name) for name in tables.__struct_fields__})


def puck_at(place: str, at: datetime, device: str = PUCK, town: Registry = TOWN) -> Registry:
    return after(town, install(town, device=device, channel="1", place=place, at=at))


def line_at(place: str, at: datetime, device: str = LINE, town: Registry = TOWN) -> Registry:
    return after(town, install(town, device=device, channel="line1", place=place, mode="pedestrian", at=at))


def refused(action: Callable[[], Plan]) -> NotPossibleError:
    with pytest.raises(NotPossibleError) as caught:
        action()
    return caught.value


def periods(town: Registry, place: str) -> list[tuple[str, datetime, datetime | None]]:
    return sorted((each.device, each.start, each.end) for each in town.installations if each.place == place)


def test_at_a_space_it_serves_from_the_minute_on_and_at_a_counter_from_the_full_hour_on() -> None:
    assert periods(puck_at("m1", NOW), "m1") == [(PUCK, NOW.replace(second=0), None)]
    assert periods(line_at("rue-haute", NOW), "rue-haute") == [(LINE, NOON, None)]


def test_who_says_it_twice_changes_nothing() -> None:
    town = puck_at("m1", NOW)

    plan = install(town, device=PUCK, channel="1", place="m1", at=NOW + 5 * MINUTE)

    assert plan.entries == ()
    assert plan.words == (f"{PUCK} 1 serves m1 since 2026-11-27 12:34 UTC already",)


def test_a_device_that_serves_elsewhere_is_refused_with_where_since_when_and_what_to_do() -> None:
    town = puck_at("m1", NOW)

    error = refused(lambda: install(town, device=PUCK, channel="1", place="m2", at=NOW + HOUR))

    assert error.name == "installed-elsewhere"
    assert str(error) == (f"{PUCK} serves m1 since 2026-11-27 12:34 UTC; move it, or end that installation first")


def test_a_space_that_is_served_already_names_who_serves_it() -> None:
    town = puck_at("m1", NOW)

    error = refused(lambda: install(town, device=SPARE, channel="1", place="m1", at=NOW + HOUR))

    assert (error.name, error.facts["device"]) == ("served-already", PUCK)


def test_the_other_way_round_is_a_matter_of_turning_not_of_installing() -> None:
    town = line_at("rue-haute", NOW)

    error = refused(
        lambda: install(
            town, device=LINE, channel="line1", mode="pedestrian", place="rue-haute", at=NOW, reversed_=True
        )
    )

    assert error.name == "other-way-round"


def test_names_that_nobody_knows_come_with_the_nearest_known() -> None:
    assert refused(lambda: install(TOWN, device=PUCK, channel="1", place="rue-hautte", at=NOW)).nearest == "rue-haute"
    assert refused(lambda: install(TOWN, device=PUCK[:-1] + "9", channel="1", place="m1", at=NOW)).nearest is not None
    assert refused(lambda: install(TOWN, device=PUCK, channel="1", place="marche", at=NOW)).name == "uncounted-zone"


def test_a_reversed_direction_is_mended_for_as_long_as_it_was_so() -> None:
    town = line_at("rue-haute", NOW)

    turned = after(town, installing.turn_round(town, LINE, NOW + 30 * 24 * HOUR))

    (installation,) = turned.installations
    assert installation.reversed
    assert installation.start == NOON


def test_a_counter_serves_until_the_full_hour_and_a_space_until_the_minute() -> None:
    later = NOW + 2 * HOUR

    line = line_at("rue-haute", NOW)
    assert periods(after(line, installing.end(line, LINE, later)), "rue-haute") == [(LINE, NOON, NOON + 3 * HOUR)]
    puck = puck_at("m1", NOW)
    assert periods(after(puck, installing.end(puck, PUCK, later)), "m1") == [
        (PUCK, NOW.replace(second=0), later.replace(second=0))
    ]


def test_what_is_taken_back_within_the_minute_never_was() -> None:
    town = puck_at("m1", NOW)

    assert periods(after(town, installing.end(town, PUCK, NOW)), "m1") == []


def test_the_hour_in_which_a_counter_was_moved_belongs_to_neither_street() -> None:
    town = line_at("rue-haute", NOW - 24 * HOUR)

    moved = after(town, installing.move(town, LINE, "rue-basse", NOW))

    assert periods(moved, "rue-haute") == [(LINE, NOON - 24 * HOUR, NOON)]
    assert periods(moved, "rue-basse") == [(LINE, NOON + HOUR, None)]


def test_a_wrong_place_that_is_noticed_at_once_leaves_no_trace() -> None:
    town = line_at("rue-haute", NOW)

    moved = after(town, installing.move(town, LINE, "rue-basse", NOW + MINUTE))

    assert periods(moved, "rue-haute") == []
    assert periods(moved, "rue-basse") == [(LINE, NOON, None)]


def test_a_place_that_was_written_down_wrongly_is_mended_for_the_past_too() -> None:
    town = puck_at("m1", NOW - 24 * HOUR)

    mended = after(town, installing.correct(town, PUCK, "m2", NOW))

    assert periods(mended, "m1") == []
    assert periods(mended, "m2") == [(PUCK, NOW.replace(second=0) - 24 * HOUR, None)]


def test_two_sensors_that_were_taken_for_each_other_change_places_for_the_past_too() -> None:
    town = puck_at("m2", NOW, SPARE, puck_at("m1", NOW))

    mended = after(town, installing.exchange(town, PUCK, SPARE, NOW + 100 * HOUR))

    assert [each[0] for each in periods(mended, "m1")] == [SPARE]
    assert [each[0] for each in periods(mended, "m2")] == [PUCK]


def test_a_swapped_sensor_of_the_same_model_inherits_gateway_settings_and_place() -> None:
    town = puck_at("m1", NOW - HOUR)

    swapped = after(town, installing.swap(town, PUCK, Device(address="0004A30B00FF0009", model="bosch-tps110"), NOW))

    fresh = swapped.devices["0004a30b00ff0009"]
    assert (fresh.gateway, fresh.debounce_s) == ("halles", 5)
    assert swapped.devices[PUCK].gateway is None
    assert periods(swapped, "m1") == [
        (PUCK, NOW.replace(second=0) - HOUR, NOW.replace(second=0)),
        ("0004a30b00ff0009", NOW.replace(second=0), None),
    ]


def test_a_swap_that_was_a_mistake_is_swapped_back_within_the_same_hour() -> None:
    town = line_at("rue-haute", NOW - 24 * HOUR)
    spare = Device(address="0004a30b00ff0009", model="parametric-pcr2")

    there = after(town, installing.swap(town, LINE, spare, NOW))
    back = after(there, installing.swap(there, spare.address, town.devices[LINE], NOW + 10 * MINUTE))

    assert (LINE, NOON - 24 * HOUR, None) in periods(back, "rue-haute")
    assert back.devices[LINE].gateway == "halles"


def test_a_sensor_that_serves_elsewhere_cannot_be_swapped_in() -> None:
    town = puck_at("m2", NOW, SPARE, puck_at("m1", NOW))

    assert refused(lambda: installing.swap(town, PUCK, TOWN.devices[SPARE], NOW)).name == "installed-elsewhere"
    assert refused(lambda: installing.swap(town, PUCK, TOWN.devices[PUCK], NOW)).name == "same-device"


def test_what_serves_a_place_is_named_where_it_is_one() -> None:
    town = puck_at("m1", NOW)

    assert installing.serving_device(town, "m1", NOW) == PUCK
    with pytest.raises(NotPossibleError, match="nothing serves m2"):
        installing.serving_device(town, "m2", NOW)


def interval_of(moment: datetime) -> datetime:
    """When the five minutes of a moment began."""
    return moment.replace(minute=moment.minute // 5 * 5, second=0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(second=st.integers(1, 3 * 3600), before=st.integers(0, 99), later=st.integers(0, 99))
@example(second=3600, before=5, later=7)
@example(second=300, before=5, later=7)
def test_the_parts_of_both_sensors_around_a_swap_add_up_exactly(
    tmp_path: Path, second: int, before: int, later: int
) -> None:
    """Whatever the second of the swap: what either counted at the place is the place's, and nothing else."""
    town, at = line_at("rue-haute", NOON - 5 * HOUR), NOON + timedelta(seconds=second)
    spare = Device(address="0004a30b00ff0009", model="parametric-pcr2")
    swapped = after(town, installing.swap(town, LINE, spare, at))
    last, first = interval_of(at - timedelta(seconds=1)), interval_of(at)
    facts = [
        flow(last - 5 * MINUTE, in_=before, channel=Channel(LINE, "line1", "pedestrian")),
        flow(last, in_=1, channel=Channel(LINE, "line1", "pedestrian")),
        flow(first, in_=2, channel=Channel(spare.address, "line1", "pedestrian")),
        flow(first + 5 * MINUTE, in_=later, channel=Channel(spare.address, "line1", "pedestrian")),
    ]
    file = tmp_path / f"{second}-{before}-{later}.db"
    with closing(open_store(f"sqlite:///{file}")) as store:
        store.write(facts)
        period = Period(NOON - 5 * HOUR, NOON + 10 * HOUR)
        hours = hourly_flows(swapped, store, STREET, period, ZoneInfo("UTC")).hours
    file.unlink()

    assert sum(hour.in_ or 0 for hour in hours) == before + 1 + 2 + later


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["install", "end", "move", "swap", "turn"]), st.integers(0, 90)), max_size=8
    )
)
def test_whatever_is_done_in_whatever_order_the_registry_holds_together(steps: list[tuple[str, int]]) -> None:
    """Every plan that is not refused leaves a registry without contradictions."""
    town, at = TOWN, NOW
    for name, minutes in steps:
        at += minutes * MINUTE
        town = _step(town, name, at)

    assert all(isinstance(each, Installation) for each in town.installations)


def _step(town: Registry, name: str, at: datetime) -> Registry:
    served = {each.place for each in town.installations if each.device == LINE and each.serves_at(at)}
    other = "rue-haute" if "rue-basse" in served else "rue-basse"
    actions: dict[str, Callable[[], Plan]] = {
        "install": lambda: install(town, device=LINE, channel="line1", mode="pedestrian", place=other, at=at),
        "end": lambda: installing.end(town, LINE, at),
        "move": lambda: installing.move(town, LINE, other, at),
        "swap": lambda: installing.swap(
            town, installing.serving_device(town, other, at), Device(address=LINE, model="parametric-pcr2"), at
        ),
        "turn": lambda: installing.turn_round(town, LINE, at),
    }
    try:
        return after(town, actions[name]())
    except NotPossibleError:
        return town
