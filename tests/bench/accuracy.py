"""How well passages and presence are told from raw signals whose truth is known, under three levels of noise.

Every figure stands beside that of the simplest thing that could work, on the same signal: a target that changes sides
in its slot, a distance below a threshold.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from edge.drivers.devices import catalogue
from edge.intake import Batch, Intake
from edge.messages import DeviceSettings, Epoch
from edge.readings import AnyReading, DeviceAddress, Event, Frame, Presence, Range, Track
from edge.signals import first_view, setting_of
from firmware_sim import lidar
from firmware_sim.encoders.hlk_ld2450 import Target
from firmware_sim.lidar import Haze, Manners, Unrest
from firmware_sim.radar import Disturbance, Ghost, TurnBack, walk_frames
from firmware_sim.walkers import EPOCH, Direction, Passage
from tests.bench.table import Row, rate
from tests.clocks import ManualClock

SEED = 20_261_122
HOUR_MS = 3_600_000
PEOPLE, STAYS = 600, 60
LIDAR = DeviceAddress("lidar-1")
NEAR_MM = 300
"""The naive threshold: nearer than the empty distance by this."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of noise, for each of the three signals."""

    name: str
    radar: Disturbance
    ghosts: int
    turning_back: int
    beam: Haze
    manners: Manners
    unrest: Unrest


LOW = Level(
    "low",
    Disturbance(noise_mm=40, dropout=0.01),
    ghosts=2,
    turning_back=10,
    beam=Haze(noise_mm=10, no_echo=0.005, wrong=0.001, chunk_ms=10),
    manners=Manners(in_file=0.1, swinging=0.2, stopping=0.01),
    unrest=Unrest(glass_ms=1_500, crossing_ms=3_000),
)
MEDIUM = Level(
    "medium",
    Disturbance(noise_mm=80, dropout=0.08, lanes_mm=(1_400, 2_200, 3_000, 4_400), merge_mm=350),
    ghosts=10,
    turning_back=40,
    beam=Haze(noise_mm=30, no_echo=0.03, wrong=0.005, chunk_ms=50),
    manners=Manners(in_file=0.2, swinging=0.3, stopping=0.02, abreast=0.02),
    unrest=Unrest(glass_ms=2_500, crossing_ms=5_000),
)
HIGH = Level(
    "high",
    Disturbance(noise_mm=140, dropout=0.2, lanes_mm=(1_400, 2_000, 2_600, 3_200), merge_mm=500),
    ghosts=30,
    turning_back=80,
    beam=Haze(noise_mm=60, no_echo=0.1, wrong=0.02, chunk_ms=100),
    manners=Manners(in_file=0.3, swinging=0.5, stopping=0.04, abreast=0.06),
    unrest=Unrest(glass_ms=4_000, crossing_ms=12_000),
)
LEVELS = (LOW, MEDIUM, HIGH)

Moment = tuple[int, str]
"""UTC or monotonic milliseconds, and what happened then."""


@dataclass(frozen=True, slots=True)
class Score:
    """What was found beside what was there."""

    true: int
    found: int
    agreed: int
    """Found and there, one to one, of the same kind and about the same time."""

    @property
    def precision(self) -> float:
        """Share of what was found that was there, in per cent."""
        return 100 * self.agreed / max(self.found, 1)

    @property
    def recall(self) -> float:
        """Share of what was there that was found, in per cent."""
        return 100 * self.agreed / self.true

    @property
    def count_error(self) -> float:
        """How far the count is off, in per cent of the truth; negative when too few."""
        return 100 * (self.found - self.true) / self.true


