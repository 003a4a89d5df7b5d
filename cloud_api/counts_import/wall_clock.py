"""Times that an export writes by the clock on the wall, in UTC, exactly: days have 23, 24 or 25 hours. Pure.

The hour that the clock skips is none. The hour that comes twice is known where the export has it twice, in order; where
it has it once, nobody knows which of the two it counts, or whether both.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

SKIPPED: Final = "the clock skips this hour (summer time begins)"
ONCE: Final = "this hour comes twice (summer time ends) and is here once: nobody knows which it counts"
REPEATED: Final = "a time of its own expected; it stands here more than once"


def instants(labels: Sequence[datetime], zone: ZoneInfo) -> list[datetime | str]:
    """The UTC instant of each label of a day, in the order of the file, or why it has none.

    Labels are without a zone. All that bear the same label must be given together.
    """
    times = Counter(labels)
    seen: Counter[datetime] = Counter()
    found: list[datetime | str] = []
    for label in labels:
        found.append(_instant(label, zone, times[label], seen[label]))
        seen[label] += 1
    return found


def _instant(label: datetime, zone: ZoneInfo, times: int, before: int) -> datetime | str:
    first, second = (label.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first if times == 1 else REPEATED
    if first.astimezone(zone).replace(tzinfo=None) != label:
        return SKIPPED
    if times > 2:
        return REPEATED
    return ONCE if times == 1 else (first, second)[before]
