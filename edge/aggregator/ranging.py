"""Distances of one beam become the presence on a bay, or the passages through a doorway.

In come one sensor's distances in order of time and what the technician set; out come `Presence` or `Event`s, as soon as
they are certain. Both uses know the empty distance and learn it slowly, as snow and seasons move it. A measurement
without echo says nothing: it must never be taken for near, nor for far.
"""

from enum import StrEnum
from math import copysign
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from edge.readings import Event, Presence

SPACE = "1"
LINE, MODE = "line1", "pedestrian"

SETTLE_MS = 10_000
"""So long the empty distance is learned fast, and nothing is concluded, unless the technician told it."""
SETTLE_FARTHER_MS = 1_000
"""While settling, a farther distance that is held so long is the empty one: who stood in the beam has left."""
FARTHER_MS = 60_000
"""Later, a distance that is farther than the empty one takes so long to become it."""
FURNITURE_MS = 300_000
"""What stands still in a doorway's beam for so long is furniture: its distance becomes the empty one."""
SETTLE_MM_PER_MS = 0.1
DRIFT_MM_PER_MS = 0.000_2
"""12 mm a minute: faster than snow and seasons, too slow for noise to matter."""

SHORTEST_DIP_MS = 40
"""A leaf or a wrong measurement is shorter; a body at a run is in a beam for more than 60 ms."""
SHORTEST_GAP_MS = 80
"""Two bodies are further apart; a shorter gap is a fold of one."""
LIMB, LONGEST_LIMB_GAP_MS = 0.5, 150
"""A dip that is shorter than this part of the dip beside it, and this close, is an arm that swings before a body."""
LONGEST_STEP_MS = 1_000
"""A doorway learns no more than this from one measurement, whatever the silence before it."""


class Use(StrEnum):
    """What the beam watches."""

    BAY = "bay"
    DOORWAY = "doorway"


class Options(Struct, frozen=True):
    """What the technician sets; other options of the model are its codec's."""

    use: Use = Use.BAY
    empty_mm: Annotated[int, Meta(ge=100, le=100_000)] | None = None
    """The distance when nothing is in the beam, where it was measured; learned when None."""
    step_mm: Annotated[int, Meta(ge=50, le=5_000)] = 300
    """Something is in the beam when it is nearer than the empty distance by this; it has left at half of it."""
    debounce_s: Annotated[float, Meta(ge=0.5, le=120)] = 10.0
    """A bay changes its state when the contrary was seen for so much longer than its present state."""
    minimum_strength: Annotated[int, Meta(ge=0, le=65_535)] = 100
    """An echo that is weaker says nothing."""

    @property
    def debounce_ms(self) -> float:
        """The debounce time in milliseconds."""
        return 1000 * self.debounce_s


class Empty(Struct, frozen=True):
    """The distance when nothing is in the beam: a running median, so that a few wrong values do not move it.

    It takes one small step towards each measurement near it. A distance elsewhere becomes the new one after being held
    for so long that it cannot be somebody who passes; until then it is forgotten as fast as it was learned.
    """

    mm: float
    settling_ms: float = SETTLE_MS
    """How much longer it is learned fast."""
    elsewhere_mm: float = 0.0
    elsewhere_ms: float = 0.0
    """For how much longer than not the distance was `elsewhere_mm`."""

    @property
    def settled(self) -> bool:
        """Whether it can be relied on."""
        return self.settling_ms <= 0


class Bay(Struct, frozen=True):
    """What is known of a bay."""

    empty: Empty
    at_ms: int
    """Monotonic time of the last measurement."""
    near_ms: float
    """0 when surely free, the debounce time when surely occupied."""
    occupied: bool | None = None
    """None until it is known."""


class Dip(Struct, frozen=True):
    """When something was in the beam, monotonic time."""

    began_ms: int
    ended_ms: int

    @property
    def length_ms(self) -> int:
        """How long it was in the beam."""
        return self.ended_ms - self.began_ms

    def is_limb_of(self, other: "Dip") -> bool:
        """Whether both, one after the other, are one body and its arm, with no room for another between them."""
        shorter, longer = sorted((self.length_ms, other.length_ms))
        return shorter < LIMB * longer and other.began_ms - self.ended_ms < LONGEST_LIMB_GAP_MS


