"""How long a battery will last, by a straight line through what it said day by day. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from cloud_api.ledger import BatteryDay

FLAT_PERCENT: Final = 10.0
"""A radio sensor near empty fails in the first frost: this is when it must have been visited."""
LOOKED_AT_DAYS: Final = 120
FEWEST_DAYS: Final = 14
"""A shorter past says nothing: batteries of lithium hold their voltage until near the end."""
NEVER_DAYS: Final = 3650
REPLACED_PERCENT: Final = 20.0
"""A battery that gains so much from one report to the next is another one."""


def days_left(days: Sequence[BatteryDay]) -> int | None:
    """Days until a battery is flat, 0 to 3650, counted from its last report; None where its past is too short.

    The slope is fitted by least squares; one that does not fall gives the longest time.
    """
    recent = _since_replaced([each for each in days if each.day > days[-1].day - LOOKED_AT_DAYS]) if days else []
    if not recent or recent[-1].day - recent[0].day < FEWEST_DAYS:
        return None
    at = np.array([each.day for each in recent], float)
    percent = np.array([each.percent for each in recent], float)
    slope, _ = np.polyfit(at - at[-1], percent, 1)
    left = percent[-1] - FLAT_PERCENT
    if left <= 0:
        return 0
    if slope >= -left / NEVER_DAYS:
        return NEVER_DAYS
    return round(float(left / -slope))


def _since_replaced(days: list[BatteryDay]) -> list[BatteryDay]:
    risen = [index for index in range(1, len(days)) if days[index].percent - days[index - 1].percent > REPLACED_PERCENT]
    return days[risen[-1] :] if risen else days
