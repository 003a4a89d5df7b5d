"""What a Benewake lidar measures beside a doorway, with people who walk through its beam, and above a bay, with cars.

In come people or stays, out come all measurements as arrays, with noise; the truth stays known. The beam has a width:
where it meets an edge it measures a distance in between. It must never be kinder than the street: people follow each
other closely, swing their arms and stop in the beam; windscreens are not seen; people walk across a free bay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_sim.encoders.benewake import data

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NO_ECHO = 0
"""What a TFmini Plus says instead of a distance."""
STRENGTH, WEAK = 1_500, 40
NEAREST_MM, FARTHEST_MM = 100, 12_000
HALF_BEAM = 0.0315
"""Tangent of half the beam's angle of 3.6°."""
WHOLE = 0.85
"""A surface that fills so much of the beam is all that it measures; one that fills less than the rest is not seen."""

DOORWAY_MM = 2_000
"""From the beam to the other side of the doorway."""
DOORWAY_RATE_HZ = 100
PACE_MM_S = (700, 1_700)
BODY_MM = (220, 420)
"""How long a body is in the direction of its walk."""
ASIDE_MM = (500, 1_500)
"""How far from the lidar people walk."""
ARM_MM, ARM_AHEAD_MM = 70, (30, 90)
"""An arm that swings before the body, and the gap between them."""
FILE_GAP_MM = (180, 900)
"""Between two people one behind the other."""
STOP_MS = (3_000, 45_000)
SWAY_MM = 40.0
AROUND_MS = 2_500
"""Nobody who does not stop is in the beam longer than this before or after the passage's moment."""

BAY_MM = 2_600
"""From the lidar down to the ground."""
BAY_RATE_HZ = 5
BONNET_MM, ROOF_MM, HEAD_MM = 1_700, 1_150, 950
"""From the lidar down to a car's bonnet, to its roof, and to a head."""
CROSSING_APART_MS, CROSSING_MS = 120_000, 600
"""Somebody walks across a free bay so often, and is in the beam so long at least."""
DRIVE_MS, GLASS_APART_MS, GLASS_MS = (2_000, 6_000), 300_000, 500
"""How long a car moves before and after its windscreen is in the beam; that is not seen so long at least."""
SWELL_MM, SWELL_MS = 60, 6 * 3_600_000
"""Between warm and cold the measured distance swells and shrinks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Haze:
    """What makes a lidar's life hard."""

    noise_mm: float = 10.0
    """Standard deviation of a distance."""
    no_echo: float = 0.0
    """Share of measurements without echo, 0 to 1."""
    wrong: float = 0.0
    """Share of measurements that are any distance, 0 to 1."""
    chunk_ms: int = 1
    """The gateway hears measurements together, all that came within so many ms."""


CLEAR = Haze()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrest:
    """What happens on a bay that is neither arrival nor departure."""

    glass_ms: int = 2_000
    """For so long at most the beam meets glass, and measures the ground behind it."""
    crossing_ms: int = 3_000
    """For so long at most somebody stands in the beam of a free bay."""


QUIET = Unrest()


@dataclass(frozen=True, slots=True)
class Signal:
    """Measurements in order of time."""

    times_ms: Ints
    """int64[n], when each was heard."""
    mm: Ints
    """int64[n]; `NO_ECHO` where there is none."""
    strengths: Ints
    """int64[n]."""

    def measurements(self) -> Iterator[tuple[int, int, int]]:
        """Time, mm and strength of each."""
        return zip(self.times_ms.tolist(), self.mm.tolist(), self.strengths.tolist(), strict=True)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Time of each, and the bytes that a TFmini Plus set to millimetres puts on the wire."""
        return ((at_ms, data(mm, strength)) for at_ms, mm, strength in self.measurements())


@dataclass(frozen=True, slots=True)
class Body:
    """Somebody who walks through the doorway."""

    at_ms: int
    """When the middle of the body is in the beam; of who stops, when coming to a stand."""
    aside_mm: int
    """Distance from the lidar."""
    pace_mm_s: float
    length_mm: int
    arm_ahead_mm: int | None = None
    """The gap between an arm that swings before the body, and the body; None where no arm does."""
    stop_ms: int = 0
    """So long the middle of the body stands in the beam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How people walk, as shares of all of them."""

    in_file: float = 0.2
    """Follow somebody closely."""
    swinging: float = 0.3
    """Swing an arm before them."""
    stopping: float = 0.02
    """Stop in the beam."""
    abreast: float = 0.0
    """Walk beside somebody: no single beam can see that."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A car on the bay."""

    start_ms: int
    """When its bonnet comes into the beam."""
    end_ms: int
    """When it has left the beam."""


