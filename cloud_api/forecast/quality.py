"""How good past forecasts were, beside what needs none: "as now" and "as in the last three weeks at this hour".

In come forecasts of whether at least one space is free, with what came of them; out come Brier scores, calibration and
the method that is to be served. Pure.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cloud_api.forecast.occupancy import Floats, Ints

FEWEST: Final = 288
"""Scored forecasts below which a method is not judged: three days of quarter-hours."""
BINS: Final = 10
DIGITS: Final = 3
"""Brier scores are published and compared to so many decimals."""


class Method(StrEnum):
    """How a figure was arrived at."""

    MODEL = "model"
    AS_NOW = "as_now"
    """As many will be free as are free now."""
    USUAL = "usual"
    """The mean of the same local hour one, two and three weeks before."""


class Bin(Struct, frozen=True, kw_only=True):
    """The forecasts that gave about the same probability."""

    forecast: float
    """Their mean probability, 0 to 1."""
    observed: float
    """The share of them after which a space was free."""
    count: int


class Beaten(Struct, frozen=True, kw_only=True):
    """That the model was worse than a baseline, on the forecasts that both made."""

    model: float
    baseline: float
    """Brier scores."""
    forecasts: int


class Quality(Struct, frozen=True, kw_only=True):
    """How good the forecasts of one lead time were."""

    scored: int
    """Forecasts whose outcome is known."""
    brier: Mapping[Method, float | None]
    """The mean squared error of the probability, 0 (best) to 1; null where the method had nothing to say."""
    covered: float | None
    """The share of outcomes within the 80 % interval that was told; null where none is scored."""
    calibration: tuple[Bin, ...]
    """The model's, by tenths of probability; those without a forecast are left out."""
    serves: Method
    """The model, or the baseline than which it was worse."""
    beaten: Beaten | None
    """By how much it was; null while the model is served."""


class Scored(Struct, frozen=True, eq=False):
    """Forecasts of one lead time and what came of them, one entry each."""

    model: Floats
    """float64[forecast]: the model's probability of at least one free space."""
    as_now: Floats
    usual: Floats
    """float64[forecast] of the baselines; NaN where there was no such hour."""
    low: Ints
    high: Ints
    free: Ints
    """int64[forecast] each: the interval that was told, and how many were free."""


def judge(scored: Scored) -> Quality:
    """How good each method was, and which is served: the model, unless it was worse than a baseline."""
    came = scored.free > 0
    probabilities = {
        Method.MODEL: scored.model,
        Method.AS_NOW: scored.as_now,
        Method.USUAL: scored.usual,
    }
    serves, beaten = _served(probabilities, came)
    return Quality(
        scored=len(came),
        brier={method: _brier(each, came) for method, each in probabilities.items()},
        covered=round(float(np.mean((scored.low <= scored.free) & (scored.free <= scored.high))), 3)
        if len(came)
        else None,
        calibration=_calibration(scored.model, came),
        serves=serves,
        beaten=beaten,
    )


def _brier(probability: Floats, came: NDArray[np.bool_]) -> float | None:
    known = ~np.isnan(probability)
    return round(float(np.mean((probability[known] - came[known]) ** 2)), DIGITS) if known.any() else None


def _served(probabilities: Mapping[Method, Floats], came: NDArray[np.bool_]) -> tuple[Method, Beaten | None]:
    """The baseline by which the model is beaten most, each compared on the forecasts that both made."""
    worst: tuple[Method, Beaten | None] = (Method.MODEL, None)
    for method in (Method.AS_NOW, Method.USUAL):
        both = ~np.isnan(probabilities[method])
        ours, theirs = (_brier(probabilities[each][both], came[both]) for each in (Method.MODEL, method))
        if np.count_nonzero(both) < FEWEST or ours is None or theirs is None or ours <= theirs:
            continue
        if worst[1] is None or ours - theirs > worst[1].model - worst[1].baseline:
            worst = method, Beaten(model=ours, baseline=theirs, forecasts=int(np.count_nonzero(both)))
    return worst


def _calibration(probability: Floats, came: NDArray[np.bool_]) -> tuple[Bin, ...]:
    tenth = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    return tuple(
        Bin(
            forecast=round(float(probability[inside].mean()), DIGITS),
            observed=round(float(came[inside].mean()), DIGITS),
            count=int(np.count_nonzero(inside)),
        )
        for each in range(BINS)
        if (inside := tenth == each).any()
    )
