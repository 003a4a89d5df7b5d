"""The record of past forecasts: how good those of one zone and lead time were, and whose word is served. Pure."""

from datetime import datetime
from typing import Final

import numpy as np
from msgspec import Struct, structs

from cloud_api.forecast.baselines import UNMOVED
from cloud_api.forecast.distribution import HIGH, LOW
from cloud_api.forecast.occupancy import Ints, start_of
from cloud_api.forecast.quality import Method, Quality, Scored, judge
from cloud_api.trust import Cause

BY_THE_MODEL: Final = Cause(
    "d’après l’historique de la zone, son état actuel et sa tendance",
    "from the zone’s own history, its present state and trend",
)
BASELINES: Final = {
    Method.AS_NOW: ("comme maintenant", "as now"),
    Method.USUAL: ("comme les trois dernières semaines à cette heure", "as in the last three weeks at this hour"),
}


class Outcomes(Struct, frozen=True, eq=False):
    """The verified forecasts of one zone and lead time."""

    scored: Scored
    free_then: Ints
    """int64[forecast]: how many were free when each was made."""
    due: Ints
    """int64[forecast]: the quarter-hours that they were for, ascending."""
    unverified: int
    """Forecasts whose time has come without anybody knowing what came."""


class LeadQuality(Quality, frozen=True, kw_only=True):
    """How good the forecasts of one zone and lead time were."""

    minutes: int
    """The lead time."""
    since: datetime | None
    """The arrival that the first of them was for, UTC; null where none is scored."""
    until: datetime | None
    """That of the last."""
    unverified: int
    """Forecasts whose time has come without anybody knowing what came: they are not scored."""
    moved: tuple[int, int]
    """10 % and 90 % quantiles of how many more spaces were free on arrival than when the forecast was made."""
    why: Cause
    """Why this method is served."""


def judged(minutes: int, outcomes: Outcomes) -> LeadQuality:
    """How good past forecasts were."""
    quality, due = judge(outcomes.scored), outcomes.due
    return LeadQuality(
        **structs.asdict(quality),
        minutes=minutes,
        since=start_of(int(due[0])) if len(due) else None,
        until=start_of(int(due[-1])) if len(due) else None,
        unverified=outcomes.unverified,
        moved=_moved(outcomes),
        why=_why(quality),
    )


def _moved(outcomes: Outcomes) -> tuple[int, int]:
    if not len(outcomes.due):
        return UNMOVED
    moved = outcomes.scored.free - outcomes.free_then
    low, high = np.quantile(moved, (LOW, HIGH), method="inverted_cdf")
    return int(low), int(high)


def _why(quality: Quality) -> Cause:
    if quality.beaten is None:
        return BY_THE_MODEL
    fr, en = BASELINES[quality.serves]
    model, other, many = quality.beaten.model, quality.beaten.baseline, quality.beaten.forecasts
    return Cause(
        f"{fr} : sur {many} prévisions, le modèle s’est plus trompé (score de Brier {model} contre {other})",
        f"{en}: in {many} forecasts the model was further off (Brier score {model} against {other})",
    )
