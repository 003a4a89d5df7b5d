"""A zone as the page writes it: pure functions from what is known to words. `static/zones.js` writes the same.

In come zone views, the words of a language and the time; out come cards. Unknown is a word here, never a nought.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, structs

from cloud_api.closed import ClosedView
from cloud_api.counts import Counts
from cloud_api.forecast.arrival import Arrival
from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from cloud_api.trust import Trust
from cloud_api.web.words import Words
from cloud_api.zones import ZoneView

MINUTES_PER_HOUR = 60
HOURS_UNTIL_DAYS = 48
LEAST_CHANCE = 1
"""In percent: nothing to come is told as certain."""


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
    """One zone, in words."""

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


def zone_card(zone: ZoneView, words: Words, now: datetime, arrival: Arrival | None = None) -> ZoneCard:
    """One zone at a time, `now` in local time; with an arrival, `at` in local time too, what can be said of it."""
    zone = for_everybody(zone)
    number = shown_free(zone)
    return ZoneCard(
        id=zone.id,
        name=zone.name,
        position=zone.position,
        trust=zone.trust,
        figure=_word_for_none(zone, words) if number is None else words.number(number),
        is_number=number is not None,
        label=_label(zone, number, words),
        trust_name=words.trust[zone.trust].name,
        measured_at=zone.measured_at,
        age=age(zone.measured_at, words, now),
        detail=_detail(zone.capacity, zone.occupied, zone.unknown, zone.closed, words),
        cause="" if zone.cause is None else words.cause(zone.cause),
        closures=tuple(closed_in_words(each, words, now) for each in zone.closures),
        arrival="" if arrival is None else on_arrival(arrival, words),
        arrival_at=None if arrival is None else arrival.at,
        shares=_shares(zone),
    )


def closed_in_words(closed: ClosedView, words: Words, now: datetime) -> str:
    """A closure in one line; its end by the clock of `now`."""
    spaces = words.count(closed.spaces, words.spaces_closed)
    if closed.until is None:
        return words.closed_for_now.format(spaces=spaces, reason=closed.reason)
    until = closed.until.astimezone(now.tzinfo)
    day, time = until.strftime("%d/%m/%Y"), until.strftime("%H:%M")
    return words.closed_until.format(spaces=spaces, day=day, time=time, reason=closed.reason)


def on_arrival(arrival: Arrival, words: Words) -> str:
    """An arrival in one line: no certainty is promised, and nothing is said where nothing is known."""
    if arrival.probability is None or arrival.low is None or arrival.high is None:
        return ""
    figure = (
        words.count(arrival.low, words.free)
        if arrival.low == arrival.high
        else words.from_to.format(low=words.number(arrival.low), free=words.count(arrival.high, words.free))
    )
    chance = min(max(round(100 * arrival.probability), LEAST_CHANCE), 100 - LEAST_CHANCE)
    return words.on_arrival.format(time=arrival.at.strftime("%H:%M"), figure=figure, chance=chance)


def summary(zones: Sequence[ZoneView], words: Words) -> Summary:
    """All zones together: what is known to be free for everybody, of how many."""
    zones = [for_everybody(zone) for zone in zones]
    known = [number for zone in zones if (number := shown_free(zone)) is not None]
    free = sum(known)
    return Summary(
        figure=words.number(free) if known else words.unknown,
        is_number=bool(known),
        label=words.noun(free, words.free) if known else words.free_unknown,
        detail=_detail(
            sum(zone.capacity for zone in zones),
            None,
            sum(zone.unknown for zone in zones),
            sum(zone.closed for zone in zones),
            words,
        ),
    )


def for_everybody(zone: ZoneView) -> ZoneView:
    """The zone as somebody finds it who has neither badge nor plug nor season ticket.

    As a whole where nothing is told of audiences; with nothing of its own where all is kept for others.
    """
    if not zone.audiences:
        return zone
    public = zone.of(Audience.PUBLIC)
    if public is None:
        return structs.replace(zone, capacity=0, free=None, occupied=None, unknown=0, closed=0)
    return structs.replace(zone, **{name: getattr(public, name) for name in Counts.__struct_fields__})


def shown_free(zone: ZoneView) -> int | None:
    """How many spaces are free; None also where nought is only what is left of a zone that cannot be believed."""
    if zone.free == 0 and zone.unknown and zone.trust is not Trust.FRESH:
        return None
    return zone.free


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


def _word_for_none(zone: ZoneView, words: Words) -> str:
    if zone.trust is Trust.CLOSED:
        return words.closed
    return words.reserved if _is_reserved(zone) else words.unknown


def _is_reserved(zone: ZoneView) -> bool:
    return bool(zone.audiences) and zone.of(Audience.PUBLIC) is None


def _label(zone: ZoneView, number: int | None, words: Words) -> str:
    if number is None:
        return "" if zone.trust is Trust.CLOSED or _is_reserved(zone) else words.free_unknown
    noun = words.noun(number, words.free)
    return f"{noun}, {words.full}" if number == 0 and zone.unknown == 0 else noun


def _detail(capacity: int, occupied: int | None, unknown: int, closed: int, words: Words) -> str:
    counts = ((occupied or 0, words.occupied_spaces), (unknown, words.unknown_spaces), (closed, words.closed_spaces))
    pieces = [words.count(number, noun) for number, noun in counts if number]
    return " · ".join([words.out_of.format(n=words.number(capacity)), *pieces])


def _shares(zone: ZoneView) -> Shares:
    whole = max(zone.capacity, 1) / 100
    return Shares((zone.free or 0) / whole, (zone.occupied or 0) / whole, zone.unknown / whole, zone.closed / whole)