class Doorway(Struct, frozen=True):
    """What is known of a doorway."""

    empty: Empty
    at_ms: int
    before: tuple[float, float]
    """The last two measurements, mm."""
    extreme_mm: float
    """The farthest since the last body left, or the nearest of the body in the beam."""
    began_ms: int | None = None
    """Since when a body is in the beam; None when there is none."""
    leaving_ms: int | None = None
    """Since when that body seems to be leaving."""
    last: Dip | None = None
    """What was in the beam before."""


Beam = Bay | Doorway
"""The state of one sensor between two measurements."""


def watch(
    beam: Beam | None, mm: int | None, strength: int | None, now_ms: int, options: Options
) -> tuple[Beam | None, list[Presence | Event]]:
    """The state after one measurement (mm, None for no echo) at `now_ms`, monotonic, and what it made certain.

    A new sensor has the state None, and so has one whose use was changed. `Presence` is told when it changes.
    """
    if mm is None or (strength is not None and strength < options.minimum_strength):
        return beam, []
    if options.use is Use.DOORWAY:
        return _watch_doorway(beam, mm, now_ms, options)
    return _watch_bay(beam, mm, now_ms, options)


def present(beam: Beam | None) -> list[Presence]:
    """What is known of a bay, to be told again; empty for a doorway."""
    if not isinstance(beam, Bay) or beam.occupied is None:
        return []
    return [Presence(channel=SPACE, occupied=beam.occupied)]


def _watch_bay(beam: Beam | None, mm: int, now_ms: int, options: Options) -> tuple[Bay, list[Presence | Event]]:
    """Idea: nearer and farther vote with the time that they were seen; a state falls when outvoted by `debounce_s`.

    So a windscreen that reads as far away for a second or two, or somebody who walks across a free bay, changes
    nothing. The empty distance is learned while the bay is surely free; farther ones always, for a car may have been
    there at the start. At least two measurements must agree, however seldom they come.
    Limits: a car whose glass is all the beam ever meets is not seen, whatever stays longer than the debounce time is a
    car (measured: where people linger for up to 12 s, a third of the changes told are theirs; more debounce tells cars
    later), and without `empty_mm` a bay that is occupied at the start counts as free until the car has left for a
    minute.
    """
    debounce_ms = options.debounce_ms
    if not isinstance(beam, Bay):
        return Bay(_first(mm, options), now_ms, near_ms=debounce_ms / 2), []
    elapsed_ms = min(now_ms - beam.at_ms, debounce_ms / 2)
    nearer_mm = beam.empty.mm - mm
    vote = 1 if nearer_mm > options.step_mm else -1 if nearer_mm < options.step_mm / 2 else 0
    near_ms = min(max(beam.near_ms + vote * elapsed_ms, 0.0), debounce_ms)
    empty = beam.empty
    if near_ms == 0 or vote < 0:
        empty = _learn(empty, mm, elapsed_ms, options.step_mm / 2, furniture_ms=None)
    occupied = _decided(near_ms, debounce_ms, beam.occupied) if empty.settled else None
    bay = Bay(empty, now_ms, near_ms, occupied)
    return bay, [*present(bay)] if occupied is not beam.occupied else []


def _decided(near_ms: float, debounce_ms: float, occupied: bool | None) -> bool | None:
    if near_ms >= debounce_ms:
        return True
    return False if near_ms <= 0 else occupied


def _watch_doorway(beam: Beam | None, mm: int, now_ms: int, options: Options) -> tuple[Doorway, list[Presence | Event]]:
    """Idea: a body is a dip of the distance; a rise by `step_mm` from its nearest point, held for a moment, ends it.

    As the rise need not reach the empty distance, a dip with a waist is two people one behind the other. A dip counts
    when it ends, once, however long somebody stops in the beam. The median of three measurements forgives single
    wrong ones; what is farther than the empty distance (an open door beyond) counts as empty.
    Limits: one beam cannot tell the direction, all are `in`; two people abreast are one, and so are one who stands in
    the beam and one who passes before her; who follows so closely that the beam never sees between them is one with who
    goes before; who swings a large thing may be two; who stands still for five minutes is furniture. It needs at least
    20 measurements a second, better 100.
    """
    if not isinstance(beam, Doorway):
        return Doorway(_first(mm, options), now_ms, (mm, mm), extreme_mm=mm), []
    elapsed_ms = min(now_ms - beam.at_ms, LONGEST_STEP_MS)
    empty = _learn(beam.empty, mm, elapsed_ms, options.step_mm / 2, furniture_ms=FURNITURE_MS)
    is_furniture = empty.mm < beam.empty.mm - options.step_mm / 2
    level_mm = min(sorted((*beam.before, mm))[1], empty.mm)
    beam = replace(beam, empty=empty, at_ms=now_ms, before=(beam.before[1], mm))
    if is_furniture or not empty.settled:
        return replace(beam, extreme_mm=level_mm, began_ms=None, leaving_ms=None), []
    return _follow_dip(beam, level_mm, options.step_mm)


