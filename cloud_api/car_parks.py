"""Car parks counted at their entrances: how many cars are inside, from what went in and out since it was last known.

In come what is known of a car park otherwise, and the intervals counted at its entrances, the right way round and in
any order; out comes the count, never below 0 nor above the capacity. Where the sum would leave these bounds it stays at
the bound: the car park is then empty or full, and what had drifted is gone. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from cloud_api.stores.base import Correction, CorrectionCause
from cloud_api.trust import Cause, Trust, Verdict, lasting

SEEN: Final = frozenset({CorrectionCause.MANUAL, CorrectionCause.EMPTY, CorrectionCause.FULL})
"""Corrections that somebody looked for, unlike those that the counting made of itself."""
SETTLED_AFTER: Final = timedelta(days=2)
"""Intervals that come later than this change the past no more."""
SETTLE_EVERY: Final = timedelta(days=1)
MOST_DRIFT: Final = 0.2
"""Cars beyond the bounds, as a part of the capacity, in the two to three days that are not settled."""
LEAST_DRIFT: Final = 10
"""Cars beyond the bounds that every car park may have."""
SILENT_AFTER: Final = timedelta(minutes=30)
"""Entrances of which no interval began for so long did not count."""
READ_WITHIN: Final = timedelta(minutes=5)
"""A count made of a store that was read longer ago is no longer the present."""


class Entered(Struct, frozen=True, kw_only=True, order=True):
    """What one entrance counted in one interval, the right way round."""

    start: datetime
    entered: float
    """Cars, calibrated; whole where no factor is set."""
    left: float


class Count(Struct, frozen=True, kw_only=True):
    """How many cars are in a car park."""

    occupied: int
    """0 to the capacity."""
    unbounded: int
    """What the plain sum would be, without the bounds."""
    drift: int
    """Cars that the sum would have put beyond the bounds."""
    seen_at: datetime | None
    """When somebody last said how many there are; None when nobody did since the facts that are kept."""
    as_of: datetime
    """When the store was read."""


def base_of(corrections: Sequence[Correction]) -> Correction | None:
    """The newest correction: what counting starts from."""
    return max(corrections, key=lambda each: each.at, default=None)


def seen_at(corrections: Sequence[Correction]) -> datetime | None:
    """When somebody last looked."""
    return max((each.at for each in corrections if each.cause in SEEN), default=None)


def count(
    base: Correction, intervals: Iterable[Entered], capacity: int, *, seen: datetime | None, as_of: datetime
) -> Count:
    """How many cars are inside at `as_of`. Intervals that start before the correction are part of it already."""
    occupied: float = min(max(base.occupied, 0), capacity)
    unbounded, drift = float(base.occupied), abs(base.occupied - occupied)
    for _, net in sorted(_net(each for each in intervals if base.at <= each.start < as_of).items()):
        summed = occupied + net
        occupied = min(max(summed, 0), capacity)
        drift += abs(summed - occupied)
        unbounded += net
    return Count(occupied=round(occupied), unbounded=round(unbounded), drift=round(drift), seen_at=seen, as_of=as_of)


def counted_through(
    corrections: Iterable[Correction], intervals: Iterable[Entered], capacity: int, instants: Sequence[datetime]
) -> list[int | None]:
    """How many cars were inside at each of these instants, in order of time, by what was known of each until then.

    None before anybody said, and where no interval began in the half-hour before: then nobody counted.
    """
    events = sorted(
        [(each.at, 0, float(each.occupied)) for each in corrections]
        + [(start, 1, net) for start, net in _net(intervals).items()]
    )
    occupied: float | None = None
    counted_at = datetime.min.replace(tzinfo=UTC)
    inside: list[int | None] = []
    index = 0
    for instant in instants:
        while index < len(events) and events[index][:2] < (instant, 1):
            at, passed, number = events[index]
            if passed and occupied is not None:
                occupied, counted_at = min(max(occupied + number, 0), capacity), at
            elif not passed:
                occupied = min(max(number, 0), capacity)
            index += 1
        counting = instant - counted_at <= SILENT_AFTER
        inside.append(round(occupied) if counting and occupied is not None else None)
    return inside


def settled(
    place: str, base: Correction, intervals: Iterable[Entered], capacity: int, now: datetime
) -> Correction | None:
    """The count of two days ago as a fact, so that nobody need sum further back; None while a day has not passed.

    Its cause says whether the car park was seen at a bound meanwhile, and `counted` what the plain sum had made of it.
    """
    at = (now - SETTLED_AFTER).replace(minute=0, second=0, microsecond=0)
    if at - base.at < SETTLE_EVERY:
        return None
    then = count(base, intervals, capacity, seen=None, as_of=at)
    cause = CorrectionCause.BOUND if then.drift else CorrectionCause.CARRIED
    return Correction(place=place, at=at, occupied=then.occupied, cause=cause, counted=then.unbounded)


def refusal(occupied: int, capacity: int) -> str | None:
    """Why a car park cannot hold so many cars; None when it can."""
    if 0 <= occupied <= capacity:
        return None
    return f"{occupied} cars; 0 to {capacity} expected, which is its capacity"


NO_CAPACITY: Final = Verdict(
    Trust.UNKNOWN, Cause("la capacité du parking n’est pas connue", "the car park’s capacity is not known")
)
NOT_COUNTED_YET: Final = Verdict(
    Trust.UNKNOWN,
    Cause("personne n’a encore dit combien de voitures s’y trouvent", "nobody has said yet how many cars are inside"),
)


def judge_count(known: Count | None, capacity: int, entrances: Sequence[Verdict], now: datetime) -> Verdict:
    """How far the count can be believed: no further than the worst of its entrances, and while it keeps its bounds."""
    doubtful = next((each for each in entrances if each.trust is not Trust.FRESH), None)
    if doubtful is not None:
        return _at_an_entrance(doubtful, len(entrances))
    if capacity == 0:
        return NO_CAPACITY
    if known is None:
        return NOT_COUNTED_YET
    if now - known.as_of > READ_WITHIN:
        words = lasting(now - known.as_of)
        return Verdict(Trust.STALE, Cause(f"compté il y a {words.fr}", f"counted {words.en} ago"))
    if known.drift > max(LEAST_DRIFT, MOST_DRIFT * capacity):
        return Verdict(
            Trust.IMPLAUSIBLE,
            Cause(
                f"les entrées et les sorties s’écartent de {known.drift} voitures de ce que le parking peut contenir",
                f"entries and exits are {known.drift} cars beyond what the car park can hold",
            ),
        )
    return Verdict(Trust.FRESH, _reserve(known, now))


def _net(intervals: Iterable[Entered]) -> Mapping[datetime, float]:
    """Cars that all entrances together took in, by interval."""
    net: defaultdict[datetime, float] = defaultdict(float)
    for each in sorted(intervals):
        net[each.start] += each.entered - each.left
    return net


def _at_an_entrance(doubtful: Verdict, entrances: int) -> Verdict:
    if doubtful.cause is None or entrances == 1:
        return doubtful
    return Verdict(doubtful.trust, Cause(f"une entrée : {doubtful.cause.fr}", f"one entrance: {doubtful.cause.en}"))


def _reserve(known: Count, now: datetime) -> Cause:
    if known.seen_at is None:
        return Cause("compté aux entrées", "counted at the entrances")
    words = lasting(now - known.seen_at)
    return Cause(f"compté aux entrées, vérifié il y a {words.fr}", f"counted at the entrances, checked {words.en} ago")