def rows() -> Iterator[Row]:
    """The figures of this file."""
    for level in LEVELS:
        yield from _rows(f"radar passages, {level.name} noise", *radar(level), "a change of sides in a slot")
    for level in LEVELS:
        yield from _rows(f"doorway passages, {level.name} noise", *doorway(level), "a fixed threshold")
    for level in LEVELS:
        yield from _rows(f"bay changes, {level.name} noise", *bay(level), "a fixed threshold")
    frames = list(lidar.doorway(lidar.people(10, SEED, Manners()), 60_000, seed=SEED).frames())
    what = "TFmini frames through codec, doorway and aggregator (one core)"
    yield Row(what, rate(lambda: _take_all(frames)), "frames/s", lidar.DOORWAY_RATE_HZ, "one lidar")


def _rows(what: str, ours: Score, naive: Score, naive_is: str) -> Iterator[Row]:
    yield Row(f"{what}: precision", ours.precision, "%", naive.precision, naive_is)
    yield Row("  recall", ours.recall, "%", naive.recall, naive_is)
    yield Row("  count error", ours.count_error, "%", naive.count_error, naive_is)


def radar(level: Level) -> tuple[Score, Score]:
    """An hour of people past an LD2450: ours, and the naive score."""
    generator = np.random.default_rng(SEED)
    passages = _crowd(generator)
    disturbance = _disturbed(level, generator)
    frames = list(walk_frames(passages, EPOCH, EPOCH + timedelta(hours=1), seed=SEED, disturbance=disturbance))
    truth = [((passage.at - EPOCH) // timedelta(milliseconds=1), passage.direction.value) for passage in passages]
    heard = ((at_ms, _tracks(targets)) for at_ms, targets in frames)
    found = _told("hlk-ld2450", {}, heard)
    return score(truth, found, within_ms=2_000), score(truth, _slot_changes(frames), within_ms=2_000)


def doorway(level: Level) -> tuple[Score, Score]:
    """An hour and more of people through a TFmini's beam."""
    bodies = lidar.people(PEOPLE, SEED, level.manners)
    end_ms = bodies[-1].at_ms + 60_000
    signal = lidar.doorway(bodies, end_ms, seed=SEED, haze=level.beam)
    truth = [(body.at_ms + body.stop_ms, "in") for body in bodies]
    found = _told("benewake-tfmini-plus", {"use": "doorway"}, _ranges(signal))
    near = _threshold_changes(signal, lidar.DOORWAY_MM - NEAR_MM)
    naive = [(at_ms, "in") for at_ms, state in near if state == "free"]
    return score(truth, found, within_ms=1_000), score(truth, naive, within_ms=1_000)


def bay(level: Level) -> tuple[Score, Score]:
    """Cars on a bay under a TFmini: every arrival and every departure."""
    cars = lidar.stays(STAYS, SEED)
    signal = lidar.bay(cars, cars[-1].end_ms + 60_000, seed=SEED, haze=level.beam, unrest=level.unrest)
    truth = sorted((at, what) for car in cars for at, what in ((car.start_ms, "occupied"), (car.end_ms, "free")))
    found = _told("benewake-tfmini-plus", {}, _ranges(signal))
    naive = _threshold_changes(signal, lidar.BAY_MM - NEAR_MM)
    return score(truth, found[1:], within_ms=20_000), score(truth, naive, within_ms=20_000)


def score(truth: Sequence[Moment], found: Sequence[Moment], *, within_ms: int) -> Score:
    """Each found moment agrees with at most one true one of its kind, the earliest that is near enough."""
    open_ = list(truth)
    agreed = 0
    for at_ms, what in sorted(found):
        match = next((true for true in open_ if true[1] == what and abs(true[0] - at_ms) <= within_ms), None)
        if match is not None:
            open_.remove(match)
            agreed += 1
    return Score(len(truth), len(found), agreed)


def _told(
    model_name: str, options: dict[str, bool | int | float | str], heard: Iterable[tuple[int, list[AnyReading]]]
) -> list[Moment]:
    """What the gateway tells of a raw signal."""
    model = catalogue()[model_name]
    setting = setting_of(model, DeviceSettings(address="raw", model=model_name, options=options))
    assert setting is not None
    view = first_view(setting, None)
    moments: list[Moment] = []
    occupied: bool | None = None
    for at_ms, readings in heard:
        view, told = view.hear(readings, at_ms, setting)
        for reading in told.readings if told else ():
            if isinstance(reading, Event):
                moments.append((at_ms, reading.direction))
            if isinstance(reading, Presence) and reading.occupied is not occupied:
                occupied = reading.occupied
                moments.append((at_ms, "occupied" if occupied else "free"))
    return moments


def _take_all(frames: Sequence[tuple[int, bytes]]) -> int:
    intake = Intake("bench", Epoch("0" * 16), ManualClock(EPOCH), 300, {})
    options: dict[str, bool | int | float | str] = {"unit": "mm", "use": "doorway"}
    intake.adopt([DeviceSettings(address=LIDAR, model="benewake-tfmini-plus", options=options)])
    intake.release(Batch(), [])
    for at_ms, payload in frames:
        intake.take(Batch(), "wire", Frame(device=LIDAR, payload=payload, heard_ms=at_ms))
    return len(frames)


def _crowd(generator: np.random.Generator) -> list[Passage]:
    """People an hour, alone and in twos."""
    passages: list[Passage] = []
    at_ms = 5_000
    while len(passages) < PEOPLE:
        direction = Direction.IN if generator.random() < 0.5 else Direction.OUT
        group = 2 if generator.random() < 0.2 else 1
        times = sorted(at_ms + int(generator.integers(0, 600)) for _ in range(group))
        passages += [Passage(EPOCH + timedelta(milliseconds=time), direction) for time in times]
        at_ms += int(1_200 + generator.exponential(5_000))
    return [passage for passage in passages if passage.at < EPOCH + timedelta(milliseconds=HOUR_MS - 5_000)]


def _disturbed(level: Level, generator: np.random.Generator) -> Disturbance:
    ghosts = [
        Ghost(start, start + timedelta(seconds=float(generator.uniform(20, 120))), int(x), int(y))
        for start, x, y in zip(
            _moments(level.ghosts, generator),
            generator.integers(-1_200, 1_200, level.ghosts),
            generator.integers(1_200, 4_600, level.ghosts),
            strict=True,
        )
    ]
    hesitant = [
        TurnBack(at, Direction.IN if generator.random() < 0.5 else Direction.OUT)
        for at in _moments(level.turning_back, generator)
    ]
    return replace(level.radar, ghosts=tuple(ghosts), turning_back=tuple(hesitant))


def _moments(many: int, generator: np.random.Generator) -> list[datetime]:
    return [EPOCH + timedelta(milliseconds=float(at)) for at in np.sort(generator.uniform(5_000, HOUR_MS, many))]


def _tracks(targets: Sequence[Target]) -> list[AnyReading]:
    return [
        Track(slot=slot, x_mm=target.x_mm, y_mm=target.y_mm, speed_mm_s=10 * target.speed_cm_s)
        for slot, target in enumerate(targets)
    ]


def _ranges(signal: lidar.Signal) -> Iterator[tuple[int, list[AnyReading]]]:
    for at_ms, mm, strength in signal.measurements():
        yield at_ms, [] if mm == lidar.NO_ECHO else [Range(mm=mm, strength=strength)]


def _slot_changes(frames: Sequence[tuple[int, list[Target]]]) -> list[Moment]:
    moments: list[Moment] = []
    before: list[Target] = []
    for at_ms, targets in frames:
        for was, is_ in zip(before, targets, strict=False):
            if was.x_mm * is_.x_mm < 0:
                moments.append((at_ms, "in" if is_.x_mm > 0 else "out"))
        before = targets
    return moments


def _threshold_changes(signal: lidar.Signal, threshold_mm: int) -> list[Moment]:
    moments: list[Moment] = []
    was_near = False
    for at_ms, mm, _ in signal.measurements():
        is_near = mm < threshold_mm and mm != lidar.NO_ECHO
        if is_near is not was_near:
            moments.append((at_ms, "occupied" if is_near else "free"))
        was_near = is_near
    return moments
