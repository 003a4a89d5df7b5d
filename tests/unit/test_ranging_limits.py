"""Where one beam's distances turn from one judgement to the other: how near, how long, how soon after."""

from collections.abc import Sequence

import pytest

from edge.aggregator.ranging import Bay, Beam, Doorway, Options, Use, watch
from edge.readings import Presence

GROUND, CAR, WALL, BODY = 2_600, 1_300, 2_000, 900
BAY = Options(empty_mm=GROUND)
LEARNED_BAY = Options()
DOORWAY = Options(use=Use.DOORWAY, empty_mm=WALL)
Measured = Sequence[int]


def seconds(mm: int, duration: float) -> Measured:
    """Ten measurements a second."""
    return [mm] * round(duration * 10)


def millis(mm: int, duration_ms: int) -> Measured:
    """A hundred measurements a second."""
    return [mm] * (duration_ms // 10)


def after(options: Options, *parts: Measured, strength: int = 1_000) -> tuple[Beam | None, list[bool]]:
    """What is known of a bay at the end, and what was told of it."""
    beam: Beam | None = None
    told: list[bool] = []
    for number, mm in enumerate(mm for part in parts for mm in part):
        beam, news = watch(beam, mm, strength, number * 100, options)
        told += [each.occupied for each in news if isinstance(each, Presence)]
    return beam, told


def states(options: Options, *parts: Measured, strength: int = 1_000) -> list[bool]:
    return after(options, *parts, strength=strength)[1]


def empty_mm(options: Options, *parts: Measured) -> float:
    beam, _ = after(options, *parts)
    assert isinstance(beam, Bay)
    return beam.empty.mm


def passed(*parts: Measured, options: Options = DOORWAY) -> int:
    beam: Beam | None = None
    count = 0
    for number, mm in enumerate(mm for part in parts for mm in part):
        beam, news = watch(beam, mm, 1_000, number * 10, options)
        count += len(news)
    return count


def test_a_car_is_nearer_than_the_ground_by_more_than_a_step() -> None:
    assert states(BAY, seconds(GROUND - 301, 60)) == [True]
    assert states(BAY, seconds(GROUND - 300, 60)) == []


def test_a_bay_is_free_when_nothing_is_nearer_than_the_ground_by_half_a_step() -> None:
    assert states(BAY, seconds(GROUND - 149, 60)) == [False]
    assert states(BAY, seconds(GROUND - 150, 60)) == []


def test_a_heap_of_snow_in_a_free_bay_is_neither_a_car_nor_the_ground() -> None:
    beam, told = after(BAY, seconds(GROUND, 20), seconds(GROUND - 200, 120))
    assert told == [False]
    assert isinstance(beam, Bay)
    assert beam.empty.mm == GROUND


def test_an_echo_of_the_least_strength_says_something() -> None:
    assert states(BAY, seconds(CAR, 30), strength=100) == [True]
    assert states(BAY, seconds(CAR, 30), strength=99) == []


def test_a_state_is_told_when_the_contrary_was_outvoted_by_ten_seconds() -> None:
    free = seconds(GROUND, 20)
    assert states(BAY, free, seconds(CAR, 9.9)) == [False]
    assert states(BAY, free, seconds(CAR, 10)) == [False, True]


def test_the_ground_is_learned_for_ten_seconds_before_anything_is_told() -> None:
    assert states(LEARNED_BAY, seconds(GROUND, 10)) == []
    assert states(LEARNED_BAY, seconds(GROUND, 10.1)) == [False]


def test_a_car_that_comes_while_the_ground_is_learned_is_not_told_before_it_is_known() -> None:
    assert states(LEARNED_BAY, seconds(GROUND, 5), seconds(CAR, 60)) == []
    assert states(LEARNED_BAY, seconds(GROUND, 5), seconds(CAR, 60), seconds(GROUND, 30)) == [False]


def test_who_stood_in_the_beam_at_the_start_has_left_when_a_second_reads_farther() -> None:
    stood = seconds(CAR, 2)
    assert empty_mm(LEARNED_BAY, stood, seconds(GROUND, 0.9)) == CAR
    assert empty_mm(LEARNED_BAY, stood, seconds(GROUND, 1)) == GROUND


def test_later_a_farther_ground_is_believed_after_a_minute() -> None:
    told_wrong = Options(empty_mm=CAR)
    assert empty_mm(told_wrong, seconds(CAR, 1), seconds(GROUND, 59.9)) == CAR
    assert empty_mm(told_wrong, seconds(CAR, 1), seconds(GROUND, 60)) == GROUND


def test_the_ground_is_found_within_a_second_at_first_and_followed_by_twelve_millimetres_a_minute_later() -> None:
    assert empty_mm(LEARNED_BAY, seconds(GROUND, 0.1), seconds(GROUND - 100, 0.5)) == pytest.approx(GROUND - 50)
    assert empty_mm(BAY, seconds(GROUND, 0.1), seconds(GROUND - 140, 60)) == pytest.approx(GROUND - 12)


def test_a_bay_is_known_after_half_the_debounce_time() -> None:
    assert states(BAY, seconds(GROUND, 5)) == states(BAY, seconds(CAR, 5)) == []
    assert states(BAY, seconds(GROUND, 5.1)) == [False]
    assert states(BAY, seconds(CAR, 5.1)) == [True]


def test_a_farther_distance_is_forgotten_as_fast_as_it_was_learned_before_another_is() -> None:
    told_wrong = Options(empty_mm=CAR)
    assert empty_mm(told_wrong, seconds(5_000, 40), seconds(GROUND, 99)) == CAR
    assert empty_mm(told_wrong, seconds(5_000, 40), seconds(GROUND, 101)) == GROUND


def test_the_first_reading_of_a_farther_ground_may_be_off() -> None:
    assert empty_mm(Options(empty_mm=CAR), seconds(CAR, 1), [GROUND + 100], seconds(GROUND, 60)) == GROUND


def test_the_wall_behind_a_doorway_is_followed_by_twelve_millimetres_a_minute() -> None:
    beam: Beam | None = None
    for number, mm in enumerate([WALL, *seconds(WALL - 140, 60)]):
        beam, _ = watch(beam, mm, 1_000, number * 100, DOORWAY)
    assert isinstance(beam, Doorway)
    assert beam.empty.mm == pytest.approx(WALL - 12)


def test_a_body_is_a_step_nearer_and_has_left_a_step_farther() -> None:
    narrow = Options(use=Use.DOORWAY, empty_mm=BODY + 300)
    room, body = millis(BODY + 300, 500), millis(BODY, 250)
    assert passed(room, body, room, options=narrow) == 1
    assert passed(room, millis(BODY + 1, 250), room, options=narrow) == 0


@pytest.mark.parametrize(("body_ms", "count"), [(30, 0), (40, 1)])
def test_what_is_in_the_beam_for_less_than_forty_milliseconds_is_nobody(body_ms: int, count: int) -> None:
    assert passed(millis(WALL, 500), millis(BODY, body_ms), millis(WALL, 500)) == count


@pytest.mark.parametrize(("gap_ms", "count"), [(80, 1), (90, 2)])
def test_a_gap_of_up_to_eighty_milliseconds_is_a_fold_of_one_body(gap_ms: int, count: int) -> None:
    assert (
        passed(millis(WALL, 500), millis(BODY, 300), millis(WALL, gap_ms), millis(BODY, 300), millis(WALL, 500))
        == count
    )


@pytest.mark.parametrize(
    ("arm_ms", "gap_ms", "count"),
    [(140, 120, 1), (150, 120, 2), (140, 140, 1), (140, 150, 2)],
)
def test_an_arm_is_shorter_than_half_its_body_and_within_a_seventh_of_a_second(
    arm_ms: int, gap_ms: int, count: int
) -> None:
    arm_first = (millis(BODY, arm_ms), millis(WALL, gap_ms), millis(BODY, 300))
    assert passed(millis(WALL, 500), *arm_first, millis(WALL, 500)) == count
    assert passed(millis(WALL, 500), *reversed(arm_first), millis(WALL, 500)) == count


def test_who_stands_still_for_less_than_five_minutes_is_a_person() -> None:
    assert passed(millis(WALL, 500), millis(BODY, 290_000), millis(WALL, 500)) == 1


def test_a_door_that_stands_open_a_little_before_the_wall_is_furniture_and_nobody_when_it_closes() -> None:
    assert passed(millis(WALL, 500), millis(WALL - 400, 320_000), millis(WALL, 500)) == 0


def test_after_a_long_silence_one_measurement_teaches_a_doorway_no_more_than_a_second() -> None:
    beam, _ = watch(None, WALL, 1_000, 0, DOORWAY)
    beam, told = watch(beam, BODY, 1_000, 3_600_000, DOORWAY)
    assert isinstance(beam, Doorway)
    assert told == []
    assert (beam.empty.mm, beam.empty.elsewhere_mm, beam.empty.elsewhere_ms) == (WALL, BODY, 1_000)