def people(count: int, seed: int, manners: Manners, *, apart_ms: int = 5_000) -> list[Body]:
    """So many people in order of time; groups come `apart_ms` apart on average, the first after half a minute."""
    generator = np.random.default_rng((seed, 1))
    bodies: list[Body] = []
    at_ms = 30_000.0
    while len(bodies) < count:
        body = _somebody(round(at_ms), generator, manners)
        bodies.append(body)
        if generator.random() < manners.abreast:
            bodies.append(_beside(body, generator))
        while generator.random() < manners.in_file:
            body = _behind(body, generator)
            bodies.append(body)
        at_ms = body.at_ms + body.stop_ms + 1_500 + generator.exponential(apart_ms)
    return bodies[:count]


def doorway(bodies: Sequence[Body], end_ms: int, *, seed: int, haze: Haze = CLEAR) -> Signal:
    """What a lidar at a doorway's side measures from 0 to `end_ms`, a hundred times a second."""
    times = np.arange(0, end_ms, 1_000 // DOORWAY_RATE_HZ, dtype=np.int64)
    mm = np.full(len(times), DOORWAY_MM, dtype=np.float64)
    for number, body in enumerate(bodies):
        first, last = np.searchsorted(times, (body.at_ms - AROUND_MS, body.at_ms + body.stop_ms + AROUND_MS))
        mm[first:last] = np.minimum(mm[first:last], _of_body(body, times[first:last], (seed, number, 2)))
    return _heard(times, mm, haze, seed)


def stays(count: int, seed: int) -> list[Stay]:
    """So many stays in order of time, of 1 to 25 minutes, the bay free for 30 s to 15 minutes between them."""
    generator = np.random.default_rng((seed, 3))
    spans = np.column_stack(
        (generator.uniform(30_000, 900_000, count), generator.uniform(60_000, 1_500_000, count))
    ).cumsum()
    return [Stay(round(start), round(end)) for start, end in spans.reshape(-1, 2).tolist()]


def bay(cars: Sequence[Stay], end_ms: int, *, seed: int, haze: Haze = CLEAR, unrest: Unrest = QUIET) -> Signal:
    """What a lidar above a bay measures from 0 to `end_ms`, five times a second."""
    times = np.arange(0, end_ms, 1_000 // BAY_RATE_HZ, dtype=np.int64)
    scene = _Scene(times, BAY_MM + SWELL_MM * np.sin(2 * np.pi * times / SWELL_MS), np.random.default_rng((seed, 4)))
    scene.flicker(0, end_ms, CROSSING_APART_MS, (CROSSING_MS, unrest.crossing_ms), HEAD_MM)
    for car in cars:
        scene.park(car, unrest)
    return _heard(times, scene.mm, haze, seed)


class _Scene:
    """A bay as the beam sees it. Guards the order of drawing: what is drawn later covers what was there."""

    def __init__(self, times: Ints, ground: Floats, generator: np.random.Generator) -> None:
        self._times = times
        self._ground = ground
        self._generator = generator
        self.mm = ground.copy()

    def draw(self, start_ms: float, end_ms: float, mm: float | None) -> None:
        """From the one to the other the beam measures `mm`; None for the ground."""
        first, last = np.searchsorted(self._times, sorted((start_ms, end_ms)))
        self.mm[first:last] = self._ground[first:last] if mm is None else mm

    def flicker(
        self, start_ms: float, end_ms: float, apart_ms: int, long_ms: tuple[int, int], mm: float | None
    ) -> None:
        """Now and then, for a while, the beam measures `mm`; None for the ground."""
        many = int(self._generator.poisson(max(end_ms - start_ms, 0) / apart_ms))
        for at_ms in self._generator.uniform(start_ms, max(end_ms, start_ms), many).tolist():
            self.draw(at_ms, at_ms + int(self._generator.integers(*long_ms)), mm)

    def park(self, car: Stay, unrest: Unrest) -> None:
        """Bonnet, windscreen, where the car stands with a glint now and then, and the same backwards."""
        standing_mm = float(self._generator.choice((BONNET_MM, ROOF_MM)) + self._generator.uniform(-100, 100))
        for start_ms, step in ((car.start_ms, 1), (car.end_ms, -1)):
            glass = start_ms + step * self._generator.uniform(*DRIVE_MS)
            stand = glass + step * self._generator.uniform(GLASS_MS, unrest.glass_ms)
            self.draw(start_ms, glass, BONNET_MM)
            self.draw(glass, stand, None)
            self.draw(stand, (car.start_ms + car.end_ms) / 2, standing_mm)
        still_from_ms, still_until_ms = car.start_ms + 30_000, car.end_ms - 30_000
        self.flicker(still_from_ms, still_until_ms, GLASS_APART_MS, (GLASS_MS, unrest.glass_ms), None)


def _somebody(at_ms: int, generator: np.random.Generator, manners: Manners) -> Body:
    arm = int(generator.integers(*ARM_AHEAD_MM)) if generator.random() < manners.swinging else None
    stops = generator.random() < manners.stopping
    return Body(
        at_ms=at_ms,
        aside_mm=int(generator.integers(*ASIDE_MM)),
        pace_mm_s=float(generator.uniform(*PACE_MM_S)),
        length_mm=int(generator.integers(*BODY_MM)),
        arm_ahead_mm=arm,
        stop_ms=int(generator.integers(*STOP_MS)) if stops else 0,
    )


def _beside(body: Body, generator: np.random.Generator) -> Body:
    aside_mm = body.aside_mm + 450
    return Body(body.at_ms + int(generator.integers(1, 100)), aside_mm, body.pace_mm_s, body.length_mm, None)


def _behind(body: Body, generator: np.random.Generator) -> Body:
    """Who follows at the same pace, no longer than the one before."""
    length_mm = int(generator.integers(BODY_MM[0], body.length_mm + 1))
    gap_mm = float(generator.uniform(*FILE_GAP_MM))
    later_ms = ((body.length_mm + length_mm) / 2 + gap_mm) / body.pace_mm_s * 1_000
    aside_mm = int(np.clip(body.aside_mm + generator.integers(-150, 150), *ASIDE_MM))
    return Body(body.at_ms + body.stop_ms + round(later_ms), aside_mm, body.pace_mm_s, length_mm)


def _of_body(body: Body, times: Ints, seed: tuple[int, ...]) -> Floats:
    """float64[n], mm: what the beam measures of one body and of the doorway behind it."""
    moving_ms = np.where(times < body.at_ms, times - body.at_ms, np.maximum(times - body.at_ms - body.stop_ms, 0))
    middle = moving_ms * body.pace_mm_s / 1_000
    half_beam = body.aside_mm * HALF_BEAM
    filled = _overlap(middle, body.length_mm / 2, half_beam)
    if body.arm_ahead_mm is not None:
        ahead = middle + body.length_mm / 2 + body.arm_ahead_mm + ARM_MM / 2
        filled = np.maximum(filled, _overlap(ahead, ARM_MM / 2, half_beam))
    sway = SWAY_MM * np.sin(times / 700 + seed[1]) if body.stop_ms else 0.0
    return _mixed(filled, body.aside_mm + sway, DOORWAY_MM)


def _overlap(middle: Floats, half: float, half_beam: float) -> Floats:
    """Share of the beam, 0 to 1, that a surface fills whose middle is so far from the beam's."""
    reach = np.minimum(middle + half, half_beam) - np.maximum(middle - half, -half_beam)
    overlap: Floats = np.clip(reach / (2 * half_beam), 0, 1)
    return overlap


def _mixed(filled: Floats, near: Floats | float, far: float) -> Floats:
    share = np.where(filled >= WHOLE, 1.0, np.where(filled <= 1 - WHOLE, 0.0, filled))
    mixed: Floats = share * near + (1 - share) * far
    return mixed


def _heard(times: Ints, mm: Floats, haze: Haze, seed: int) -> Signal:
    generator = np.random.default_rng((seed, 5))
    noisy = mm + generator.normal(0, haze.noise_mm, len(mm))
    wrong = generator.random(len(mm)) < haze.wrong
    noisy[wrong] = generator.uniform(NEAREST_MM, 1.5 * mm.max(), int(wrong.sum()))
    lost = generator.random(len(mm)) < haze.no_echo
    chunks = -(-times // haze.chunk_ms) * haze.chunk_ms
    return Signal(
        times_ms=chunks,
        mm=np.where(lost, NO_ECHO, np.clip(np.rint(noisy), NEAREST_MM, FARTHEST_MM)).astype(np.int64),
        strengths=np.where(lost, WEAK, STRENGTH),
    )
