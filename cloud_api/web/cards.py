"""A zone as the page writes it: pure functions from what is known to words. `static/zones.js` writes the same.

In come zone views, the words of a language and the time; out come cards. Unknown is a word here, never a nought.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from cloud_api.closed import ClosedView
from cloud_api.counts import Counts
from cloud_api.feeds.lots import Tendency
from cloud_api.nearby import walk_minutes
from cloud_api.registry import Position, Zone
from cloud_api.registry.places import Audience
from cloud_api.trend import Trend
from cloud_api.trust import Cause, Trust
from cloud_api.web.arrivals import Outlook, on_arrival
from cloud_api.web.english import ENGLISH
from cloud_api.web.french import FRENCH
from cloud_api.web.words import Words
from cloud_api.zones import ZoneView

MINUTES_PER_HOUR = 60
HOURS_UNTIL_DAYS = 48
UNTOLD: Final = Cause(FRENCH.untold, ENGLISH.untold)


class Shares(Struct, frozen=True):
    """The strip under a zone: what each status takes of its width, in percent."""

    free: float
    occupied: float
    unknown: float
    closed: float

    def parts(self) -> list[tuple[str, float, float]]:
        """Name, left edge and width of each part, in percent."""
        widths = [("free", self.free), ("occupied", self.occupied), ("unknown", self.unknown), ("closed", self.closed)]
        lefts = [sum(width for _, width in widths[:index]) for index in range(len(widths))]
        return [(name, round(left, 2), round(width, 2)) for left, (name, width) in zip(lefts, widths, strict=True)]


class ZoneCard(Struct, frozen=True, kw_only=True):
    """One zone as one audience finds it, in words."""

    id: str
    name: str
    position: Position
    trust: Trust
    figure: str
    """The number of free spaces, or the word that stands for it."""
    is_number: bool
    label: str
    """What the figure counts; empty where the zone is closed."""
    trust_name: str
    measured_at: datetime | None
    age: str
    walk: str
    """How long one walks; empty where that is not asked."""
    metres: float | None
    direction: Tendency | None
    trend: str
    """Where it is going; empty while that is not known, and where it stays."""
    facts: tuple[str, ...]
    """Who says so, where it is not the town; what it costs, and how high one may be."""
    detail: str
    cause: str
    closures: tuple[str, ...]
    """How many spaces are closed, until when and why."""
    arrival: str
    """What to expect of an arrival, and how likely a space is found; empty where nothing can be said."""
    arrival_at: datetime | None
    """When that is."""
    shares: Shares


class Summary(Struct, frozen=True, kw_only=True):
    """All zones together."""

    figure: str
    is_number: bool
    label: str
    detail: str


def counts_for(zone: ZoneView, audience: Audience) -> Counts | None:
    """What one audience finds in a zone; None where it has no space there.

    Where nobody tells whose the spaces are, everybody finds an unknown number.
    """
    own = zone.of(audience)
    if own is not None or zone.audiences or audience is not Audience.PUBLIC:
        return own
    fresh = zone.trust is Trust.FRESH
    return Counts(
        capacity=zone.capacity,
        free=None,
        occupied=None,
        unknown=zone.capacity - zone.closed,
        closed=zone.closed,
        trust=Trust.UNKNOWN if fresh else zone.trust,
        cause=UNTOLD if fresh else zone.cause,
        measured_at=zone.measured_at,
        oldest_at=None,
    )


class Seen(Struct, frozen=True, kw_only=True):
    """A zone as the page is to show it."""

    zone: ZoneView
    counts: Counts
    """Of the audience that looks."""
    outlook: Outlook | None = None
    metres: float | None = None
    """How far it is, in a straight line, where that is asked."""
    place: Zone | None = None
    """What the town's register says of it."""


def zone_card(seen: Seen, audience: Audience, words: Words, now: datetime) -> ZoneCard:
    """One zone at a time, `now` in local time."""
    zone, counts, outlook = seen.zone, seen.counts, seen.outlook
    number = shown_free(counts)
    closures = tuple(closed_in_words(each, words, now) for each in zone.closures if counts.closed)
    arrival = "" if outlook is None else on_arrival(outlook, counts.trust, words)
    return ZoneCard(
        id=zone.id,
        name=zone.name,
        position=zone.position,
        trust=counts.trust,
        figure=_word_for_none(counts, words) if number is None else words.number(number),
        is_number=number is not None,
        label=_label(counts, number, audience, words),
        trust_name=words.trust[counts.trust].name,
        measured_at=counts.measured_at,
        age=age(counts.measured_at, words, now),
        walk="" if seen.metres is None else words.walk.format(n=walk_minutes(seen.metres)),
        metres=seen.metres,
        direction=None if counts.trend is None else counts.trend.direction,
        trend=_trend(counts.trend, words),
        facts=tuple(_facts(seen, words)),
        detail=_detail(counts.capacity, counts.occupied, counts.unknown, counts.closed, words),
        cause=_cause(counts, closures, words),
        closures=closures,
        arrival=arrival,
        arrival_at=outlook.arrival.at if outlook is not None and arrival else None,
        shares=_shares(counts),
    )


