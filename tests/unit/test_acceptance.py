"""A test on the spot: what is right passes, a direction or presence the wrong way round is found with its mend."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.provisioning.acceptance import Act, Check, Finding, Installed, Judgement, Leg, Mend, Verdict, judge
from edge.messages import CapturedFrame
from edge.readings import AnyReading, Delta, Event, Health, Presence, Total, to_json_line

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
LINE = Installed(channel="line1", mode="pedestrian")
BAY = Installed(channel="1")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def frame(seconds: float, *readings: AnyReading, rssi: float | None = -80.0, snr: float | None = 7.0) -> CapturedFrame:
    lines = tuple(map(to_json_line, readings))
    return CapturedFrame(at=at(seconds), link="lora", rssi_dbm=rssi, snr_db=snr, readings=lines)


def total(in_: int, out: int, bits: int = 16) -> Total:
    return Total(channel="line1", mode="pedestrian", in_=in_ % 2**bits, out=out % 2**bits, bits=bits)


def leg(act: Act, start: float, end: float, times: int = 1) -> Leg:
    return Leg(act=act, times=times, start=at(start), end=at(end))


WALKS = (leg(Act.WALK_IN, 10, 40, times=10), leg(Act.WALK_OUT, 100, 130, times=10))
DRIVES = (leg(Act.DRIVE_ON, 10, 15), leg(Act.DRIVE_OFF, 60, 65))


def found(judgement: Judgement, check: Check) -> list[Finding]:
    return [finding for finding in judgement.findings if finding.check is check]


def verdicts(judgement: Judgement, check: Check) -> list[Verdict]:
    return [finding.verdict for finding in found(judgement, check)]


def walked(first: tuple[int, int], second: tuple[int, int], installed: Installed = LINE) -> Judgement:
    """Totals before, between and after the two legs, of which each counted (in, out)."""
    frames = (
        frame(0, total(500, 600)),
        frame(60, total(500 + first[0], 600 + first[1])),
        frame(160, total(500 + first[0] + second[0], 600 + first[1] + second[1])),
    )
    return judge(WALKS, frames, installed, at(200))


def test_ten_walks_each_way_counted_the_right_way_pass() -> None:
    judgement = walked((10, 0), (0, 10))

    assert judgement.verdict is Verdict.PASSED
    assert judgement.mend is None
    assert [finding.found for finding in found(judgement, Check.COUNT)] == [10, 10]


def test_a_direction_the_wrong_way_round_is_found_and_mended_by_one_tap() -> None:
    judgement = walked((0, 10), (10, 0))

    assert verdicts(judgement, Check.COUNT) == [Verdict.PASSED, Verdict.PASSED]
    assert verdicts(judgement, Check.DIRECTION) == [Verdict.FAILED, Verdict.FAILED]
    assert judgement.mend is Mend.TURN_ROUND
    assert walked((0, 10), (10, 0), Installed(channel="line1", mode="pedestrian", reversed=True)).mend is None


def test_a_sensor_that_sees_everybody_one_way_is_not_mended_by_turning_it_round() -> None:
    judgement = walked((10, 0), (10, 0))

    assert judgement.verdict is Verdict.FAILED
    assert judgement.mend is None


@pytest.mark.parametrize(("counted", "verdict"), [(9, "passed"), (11, "passed"), (8, "doubtful"), (6, "failed")])
def test_a_count_is_held_against_what_was_walked(counted: int, verdict: str) -> None:
    assert verdicts(walked((counted, 0), (0, 10)), Check.COUNT)[0] == verdict


def test_until_the_sensor_has_reported_both_before_and_after_the_walk_the_test_waits() -> None:
    no_start = judge(WALKS[:1], [frame(60, total(10, 0))], LINE, at(90))
    no_end = judge(WALKS[:1], [frame(0, total(0, 0)), frame(30, total(7, 0))], LINE, at(90))

    assert verdicts(no_start, Check.COUNT) == [Verdict.WAITING]
    assert verdicts(no_end, Check.COUNT) == [Verdict.WAITING]
    assert no_end.verdict is Verdict.WAITING


@given(st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1), st.permutations(range(3)))
def test_totals_that_roll_over_and_frames_in_any_order_judge_the_same(in_: int, out: int, order: Sequence[int]) -> None:
    frames = (frame(0, total(in_, out)), frame(60, total(in_ + 10, out)), frame(160, total(in_ + 10, out + 10)))

    judgement = judge(WALKS, [frames[index] for index in order], LINE, at(200))

    assert judgement.verdict is Verdict.PASSED


def test_sensors_that_tell_periods_or_passages_are_judged_by_their_sum() -> None:
    periods = [
        frame(20, Delta(channel="line1", mode="pedestrian", in_=4, out=0)),
        frame(50, Delta(channel="line1", mode="pedestrian", in_=6, out=0)),
        frame(55, Delta(channel="line1", mode="pedestrian", in_=3, out=0, running=True)),
        frame(60, Delta(channel="line2", mode="pedestrian", in_=3, out=0)),
    ]
    events = [frame(12 + 3 * n, Event(channel="line1", mode="pedestrian", direction="in")) for n in range(10)]

    for frames in (periods, events):
        judgement = judge(WALKS[:1], [*frames, frame(70, Health(battery_v=3.6))], LINE, at(90))
        assert [finding.found for finding in found(judgement, Check.COUNT)] == [10]
        assert verdicts(judgement, Check.DIRECTION) == [Verdict.PASSED]


def test_a_bay_that_says_what_stands_on_it_passes_and_its_delay_is_told() -> None:
    frames = [frame(25, Presence(channel="1", occupied=True)), frame(70, Presence(channel="1", occupied=False))]

    judgement = judge(DRIVES, frames, BAY, at(90))

    assert judgement.verdict is Verdict.PASSED
    assert [finding.found for finding in found(judgement, Check.DELAY)] == [10, 5]


def test_a_presence_upside_down_is_found_and_mended_by_one_tap() -> None:
    frames = [frame(25, Presence(channel="1", occupied=False)), frame(70, Presence(channel="1", occupied=True))]

    assert judge(DRIVES, frames, BAY, at(90)).mend is Mend.INVERT_PRESENCE
    assert judge(DRIVES, frames, Installed(channel="1", inverted=True), at(90)).verdict is Verdict.PASSED


def test_a_slow_bay_is_doubtful_and_a_silent_one_is_waited_for() -> None:
    slow = judge(DRIVES[:1], [frame(400, Presence(channel="1", occupied=True))], BAY, at(500))
    silent = judge(DRIVES, [frame(25, Presence(channel="1", occupied=True))], BAY, at(500))

    assert slow.verdict is Verdict.DOUBTFUL
    assert verdicts(silent, Check.STATE) == [Verdict.PASSED, Verdict.WAITING]
    assert silent.mend is None


@pytest.mark.parametrize(
    ("rssi", "snr", "verdict"),
    [(-80.0, 7.0, "passed"), (-115.0, 7.0, "doubtful"), (-80.0, -15.0, "doubtful"), (-125.0, 7.0, "failed")],
)
def test_the_weakest_frame_tells_the_signal(rssi: float, snr: float, verdict: str) -> None:
    judgement = judge((), [frame(0), frame(1, rssi=rssi, snr=snr)], BAY, at(2))

    assert verdicts(judgement, Check.SIGNAL) == [verdict]


@pytest.mark.parametrize(
    ("health", "battery", "fault"),
    [
        (Health(battery_pct=98), "passed", "passed"),
        (Health(battery_pct=40), "doubtful", "passed"),
        (Health(battery_pct=10), "failed", "passed"),
        (Health(battery_low=True), "doubtful", "passed"),
        (Health(battery_v=3.6, fault="lens dirty"), "passed", "doubtful"),
        (Health(temperature_c=20), "untold", "passed"),
    ],
)
def test_battery_and_faults_are_told_as_the_device_says(health: Health, battery: str, fault: str) -> None:
    judgement = judge((), [frame(0, health)], BAY, at(2))

    assert verdicts(judgement, Check.BATTERY) == [battery]
    assert verdicts(judgement, Check.FAULT) == [fault]


def test_a_device_whose_clock_is_wrong_is_found_even_if_its_counts_are_right() -> None:
    right = frame(100, Event(channel="line1", direction="in", at=at(95)))
    wrong = frame(100, Event(channel="line1", direction="in", at=at(95) - timedelta(hours=1)))

    assert verdicts(judge((), [right], LINE, at(200)), Check.CLOCK) == [Verdict.PASSED]
    assert verdicts(judge((), [wrong], LINE, at(200)), Check.CLOCK) == [Verdict.FAILED]
    assert verdicts(judge((), [frame(0)], LINE, at(200)), Check.CLOCK) == [Verdict.UNTOLD]


def test_without_any_frame_the_signal_is_waited_for_and_a_line_of_a_newer_gateway_is_left_out() -> None:
    newer = CapturedFrame(at=NOW, link="lora", readings=('{"kind":"smell"}', "{"))

    assert judge((), [], BAY, at(2)).verdict is Verdict.WAITING
    assert verdicts(judge((), [newer], BAY, at(2)), Check.SIGNAL) == [Verdict.UNTOLD]
