"""Which sensors want a visit, and in which order: the most urgent of each place, as a round for the day. Pure.

In come what is known of each sensor, out come visits with their reasons in words and a short way round them.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from itertools import combinations
from statistics import median
from typing import Final

from msgspec import Struct

from cloud_api.nearby import metres
from cloud_api.provisioning.acceptance import WEAK_DBM
from cloud_api.provisioning.standing import DeviceStanding, Standing
from cloud_api.registry import Position
from cloud_api.trust import Cause, Trust, Verdict, lasting

BATTERY_SOON_DAYS: Final = 60
DRIFT: Final = 2.0
"""A counter whose week is this many times more, or less, against its own month than its neighbours' are."""
FEWEST_NEIGHBOURS: Final = 2
WORTH_M: Final = 0.1
"""A way is not walked another way round for less."""
FEWEST_PASSAGES: Final = 200
"""In a week; with fewer, chance alone doubles them."""


class Why(StrEnum):
    """Why a sensor wants a visit; the most urgent first."""

    FAULTY = "faulty"
    STALE = "stale"
    REFUSED = "refused"
    """Its gateway cannot do what the registry says."""
    FROZEN = "frozen"
    IMPLAUSIBLE = "implausible"
    DRIFT = "drift"
    BATTERY = "battery"
    SIGNAL = "signal"


class Reason(Struct, frozen=True):
    """Why, and in words."""

    why: Why
    cause: Cause


class Condition(Struct, frozen=True, kw_only=True):
    """What is known of one installed sensor."""

    device: str
    model: str
    place: str
    place_name: str
    position: Position | None
    verdict: Verdict
    standing: DeviceStanding
    battery_low: bool = False
    battery_days: int | None = None
    """Days until it is flat (`battery.days_left`)."""
    rssi_dbm: float | None = None
    drift: float | None = None
    """How many times more it counts than its neighbours make plausible (`drifts`); None where that is not told."""


class Visit(Struct, frozen=True, kw_only=True):
    """A sensor to be visited."""

    device: str
    model: str
    place: str
    place_name: str
    position: Position | None
    reasons: tuple[Reason, ...]
    """The most urgent first."""


def visits(conditions: Sequence[Condition]) -> list[Visit]:
    """Who wants a visit; the most urgent first, in the order given where equally so."""
    wanted = [(each, _reasons(each)) for each in conditions]
    found = [
        Visit(
            device=each.device,
            model=each.model,
            place=each.place,
            place_name=each.place_name,
            position=each.position,
            reasons=reasons,
        )
        for each, reasons in wanted
        if reasons
    ]
    return sorted(found, key=lambda visit: list(Why).index(visit.reasons[0].why))


_BY_TRUST: Final[Mapping[Trust, Why]] = {
    Trust.FAULTY: Why.FAULTY,
    Trust.STALE: Why.STALE,
    Trust.FROZEN: Why.FROZEN,
    Trust.IMPLAUSIBLE: Why.IMPLAUSIBLE,
    Trust.UNKNOWN: Why.STALE,
}


def _reasons(of: Condition) -> tuple[Reason, ...]:
    reasons = []
    if of.verdict.trust in _BY_TRUST and of.verdict.cause is not None:
        reasons.append(Reason(_BY_TRUST[of.verdict.trust], of.verdict.cause))
    if of.standing.standing is Standing.REFUSED:
        why = of.standing.reason or ""
        reasons.append(
            Reason(Why.REFUSED, Cause(f"refusé par la passerelle : {why}", f"refused by its gateway: {why}"))
        )
    if of.drift is not None and not 1 / DRIFT <= of.drift <= DRIFT:
        reasons.append(Reason(Why.DRIFT, _drift_words(of.drift)))
    if of.battery_low or (of.battery_days is not None and of.battery_days <= BATTERY_SOON_DAYS):
        reasons.append(Reason(Why.BATTERY, _battery_words(of.battery_days)))
    if of.rssi_dbm is not None and of.rssi_dbm < WEAK_DBM:
        dbm = f"\N{MINUS SIGN}{-of.rssi_dbm:.0f} dBm"
        reasons.append(Reason(Why.SIGNAL, Cause(f"signal faible ({dbm})", f"weak signal ({dbm})")))
    return tuple(sorted(reasons, key=lambda reason: list(Why).index(reason.why)))


def _drift_words(drift: float) -> Cause:
    times = f"{drift:.1f}"
    return Cause(
        f"compte {times.replace('.', ',')} fois ce que ses voisins laissent attendre",
        f"counts {times} times what its neighbours make one expect",
    )


def _battery_words(days: int | None) -> Cause:
    if days is None:
        return Cause("pile faible", "battery low")
    left = lasting(timedelta(days=max(days, 1)))
    return Cause(f"pile vide dans {left.fr} environ", f"battery flat in about {left.en}")


def drifts(weeks: Mapping[str, float | None], months: Mapping[str, float | None]) -> dict[str, float]:
    """By counter, its change against the change of the others.

    `weeks` and `months`: passages per measured hour in the last 7 days and in the 28 before, by counter; None where
    too little was measured. Weather and holidays change all of a town; what changes alone is the sensor, or the street.
    """
    changes = {
        counter: week / month
        for counter, week in weeks.items()
        if week is not None and (month := months.get(counter)) is not None and month > 0 and week > 0
    }
    found = {}
    for counter, change in changes.items():
        others = [each for other, each in changes.items() if other != counter]
        if len(others) >= FEWEST_NEIGHBOURS:
            found[counter] = change / median(others)
    return found


def round_of(wanted: Sequence[Visit], start: Position | None = None) -> list[Visit]:
    """The visits as a round: the nearest next, then crossings taken out (2-opt). Those without a position come last."""
    placed = [(visit, visit.position) for visit in wanted if visit.position is not None]
    somewhere = [visit for visit in wanted if visit.position is None]
    if not placed:
        return somewhere
    here = start or placed[0][1]
    return [visit for visit, _ in _uncrossed(_nearest_next(placed, here), here)] + somewhere


Placed = tuple[Visit, Position]


def _nearest_next(placed: Sequence[Placed], start: Position) -> list[Placed]:
    left, here, way = list(placed), start, []
    while left:
        nearest = min(left, key=lambda each: metres(here, each[1]))
        left.remove(nearest)
        way.append(nearest)
        here = nearest[1]
    return way


def _uncrossed(way: list[Placed], start: Position) -> list[Placed]:
    """Turn stretches round for as long as that makes the way shorter."""
    while (shorter := _turned_round(way, start)) != way:
        way = shorter
    return way


def _turned_round(way: list[Placed], start: Position) -> list[Placed]:
    """One look at every stretch: turned round where that makes the way shorter."""
    points = [start, *(position for _, position in way)]
    turned = list(way)
    for first, last in combinations(range(len(way)), 2):
        if _saved_m(points[first], points[first + 1 : last + 2], points[last + 2 : last + 3]) > WORTH_M:
            turned[first : last + 1] = turned[first : last + 1][::-1]
            points[first + 1 : last + 2] = points[first + 1 : last + 2][::-1]
    return turned


def _saved_m(before: Position, stretch: Sequence[Position], after: Sequence[Position]) -> float:
    """By how much a stretch is shorter turned round: only its two ends change. `after` is empty at the way's end."""
    first, last = stretch[0], stretch[-1]
    saved_m = metres(before, first) - metres(before, last)
    return saved_m + sum(metres(last, each) - metres(first, each) for each in after)
