"""Closures are in force in time; a closed zone takes its spaces with it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.registry import Closure, Position, Registry, Space, Zone
from cloud_api.registry.contradictions import ContradictionError

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def town(*closures: Closure) -> Registry:
    here = Position(lat=47.2, lon=-1.5)
    spaces = [Space(id="m1", zone="marche"), Space(id="m2", zone="marche"), Space(id="g1", zone="gare")]
    zones = [Zone(id=id_, name=id_, position=here) for id_ in ("marche", "gare")]
    return Registry(zones=zones, spaces=spaces, closures=closures)


def closure(place: str, start: datetime = NOON, end: datetime | None = NOON + HOUR, id_: str = "c1") -> Closure:
    return Closure(id=id_, place=place, start=start, end=end, reason="travaux")


def test_a_closed_zone_closes_its_spaces_and_no_others() -> None:
    assert set(town(closure("marche")).closures_at(NOON)) == {"marche", "m1", "m2"}


def test_a_closed_space_leaves_its_zone_open() -> None:
    assert set(town(closure("m1")).closures_at(NOON)) == {"m1"}


def test_a_closure_begins_at_its_start_and_is_over_at_its_end() -> None:
    registry = town(closure("m1"))

    assert not registry.closures_at(NOON - timedelta(seconds=1))
    assert registry.closures_at(NOON)
    assert not registry.closures_at(NOON + HOUR)


def test_a_closure_without_end_stays_in_force() -> None:
    assert town(closure("m1", end=None)).closures_at(NOON + 1000 * HOUR)


def test_a_closure_that_was_called_off_is_never_in_force() -> None:
    assert not town(closure("m1", end=NOON)).closures_at(NOON)


@given(st.permutations([HOUR, 5 * HOUR, None]))
def test_of_several_closures_the_one_that_lasts_longest_is_named(ends: list[timedelta | None]) -> None:
    several = [closure("m1", end=NOON + end if end else None, id_=f"c{index}") for index, end in enumerate(ends)]

    assert town(*several).closures_at(NOON)["m1"].end is None


@pytest.mark.parametrize(("wrong", "field"), [(closure("rue-haute"), "place"), (closure("m1", end=NOON - HOUR), "to")])
def test_a_closure_that_cannot_be_is_refused_by_field(wrong: Closure, field: str) -> None:
    with pytest.raises(ContradictionError) as caught:
        town(wrong)

    assert (caught.value.table, caught.value.field) == ("closure", field)