def _follow_dip(beam: Doorway, mm: float, step_mm: float) -> tuple[Doorway, list[Presence | Event]]:
    now_ms = beam.at_ms
    if beam.began_ms is None:
        if mm <= beam.extreme_mm - step_mm:
            return replace(beam, extreme_mm=mm, began_ms=now_ms), []
        return replace(beam, extreme_mm=max(mm, beam.extreme_mm)), []
    if mm < beam.extreme_mm + step_mm:
        return replace(beam, extreme_mm=min(mm, beam.extreme_mm), leaving_ms=None), []
    if beam.leaving_ms is None:
        return replace(beam, leaving_ms=now_ms), []
    if now_ms - beam.leaving_ms < SHORTEST_GAP_MS:
        return beam, []
    return _end_dip(beam, Dip(beam.began_ms, beam.leaving_ms), mm)


def _end_dip(beam: Doorway, dip: Dip, mm: float) -> tuple[Doorway, list[Presence | Event]]:
    beam = replace(beam, extreme_mm=mm, began_ms=None, leaving_ms=None)
    if dip.length_ms < SHORTEST_DIP_MS:
        return beam, []
    counted = beam.last is not None and beam.last.is_limb_of(dip)
    return replace(beam, last=dip), [] if counted else [Event(channel=LINE, mode=MODE, direction="in")]


def _first(mm: int, options: Options) -> Empty:
    return Empty(mm) if options.empty_mm is None else Empty(options.empty_mm, settling_ms=0)


def _learn(empty: Empty, mm: int, elapsed_ms: float, band_mm: float, furniture_ms: float | None) -> Empty:
    """The empty distance after one more measurement; `furniture_ms` None: a nearer one never becomes it."""
    settling_ms = max(empty.settling_ms - elapsed_ms, 0.0)
    pace = SETTLE_MM_PER_MS if settling_ms else DRIFT_MM_PER_MS
    if abs(mm - empty.mm) <= band_mm:
        nearer = _towards(empty.mm, mm, pace * elapsed_ms)
        return Empty(nearer, settling_ms, empty.elsewhere_mm, max(empty.elsewhere_ms - elapsed_ms, 0.0))
    if mm < empty.mm and furniture_ms is None:
        return replace(empty, settling_ms=settling_ms)
    elsewhere_mm, elsewhere_ms = _elsewhere(empty, mm, elapsed_ms, band_mm)
    farther_ms = SETTLE_FARTHER_MS if settling_ms else FARTHER_MS
    if elsewhere_ms >= (farther_ms if elsewhere_mm > empty.mm else furniture_ms or farther_ms):
        return Empty(elsewhere_mm, settling_ms)
    return Empty(empty.mm, settling_ms, elsewhere_mm, elsewhere_ms)


def _elsewhere(empty: Empty, mm: int, elapsed_ms: float, band_mm: float) -> tuple[float, float]:
    if not empty.elsewhere_ms:
        return mm, elapsed_ms
    if abs(mm - empty.elsewhere_mm) > band_mm:
        return empty.elsewhere_mm, max(empty.elsewhere_ms - elapsed_ms, 0.0)
    return _towards(empty.elsewhere_mm, mm, SETTLE_MM_PER_MS * elapsed_ms), empty.elsewhere_ms + elapsed_ms


def _towards(from_mm: float, to_mm: float, most_mm: float) -> float:
    off_mm = to_mm - from_mm
    return to_mm if abs(off_mm) <= most_mm else from_mm + copysign(most_mm, off_mm)
