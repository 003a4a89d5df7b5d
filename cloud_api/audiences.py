"""Spaces by audience: how many are free for whom, from the spaces themselves or from one figure for them all.

In come spaces as seen now, or the total of a car park and how many of its spaces each audience has; out come counts.
`free` is what is known to be free for this audience, never what others may use. Pure.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import asdict

from cloud_api.counts import AudienceCounts, Counts
from cloud_api.registry.places import Audience, Capacity
from cloud_api.trust import Cause, Trust

TOGETHER: Final = Cause("compté pour tous les publics ensemble", "counted for all audiences together")
"""Why nothing, or not all, is known of one audience."""


def shares_of(capacity: Capacity, cars: int) -> Mapping[Audience, int]:
    """How many of so many spaces for cars each audience has: what the registry keeps for some, and the rest for all.

    Empty where more are kept than there are: registry and operator contradict each other.
    """
    kept = {each: capacity.of(each) or 0 for each in Audience if each not in {Audience.PUBLIC, Audience.TWO_WHEELS}}
    rest = cars - sum(kept.values())
    if rest < 0:
        return {}
    everyone = {Audience.PUBLIC: rest}
    return {each: number for each, number in (everyone | kept).items() if number}


def divided(total: Counts, shares: Mapping[Audience, int]) -> tuple[AudienceCounts, ...]:
    """What one figure for all audiences says of each.

    Of 100 free spaces among 420, of which 20 are reserved, at least 80 are free for everybody; the 20 may be any.
    """
    return tuple(
        AudienceCounts(audience=audience, **asdict(_share(total, capacity))) for audience, capacity in shares.items()
    )


def _share(total: Counts, capacity: int) -> Counts:
    if total.free is None or total.occupied is None:
        closed = total.trust is Trust.CLOSED
        return Counts(
            capacity=capacity,
            free=None,
            occupied=None,
            unknown=0 if closed else capacity,
            closed=capacity if closed else 0,
            trust=total.trust,
            cause=total.cause,
            measured_at=total.measured_at,
            oldest_at=None,
        )
    others = total.capacity - capacity
    free, occupied = max(0, total.free - others), max(0, total.occupied - others)
    unknown = capacity - free - occupied
    nothing = unknown == capacity
    return Counts(
        capacity=capacity,
        free=None if nothing else free,
        occupied=None if nothing else occupied,
        unknown=unknown,
        closed=0,
        trust=Trust.UNKNOWN if 2 * unknown > capacity else total.trust,
        cause=TOGETHER if unknown else total.cause,
        measured_at=total.measured_at,
        oldest_at=None if nothing else total.oldest_at,
    )
