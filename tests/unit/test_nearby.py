"""Where to park around a point: the nearest that can be trusted first, and nothing that others may use."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.counts import AudienceCounts
from cloud_api.nearby import DETOUR, metres, nearby
from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from cloud_api.trust import Trust
from cloud_api.zones import ZoneView
from tests.town import HERE, NOW

NORTH_M = 1 / 111_195
"""Degrees of latitude a metre."""


def zone(
    name: str,
    away_m: float,
    free: int | None,
    *,
    unknown: int = 0,
    trust: Trust = Trust.FRESH,
    audience: Audience = Audience.PUBLIC,
) -> ZoneView:
    occupied = None if free is None else 2
    counts = AudienceCounts(
        audience=audience,
        capacity=(free or 0) + (occupied or 0) + unknown,
        free=free,
        occupied=occupied,
        unknown=unknown,
        closed=0,
        trust=trust,
        cause=None,
        measured_at=NOW - timedelta(minutes=1),
        oldest_at=None,
    )
    return ZoneView(
        **{each: getattr(counts, each) for each in ZoneView.__struct_fields__ if hasattr(counts, each)},
        id=name,
        name=name,
        position=Position(lat=HERE.lat + away_m * NORTH_M, lon=HERE.lon),
        audiences=(counts,),
    )


def found(*zones: ZoneView, audience: Audience = Audience.PUBLIC, radius_m: float = 500) -> list[str]:
    return [each.id for each in nearby(zones, HERE, audience, radius_m)]


def test_the_nearest_that_has_a_space_comes_first_and_the_full_one_at_the_door_last() -> None:
    assert found(
        zone("full", 10, 0),
        zone("far", 300, 4),
        zone("near", 100, 1),
        zone("silent", 20, None, unknown=8, trust=Trust.STALE),
        zone("closed", 5, None, trust=Trust.CLOSED),
    ) == ["near", "far", "silent", "closed", "full"]


def test_a_figure_that_cannot_be_trusted_comes_after_one_that_can() -> None:
    assert found(zone("frozen", 10, 9, trust=Trust.FROZEN), zone("fresh", 400, 1)) == ["fresh", "frozen"]


def test_a_zone_where_some_are_not_known_may_have_a_space() -> None:
    assert found(zone("full", 10, 0), zone("maybe", 20, 0, unknown=1)) == ["maybe", "full"]


def test_zones_without_a_space_for_the_audience_are_not_named() -> None:
    assert found(zone("charging", 10, 3, audience=Audience.EV)) == []
    assert found(zone("charging", 10, 3, audience=Audience.EV), audience=Audience.EV) == ["charging"]


def test_what_lies_beyond_the_radius_is_not_named() -> None:
    assert found(zone("in", 499, 1), zone("out", 501, 1)) == ["in"]


def test_the_walk_is_longer_than_the_way_of_a_bird() -> None:
    (near,) = nearby([zone("z", 400, 1)], HERE, Audience.PUBLIC, 500)

    assert (near.distance_m, near.walk_m, near.walk_min) == (400, round(400 * DETOUR), 7)


@pytest.mark.parametrize(
    ("one", "other", "away_m"),
    [
        (Position(lat=47.2184, lon=-1.5536), Position(lat=48.8566, lon=2.3522), 342_700),
        (Position(lat=0, lon=179.9), Position(lat=0, lon=-179.9), 22_239),
        (Position(lat=90, lon=0), Position(lat=-90, lon=0), 20_015_114),
    ],
)
def test_distances_are_those_of_the_earth(one: Position, other: Position, away_m: float) -> None:
    assert metres(one, other) == pytest.approx(away_m, rel=0.002)


POSITIONS = st.builds(Position, lat=st.floats(-90, 90), lon=st.floats(-180, 180))


@given(POSITIONS, POSITIONS)
def test_there_is_as_far_as_back_and_never_more_than_half_round_the_earth(one: Position, other: Position) -> None:
    assert metres(one, other) == pytest.approx(metres(other, one), abs=1e-3)
    assert 0 <= metres(one, other) <= 20_016_000
