"""How good forecasts of a free space are, in zones whose drivers are simulated, beside what needs no forecasting."""

from collections.abc import Iterator

import numpy as np

from cloud_api.forecast.quality import Method, Scored, judge
from firmware_sim.parking import Habits
from tests.bench.table import Row
from tests.drivers import BUSY, MINUTES, play

SEEDS = range(1, 5)
ZONES = {"short stays": BUSY, "long stays": Habits(stay_min=75, gap_min=14, at_night=0.6)}


def rows() -> Iterator[Row]:
    """Four weeks of ten bays, four times over: three learned from, the fourth forecast at every quarter-hour."""
    for name, habits in ZONES.items():
        weeks = [play(seed, 1, habits).scored for seed in SEEDS]
        for minutes in MINUTES:
            yield from _rows(f"{name}, in {minutes} min", _joined([week[minutes] for week in weeks]))


def _rows(what: str, scored: Scored) -> Iterator[Row]:
    quality = judge(scored)
    ours = quality.brier[Method.MODEL] or 0.0
    yield Row(f"{what}: Brier score", ours, "", quality.brier[Method.AS_NOW], "as now")
    yield Row("  the same", ours, "", quality.brier[Method.USUAL], "the last three weeks at this hour")
    yield Row("  outcomes within the 80 % interval", 100 * (quality.covered or 0.0), "%", 80, "what it says")
    off = sum(each.count * abs(each.forecast - each.observed) for each in quality.calibration) / quality.scored
    yield Row("  probability off, mean over the tenths", 100 * off, "points")


def _joined(parts: list[Scored]) -> Scored:
    names = ("model", "as_now", "usual", "low", "high", "free")
    return Scored(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