def closed_in_words(closed: ClosedView, words: Words, now: datetime) -> str:
    """A closure in one line; its end by the clock of `now`."""
    spaces = words.count(closed.spaces, words.spaces_closed)
    if closed.until is None:
        return words.closed_for_now.format(spaces=spaces, reason=closed.reason)
    until = closed.until.astimezone(now.tzinfo)
    day = until.strftime("%d/%m/%Y")
    return words.closed_until.format(spaces=spaces, day=day, time=words.time(until), reason=closed.reason)


def summary(seen: Sequence[Counts], audience: Audience, words: Words) -> Summary:
    """All zones together: what is known to be free for an audience, of how many."""
    known = [number for counts in seen if (number := shown_free(counts)) is not None]
    free, its = sum(known), words.audiences[audience]
    return Summary(
        figure=words.number(free) if known else words.unknown,
        is_number=bool(known),
        label=words.noun(free, its.free) if known else its.unknown,
        detail=_detail(
            sum(counts.capacity for counts in seen),
            None,
            sum(counts.unknown for counts in seen),
            sum(counts.closed for counts in seen),
            words,
        ),
    )


def shown_free(counts: Counts) -> int | None:
    """How many spaces are free; None also where nought is only what is left of a zone that cannot be believed."""
    if counts.free == 0 and counts.unknown and counts.trust is not Trust.FRESH:
        return None
    return counts.free


def age(at: datetime | None, words: Words, now: datetime) -> str:
    """How long ago something was measured."""
    if at is None:
        return words.never
    minutes = max(0, int((now - at).total_seconds() // 60))
    if minutes == 0:
        return words.just_now
    if minutes < MINUTES_PER_HOUR:
        return words.minutes_ago.format(n=minutes)
    hours = minutes // MINUTES_PER_HOUR
    if hours < HOURS_UNTIL_DAYS:
        return words.hours_ago.format(n=hours)
    return words.noun(hours // 24, words.days_ago).format(n=hours // 24)


def _word_for_none(counts: Counts, words: Words) -> str:
    return words.closed if counts.trust is Trust.CLOSED else words.unknown


def _label(counts: Counts, number: int | None, audience: Audience, words: Words) -> str:
    its = words.audiences[audience]
    if number is None:
        return "" if counts.trust is Trust.CLOSED else its.unknown
    noun = words.noun(number, its.free)
    return f"{noun}, {words.full}" if number == 0 and counts.unknown == 0 else noun


def _cause(counts: Counts, closures: Sequence[str], words: Words) -> str:
    """Why; what is closed says so by its closures."""
    if counts.cause is None or (counts.trust is Trust.CLOSED and closures):
        return ""
    return words.cause(counts.cause)


def _facts(seen: Seen, words: Words) -> Iterator[str]:
    if seen.zone.source is not None:
        yield words.source.format(operator=seen.zone.source)
    if seen.place is not None and seen.place.price is not None:
        yield words.price.format(text=seen.place.price)
    if seen.place is not None and seen.place.height_limit_m is not None:
        yield words.height_limit.format(metres=words.decimal(seen.place.height_limit_m))


def _trend(trend: Trend | None, words: Words) -> str:
    if trend is None or trend.direction is Tendency.STEADY:
        return ""
    return words.trend[trend.direction]


def _detail(capacity: int, occupied: int | None, unknown: int, closed: int, words: Words) -> str:
    counts = ((occupied or 0, words.occupied_spaces), (unknown, words.unknown_spaces), (closed, words.closed_spaces))
    pieces = [words.count(number, noun) for number, noun in counts if number]
    return " · ".join([words.out_of.format(n=words.number(capacity)), *pieces])


def _shares(counts: Counts) -> Shares:
    whole = max(counts.capacity, 1) / 100
    return Shares(
        (counts.free or 0) / whole, (counts.occupied or 0) / whole, counts.unknown / whole, counts.closed / whole
    )
