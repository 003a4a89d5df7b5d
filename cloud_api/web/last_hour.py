"""A counter's last hour against what is usual, in words. Pure.

In come the hour as last read, the words of a language and the time; out comes one line, or none where the hour is over
for too long, or nobody measured it.
"""

from datetime import datetime

from msgspec import Struct

from cloud_api.flows_now import COVERED, OLDEST, Busyness, LastHour, Usual
from cloud_api.web.words import Words


class LastHourLine(Struct, frozen=True):
    """What is said of a counter's last hour."""

    text: str
    busyness: Busyness | None
    compared: str
    """How it compares with other days; empty where that is not known."""


def last_hour_line(hour: LastHour | None, words: Words, now: datetime) -> LastHourLine | None:
    """One line, its time by the clock of `now`."""
    if hour is None or hour.end is None or now - hour.end > OLDEST:
        return None
    known = [count for count in (hour.in_, hour.out) if count is not None]
    if not known:
        return None
    count = words.count(sum(known), words.passages)
    told = count if hour.coverage >= COVERED else words.at_least.format(count=count)
    compared = "" if hour.busyness is None or hour.usual is None else _compared(hour.busyness, hour.usual, words)
    time = words.time(hour.end.astimezone(now.tzinfo))
    return LastHourLine(words.last_hour.format(time=time, count=told), hour.busyness, compared)


def _compared(busyness: Busyness, usual: Usual, words: Words) -> str:
    usually = words.usually.format(low=words.number(usual.low), high=words.number(usual.high))
    return f"{words.busyness[busyness]} ({usually})"
