"""An arrival in half an hour, in words. Pure.

In come an arrival and for whom it was worked out; out comes one line. Nothing is promised as certain, and a line is
empty where nothing can be said that the zone's present does not say already.
"""

from typing import Final

from msgspec import Struct

from cloud_api.forecast.arrival import NO_HISTORY, Arrival
from cloud_api.trust import Trust
from cloud_api.web.words import Words

LEAST_CHANCE: Final = 1
"""In percent: nothing to come is told as certain."""


class Outlook(Struct, frozen=True):
    """An arrival at a zone, `at` in local time."""

    arrival: Arrival
    together: bool
    """Whether it is of spaces for several audiences together."""


def on_arrival(outlook: Outlook, trust: Trust, words: Words) -> str:
    """An arrival in one line; `trust`: in the zone now."""
    arrival = outlook.arrival
    if arrival.probability is None or arrival.low is None or arrival.high is None:
        return _nothing(arrival, words) if trust is Trust.FRESH else ""
    pieces = [
        likely(arrival.probability, words),
        _range(arrival.low, arrival.high, words),
        words.all_together if outlook.together else "",
        "" if arrival.method is None else words.methods[arrival.method],
    ]
    return words.on_arrival.format(time=words.time(arrival.at), what=", ".join(piece for piece in pieces if piece))


def _nothing(arrival: Arrival, words: Words) -> str:
    if arrival.why is NO_HISTORY:
        return words.no_history
    return words.no_arrival.format(time=words.time(arrival.at), why=words.cause(arrival.why))


def likely(probability: float, words: Words) -> str:
    """How likely a space is, in words and in percent."""
    percent = min(max(round(100 * probability), LEAST_CHANCE), 100 - LEAST_CHANCE)
    chance = next(each for each in words.chances if probability >= each.at_least)
    return chance.text.format(n=percent)


def _range(low: int, high: int, words: Words) -> str:
    if high == 0:
        return ""
    last = words.count(high, words.spaces_then)
    return last if low == high else words.from_to.format(low=words.number(low), free=last)
