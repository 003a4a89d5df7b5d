"""From raw frames to what is told of them: news at once, signs of life now and then, blindness as a fault."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from edge.aggregator.device import DeviceState
from edge.config import refused_devices
from edge.intake import Batch, Intake
from edge.messages import DeviceHealth, DeviceSettings, Epoch, Flow, FlowInterval, HealthReport, Space, SpaceState
from edge.readings import DeviceAddress, Frame
from edge.signals import Rhythm
from firmware_sim import lidar
from firmware_sim.encoders import benewake, hlk_ld2450
from firmware_sim.lidar import Body, Haze
from tests.clocks import ManualClock

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
LIDAR = DeviceAddress("lidar-1")
GROUND, CAR = 2_600, 1_300
Measured = Sequence[tuple[int, bytes]]


def lidar_at(**options: bool | int | float | str) -> DeviceSettings:
    return DeviceSettings(address=LIDAR, model="benewake-tfmini-plus", options={"unit": "mm", **options})


class Gateway:
    """An intake with one lidar, and what it has said."""

    def __init__(self, settings: DeviceSettings, states: dict[str, DeviceState] | None = None) -> None:
        self.clock = ManualClock(START)
        self.intake = Intake("mairie", Epoch("0" * 16), self.clock, 300, states or {})
        self.intake.adopt([settings])
        self.intake.release(Batch(), [])
        self.batch = Batch()

    def hear(self, frames: Iterable[tuple[int, bytes]]) -> "Gateway":
        for at_ms, payload in frames:
            self.clock.advance((at_ms - self.clock.monotonic_ms()) / 1_000)
            assert self.intake.take(self.batch, "wire", Frame(device=LIDAR, payload=payload, heard_ms=at_ms)) is None
        return self

    def close(self) -> "Gateway":
        self.clock.advance(900)
        self.intake.close_due(self.batch)
        self.intake.committed(self.intake.finish(self.batch))
        return self

    @property
    def flows(self) -> list[FlowInterval]:
        return [part for message in self.batch.outgoing if isinstance(message, Flow) for part in message.intervals]

    @property
    def spaces(self) -> list[SpaceState]:
        return [message.states[0] for message in self.batch.outgoing if isinstance(message, Space)]

    @property
    def health(self) -> list[DeviceHealth]:
        return [message.health for message in self.batch.outgoing if isinstance(message, HealthReport)]


def measured(mm: int, start_s: float, end_s: float, every_ms: int = 100) -> Measured:
    frame = benewake.data(mm, lidar.STRENGTH if mm else lidar.WEAK)
    return [(at_ms, frame) for at_ms in range(round(start_s * 1_000), round(end_s * 1_000), every_ms)]


def test_a_bay_is_told_when_it_changes_and_every_ten_seconds() -> None:
    gateway = Gateway(lidar_at(empty_mm=GROUND)).hear([*measured(GROUND, 0, 60), *measured(CAR, 60, 120)])
    told = [(space.at.minute * 60 + space.at.second, space.occupied) for space in gateway.spaces]
    (changed,) = (index for index in range(1, len(told)) if told[index][1] and not told[index - 1][1])
    assert 69 <= told[changed][0] <= 71
    assert all(later[0] - earlier[0] <= 11 for earlier, later in pairwise(told))
    assert len(told) < 20


def test_presence_can_be_inverted_here_too() -> None:
    settings = DeviceSettings(
        address=LIDAR, model="benewake-tfmini-plus", invert_presence=True, options={"unit": "mm", "empty_mm": GROUND}
    )
    assert not Gateway(settings).hear(measured(CAR, 0, 30)).spaces[-1].occupied


def test_passages_of_a_doorway_have_one_direction_and_their_time_is_covered() -> None:
    bodies = [
        Body(at_ms=20_000 + 5_000 * number, aside_mm=1_000, pace_mm_s=1_200, length_mm=300) for number in range(5)
    ]
    signal = lidar.doorway(bodies, 130_000, seed=1, haze=Haze(noise_mm=20))
    (flow,) = Gateway(lidar_at(use="doorway")).hear(signal.frames()).close().flows
    assert (flow.channel, flow.mode, flow.in_, flow.out) == ("line1", "pedestrian", 5, None)
    assert 115 <= flow.covered_s <= 130


def test_a_passage_that_is_heard_in_bursts_is_counted() -> None:
    body = Body(at_ms=30_000, aside_mm=1_000, pace_mm_s=1_500, length_mm=250)
    signal = lidar.doorway([body], 40_000, seed=1, haze=Haze(chunk_ms=400))
    (flow,) = Gateway(lidar_at(use="doorway")).hear(signal.frames()).close().flows
    assert flow.in_ == 1


def test_a_blinded_beam_is_a_fault_and_its_space_is_told_no_more() -> None:
    gateway = Gateway(lidar_at(empty_mm=GROUND)).hear([*measured(CAR, 0, 30), *measured(0, 30, 200)])
    assert gateway.health[-1].fault == "blinded or dirty: no distance"
    assert (gateway.spaces[-1].at - START).total_seconds() <= 90
    gateway.hear(measured(CAR, 200, 215))
    assert gateway.health[-1].fault is None
    assert gateway.spaces[-1].at > START.replace(minute=3)


def test_a_blinded_doorway_covers_no_time() -> None:
    frames = [*measured(2_000, 0, 60), *measured(0, 60, 250)]
    (flow,) = Gateway(lidar_at(use="doorway")).hear(frames).close().flows
    assert 100 <= flow.covered_s <= 120


def test_single_lost_echoes_are_no_news() -> None:
    frames = [*measured(GROUND, 0, 25), *measured(0, 25, 25.3), *measured(GROUND, 25.3, 60)]
    gateway = Gateway(lidar_at()).hear(frames)
    assert all(health.note is None and health.fault is None for health in gateway.health)


def test_what_a_lidar_says_of_its_firmware_is_told_at_once() -> None:
    gateway = Gateway(lidar_at()).hear([*measured(GROUND, 0, 1), (1_000, benewake.firmware(2, 0, 3))])
    assert gateway.health[-1].firmware == "2.0.3"


def test_the_empty_distance_outlives_a_restart_for_the_bay_may_be_occupied_then() -> None:
    before = Gateway(lidar_at()).hear(measured(GROUND, 0, 30)).close()
    after = Gateway(lidar_at(), {LIDAR: before.batch.states[LIDAR]}).hear(measured(CAR, 0, 30))
    assert after.spaces[-1].occupied


def test_the_technicians_empty_distance_wins_over_the_remembered() -> None:
    remembered: dict[str, DeviceState] = {LIDAR: DeviceState(empty_mm=CAR)}
    assert Gateway(lidar_at(empty_mm=GROUND), remembered).hear(measured(CAR, 0, 30)).spaces[-1].occupied


def test_a_sensor_that_is_set_anew_looks_anew() -> None:
    gateway = Gateway(lidar_at(empty_mm=GROUND)).hear(measured(CAR, 0, 30))
    gateway.intake.adopt([lidar_at(empty_mm=CAR)])
    assert not gateway.hear(measured(CAR, 30, 60)).spaces[-1].occupied
    gateway.intake.adopt([DeviceSettings(address=LIDAR, model="hlk-ld2450")])
    gateway.hear([(60_000, hlk_ld2450.report([]))])


@pytest.mark.parametrize("options", [{"use": "window"}, {"debounce_s": 0}, {"step_mm": "wide"}, {"empty_mm": -1}])
def test_a_setting_that_cannot_be_is_refused_by_name(options: dict[str, bool | int | float | str]) -> None:
    (refused,) = refused_devices((lidar_at(**options),))
    assert refused.where == LIDAR
    assert f"$.{next(iter(options))}" in refused.reason


def test_a_rhythm_spreads_a_burst_over_the_time_in_which_it_was_measured() -> None:
    rhythm = Rhythm(0, 0)
    times = []
    for number in range(400):
        rhythm = rhythm.next(-(-number // 20) * 200)
        times.append(rhythm.at_ms)
    steps = [later - earlier for earlier, later in pairwise(times[200:])]
    assert max(steps) < 20


def test_a_slow_sensor_is_at_most_a_second_behind() -> None:
    rhythm = Rhythm(0, 0)
    for number in range(100):
        rhythm = rhythm.next(number * 500)
        assert number * 500 - 1_000 <= rhythm.at_ms <= number * 500


def test_a_silence_is_no_burst() -> None:
    assert Rhythm(0, 0).next(60_000).at_ms == 60_000
