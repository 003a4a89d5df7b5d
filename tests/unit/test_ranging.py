"""Distances of one beam become presence or passages: flicker, noise and missing echoes change nothing."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.aggregator.ranging import Beam, Options, Use, present, watch
from edge.readings import Event, Presence
from firmware_sim import lidar
from firmware_sim.encoders.benewake import data
from firmware_sim.lidar import Body, Haze, Manners, Stay

GROUND, CAR, WALL, BODY = 2_600, 1_300, 2_000, 900
BAY = Options(empty_mm=GROUND)
DOORWAY = Options(use=Use.DOORWAY, empty_mm=WALL)
LEARNED_BAY, LEARNED_DOORWAY = Options(), Options(use=Use.DOORWAY)
STRONG = 1_000
Measured = Sequence[int | None]


def seconds(mm: int | None, duration: float, every_ms: int = 100) -> Measured:
    return [mm] * round(duration * 1_000 / every_ms)


def millis(mm: int | None, duration_ms: int) -> Measured:
    return [mm] * (duration_ms // 10)


def watched(options: Options, *parts: Measured, every_ms: int = 100, strength: int = STRONG) -> list[Presence | Event]:
    beam: Beam | None = None
    told: list[Presence | Event] = []
    for number, mm in enumerate(mm for part in parts for mm in part):
        beam, news = watch(beam, mm, strength, number * every_ms, options)
        told += news
    return told


def states(options: Options, *parts: Measured, every_ms: int = 100, strength: int = STRONG) -> list[bool]:
    told = watched(options, *parts, every_ms=every_ms, strength=strength)
    return [news.occupied for news in told if isinstance(news, Presence)]


def passed(options: Options, *parts: Measured) -> int:
    return len(watched(options, *parts, every_ms=10))


def test_a_car_comes_and_goes() -> None:
    assert states(BAY, seconds(GROUND, 20), seconds(CAR, 60), seconds(GROUND, 20)) == [False, True, False]


def test_a_bay_that_is_occupied_at_the_start_is_known_where_the_ground_is_known() -> None:
    assert states(BAY, seconds(CAR, 60)) == [True]


def test_without_a_known_ground_nothing_is_told_before_it_is_learned() -> None:
    assert states(LEARNED_BAY, seconds(GROUND, 9)) == []
    assert states(LEARNED_BAY, seconds(GROUND, 20), seconds(CAR, 20)) == [False, True]


def test_a_ground_that_a_car_hid_at_the_start_is_learned_when_it_has_left() -> None:
    assert states(LEARNED_BAY, seconds(CAR, 60), seconds(GROUND, 90), seconds(CAR, 60)) == [False, True]


@pytest.mark.parametrize("glint_s", [0.5, 1, 2, 5])
def test_a_windscreen_that_reads_as_far_away_frees_no_bay(glint_s: float) -> None:
    glints = [part for _ in range(20) for part in (seconds(GROUND, glint_s), seconds(CAR, 30))]
    assert states(BAY, seconds(CAR, 30), *glints) == [True]


def test_somebody_who_walks_across_a_free_bay_occupies_nothing() -> None:
    assert states(BAY, seconds(GROUND, 30), seconds(BODY, 3), seconds(GROUND, 30)) == [False]


def test_missing_and_weak_echoes_say_nothing() -> None:
    assert states(BAY, seconds(CAR, 30), seconds(None, 3_600)) == [True]
    assert states(BAY, seconds(CAR, 30), strength=99) == []


def test_a_short_debounce_is_quicker() -> None:
    quick = Options(empty_mm=GROUND, debounce_s=1)
    assert states(quick, seconds(GROUND, 5), seconds(CAR, 2), seconds(GROUND, 5)) == [False, True, False]


def test_two_slow_measurements_must_agree() -> None:
    minute = 60_000
    assert states(BAY, [GROUND] * 3, [CAR], [GROUND] * 3, every_ms=minute) == [False]
    assert states(BAY, [GROUND] * 3, [CAR] * 2, every_ms=minute) == [False, True]


def test_snow_that_falls_for_hours_is_followed_and_a_car_on_it_is_seen() -> None:
    snow = [GROUND - centimetre * 10 for centimetre in range(45) for _ in range(120)]
    on_snow = seconds(GROUND - 440 - 400, 120, 1_000)
    assert states(BAY, snow, on_snow, every_ms=1_000) == [False, True]


def test_a_parked_car_is_never_taken_for_the_ground() -> None:
    week = seconds(CAR, 7 * 86_400, 30_000)
    assert states(BAY, week, seconds(GROUND, 600, 30_000), every_ms=30_000) == [True, False]


def test_the_present_of_a_bay_can_be_told_again() -> None:
    beam: Beam | None = None
    for number in range(300):
        beam, _ = watch(beam, CAR, STRONG, number * 100, BAY)
    assert present(beam) == [Presence(channel="1", occupied=True)]
    assert present(None) == []


def test_a_passage_is_one_event_in() -> None:
    told = watched(DOORWAY, millis(WALL, 500), millis(BODY, 250), millis(WALL, 500), every_ms=10)
    assert told == [Event(channel="line1", mode="pedestrian", direction="in")]


def test_nobody_is_counted_before_the_empty_doorway_is_known() -> None:
    one = (millis(BODY, 250), millis(WALL, 1_000))
    assert passed(LEARNED_DOORWAY, millis(WALL, 3_000), *one, millis(WALL, 8_000), *one) == 1


@pytest.mark.parametrize("gap_ms", [150, 300, 1_000])
def test_one_behind_the_other_are_two(gap_ms: int) -> None:
    dips = (millis(BODY, 300), millis(WALL, gap_ms), millis(BODY + 100, 250))
    assert passed(DOORWAY, millis(WALL, 500), *dips, millis(WALL, 500)) == 2


def test_a_dip_with_a_waist_is_two() -> None:
    waist = (millis(BODY, 300), millis(BODY + 500, 120), millis(BODY, 300))
    assert passed(DOORWAY, millis(WALL, 500), *waist, millis(WALL, 500)) == 2


def test_an_uneven_body_is_one() -> None:
    uneven = (millis(BODY, 100), millis(BODY + 200, 150), millis(BODY - 50, 100))
    assert passed(DOORWAY, millis(WALL, 500), *uneven, millis(WALL, 500)) == 1


def test_an_arm_that_swings_before_the_body_is_no_second_person() -> None:
    arm_first = (millis(BODY, 100), millis(WALL, 120), millis(BODY, 350))
    arm_last = (millis(BODY, 350), millis(WALL, 120), millis(BODY, 100))
    assert passed(DOORWAY, millis(WALL, 500), *arm_first, millis(WALL, 500)) == 1
    assert passed(DOORWAY, millis(WALL, 500), *arm_last, millis(WALL, 500)) == 1


def test_who_stops_in_the_beam_is_counted_once_when_leaving() -> None:
    assert passed(DOORWAY, millis(WALL, 500), millis(BODY, 120_000)) == 0
    assert passed(DOORWAY, millis(WALL, 500), millis(BODY, 120_000), millis(WALL, 500)) == 1


def test_a_door_left_open_is_furniture_and_counting_goes_on() -> None:
    door, one = millis(1_200, 320_000), (millis(600, 250), millis(1_200, 1_000))
    assert passed(DOORWAY, millis(WALL, 500), door, *one) == 1
    assert passed(DOORWAY, millis(WALL, 500), door, millis(WALL, 70_000), millis(BODY, 250), millis(WALL, 500)) == 1


def test_single_wrong_measurements_and_a_far_view_count_nobody() -> None:
    wrong = [[*millis(WALL, 300), 150, *millis(WALL, 300), 11_000] for _ in range(50)]
    assert passed(DOORWAY, *wrong, millis(WALL, 500)) == 0
    assert passed(DOORWAY, millis(WALL, 500), millis(9_000, 2_000), millis(WALL, 500)) == 0


def test_an_echo_that_is_lost_within_a_body_does_not_divide_it() -> None:
    body = (millis(BODY, 100), millis(None, 200), millis(BODY, 100))
    assert passed(DOORWAY, millis(WALL, 500), *body, millis(WALL, 500)) == 1


@given(st.lists(st.tuples(st.integers(0, 12_000) | st.none(), st.integers(0, 5_000)), max_size=80), st.booleans())
def test_any_measurements_leave_a_possible_state(measured: list[tuple[int | None, int]], bay: bool) -> None:
    options = LEARNED_BAY if bay else LEARNED_DOORWAY
    beam: Beam | None = None
    now_ms, occupied = 0, None
    for mm, later_ms in measured:
        now_ms += later_ms
        beam, news = watch(beam, mm, None, now_ms, options)
        for told in news:
            assert isinstance(told, Presence) is bay
            assert not isinstance(told, Presence) or told.occupied is not occupied
            occupied = told.occupied if isinstance(told, Presence) else None
    if beam is not None:
        distances = [mm for mm, _ in measured if mm is not None]
        assert min(distances) <= beam.empty.mm <= max(distances)


def test_a_change_of_use_begins_anew() -> None:
    beam, _ = watch(None, WALL, STRONG, 0, DOORWAY)
    for number in range(200):
        beam, _ = watch(beam, CAR, STRONG, number * 100, BAY)
    assert present(beam) == [Presence(channel="1", occupied=True)]


def test_the_simulated_doorway_shows_a_body_and_its_arm() -> None:
    body = Body(at_ms=5_000, aside_mm=1_000, pace_mm_s=1_000, length_mm=300, arm_ahead_mm=80)
    signal = lidar.doorway([body], 10_000, seed=1, haze=Haze(noise_mm=0))
    near = [at_ms for at_ms, mm, _ in signal.measurements() if mm == 1_000]
    assert (near[0], near[-1]) == (4_730, 5_120)
    assert 250 < 10 * len(near) < 330
    assert next(signal.frames()) == (0, data(lidar.DOORWAY_MM, lidar.STRENGTH))


def test_the_simulated_bay_shows_bonnet_glass_and_where_the_car_stands() -> None:
    signal = lidar.bay([Stay(60_000, 180_000)], 240_000, seed=1, haze=Haze(noise_mm=0))
    during = {round(mm, -1) for at_ms, mm, _ in signal.measurements() if 60_000 <= at_ms < 120_000}
    assert lidar.BONNET_MM in during
    assert max(during) >= lidar.BAY_MM
    assert all(mm > 2_500 or mm == lidar.HEAD_MM for at_ms, mm, _ in signal.measurements() if at_ms > 181_000)


def test_haze_hides_echoes_and_delays_what_is_heard() -> None:
    haze = Haze(noise_mm=0, no_echo=0.3, chunk_ms=50)
    signal = lidar.doorway([], 60_000, seed=1, haze=haze)
    lost = [strength for _, mm, strength in signal.measurements() if mm == lidar.NO_ECHO]
    assert 0.27 < len(lost) / len(signal.mm) < 0.33
    assert set(lost) == {lidar.WEAK}
    assert {at_ms % 50 for at_ms, _, _ in signal.measurements()} == {0}


def test_simulated_people_come_in_order_as_many_as_asked() -> None:
    bodies = lidar.people(100, 1, Manners(in_file=0.5, stopping=0.2, abreast=0.1))
    leaving = [body.at_ms + body.stop_ms for body in bodies]
    assert len(bodies) == 100
    assert all(later >= earlier - 100 for earlier, later in pairwise(leaving))
