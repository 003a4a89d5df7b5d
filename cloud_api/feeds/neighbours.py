"""Others' car parks as they are now: what each feed last said, since when, and how far it can be believed.

In come readings, answers without news and failures, each with the time; out comes, for a zone, its figure and the
verdict on it, with the operator's name in the cause. Never touched but on the event loop.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.feeds.lots import Lot, LotState, Reading, Tendency, impossible
from cloud_api.feeds.settings import LotFeed
from cloud_api.registry.places import FeedSource
from cloud_api.trust import CLOCK_TOLERANCE, Cause, Trust, Verdict, lasting

SILENT_PERIODS: Final = 3
"""A feed may fail to answer so often before its last word is no longer the present."""
SHORTEST_SILENCE: Final = timedelta(minutes=2)
ONE_LOT: Final = 4
"""One car park may stay the same so many times longer than all of them together."""
DAYTIME: Final = (time(7), time(21))
"""At night a town's car parks may well stand still."""


class Seen(Struct, frozen=True):
    """One lot as last told, and since when its figures are so, by our own clock."""

    lot: Lot
    since: datetime


class FeedState(Struct, frozen=True, kw_only=True):
    """What one feed told."""

    read_at: datetime | None = None
    """When it last answered, by our own clock."""
    since: datetime | None = None
    """Since when not one of its figures has changed."""
    lots: Mapping[str, Seen] = {}
    refused: Mapping[str, str] = {}
    """Lots that cannot be as they were last told, and why."""
    trouble: str | None = None
    """Why the last attempt failed; None while all is well."""


class Neighbour(Struct, frozen=True, kw_only=True):
    """A zone as its operator tells of it. Figures are for all audiences together."""

    operator: str
    verdict: Verdict
    capacity: int | None = None
    free: int | None = None
    """None unless it can be believed."""
    measured_at: datetime | None = None
    """By the operator's clock where it tells the time, else when we read it."""
    tendency: Tendency | None = None


def take(state: FeedState, reading: Reading, now: datetime) -> FeedState:
    """The state after a document."""
    lots = {lot.id: _seen(state.lots.get(lot.id), lot, now) for lot in reading.lots}
    changed = any(seen.since == now for seen in lots.values()) or lots.keys() != state.lots.keys()
    return FeedState(
        read_at=now,
        since=now if changed or state.since is None else state.since,
        lots=lots,
        refused={each.id: each.reason for each in reading.refused},
    )


def unchanged(state: FeedState, now: datetime) -> FeedState:
    """The state after an answer that there is nothing new."""
    return replace(state, read_at=now, trouble=None)


def failed(state: FeedState, trouble: str) -> FeedState:
    """The state after an attempt that failed."""
    return replace(state, trouble=trouble)


class Neighbours:
    """Guards that each feed has one state, the one after its last attempt."""

    def __init__(self, feeds: Iterable[LotFeed], zone: ZoneInfo) -> None:
        self.feeds: Mapping[str, LotFeed] = {feed.name: feed for feed in feeds}
        self._zone = zone
        self._states = {name: FeedState() for name in self.feeds}

    def state(self, feed: str) -> FeedState:
        """What one feed told."""
        return self._states[feed]

    def put(self, feed: str, state: FeedState) -> None:
        """Keep what it told."""
        self._states[feed] = state

    def look(self, source: FeedSource, capacity: int | None, now: datetime) -> Neighbour:
        """A zone as its feed tells of it; `capacity` is the registry's, for feeds that tell none."""
        feed = self.feeds.get(source.name)
        if feed is None:
            cause = Cause(f"le flux « {source.name} » n’est pas lu ici", f"feed {source.name!r} is not read here")
            return Neighbour(operator=source.name, verdict=Verdict(Trust.UNKNOWN, cause), capacity=capacity)
        state = self._states[source.name]
        seen = state.lots.get(source.id)
        verdict = judge_lot(feed, state, source.id, capacity, now, self._zone)
        if seen is None:
            return Neighbour(operator=feed.operator, verdict=verdict, capacity=capacity)
        lot = seen.lot
        fresh = verdict.trust is Trust.FRESH
        return Neighbour(
            operator=feed.operator,
            verdict=verdict,
            capacity=_capacity(lot, capacity),
            free=(0 if lot.state is LotState.FULL else lot.free) if fresh else None,
            measured_at=lot.at or state.read_at,
            tendency=lot.tendency if fresh else None,
        )


NO_NEIGHBOURS: Final = Neighbours((), ZoneInfo("UTC"))
"""For a town that reads no feed."""


def judge_lot(
    feed: LotFeed, state: FeedState, id_: str, capacity: int | None, now: datetime, zone: ZoneInfo
) -> Verdict:
    """How far what a feed last said of a lot can be believed now."""
    seen = state.lots.get(id_)
    return (
        _judge_feed(feed, state, now)
        or _judge_word(feed, state, id_, capacity)
        or (None if seen is None else _judge_age(feed, seen.lot, now))
        or (None if seen is None else _judge_standstill(feed, state, seen, now, zone))
        or (None if seen is None else _judge_state(feed, seen.lot))
        or Verdict(Trust.FRESH)
    )


def waking(since: datetime, now: datetime, zone: ZoneInfo) -> timedelta:
    """How much daytime lies between two instants."""
    first, last = since.astimezone(zone).date(), now.astimezone(zone).date()
    total = timedelta()
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        dawn, dusk = (datetime.combine(day, hour, zone).astimezone(now.tzinfo) for hour in DAYTIME)
        total += max(timedelta(), min(dusk, now) - max(dawn, since))
    return total


def _seen(known: Seen | None, lot: Lot, now: datetime) -> Seen:
    same = known is not None and (known.lot.free, known.lot.state) == (lot.free, lot.state)
    return Seen(lot, known.since if known is not None and same else now)


def _judge_feed(feed: LotFeed, state: FeedState, now: datetime) -> Verdict | None:
    who = feed.operator
    if state.read_at is None and state.trouble is None:
        return Verdict(Trust.UNKNOWN, Cause(f"{who} n’a encore rien dit", f"{who} has not spoken yet"))
    if state.read_at is None:
        return Verdict(Trust.UNKNOWN, Cause(f"le flux de {who} ne répond pas", f"{who}’s feed does not answer"))
    silence = now - state.read_at
    if silence <= max(SHORTEST_SILENCE, timedelta(seconds=SILENT_PERIODS * feed.period_s)):
        return None
    long = lasting(silence)
    return Verdict(
        Trust.STALE,
        Cause(f"le flux de {who} ne répond plus depuis {long.fr}", f"{who}’s feed has not answered for {long.en}"),
    )


def _judge_word(feed: LotFeed, state: FeedState, id_: str, capacity: int | None) -> Verdict | None:
    who, seen = feed.operator, state.lots.get(id_)
    wrong = state.refused.get(id_) or (None if seen is None else impossible(seen.lot, _capacity(seen.lot, capacity)))
    if wrong is not None:
        said = Cause(f"{who} annonce un chiffre impossible ({wrong})", f"{who} tells a figure that cannot be ({wrong})")
        return Verdict(Trust.IMPLAUSIBLE, said)
    if seen is None:
        said = Cause(f"{who} ne dit rien de ce parking", f"{who} says nothing of this car park")
        return Verdict(Trust.UNKNOWN, said)
    if seen.lot.capacity is None and capacity is None:
        said = Cause("personne ne dit combien de places il y a", "nobody says how many spaces there are")
        return Verdict(Trust.UNKNOWN, said)
    return None


def _capacity(lot: Lot, known: int | None) -> int | None:
    return known if lot.capacity is None else lot.capacity


def _judge_age(feed: LotFeed, lot: Lot, now: datetime) -> Verdict | None:
    if lot.at is None:
        return None
    who, age = feed.operator, now - lot.at
    if -age > CLOCK_TOLERANCE:
        return Verdict(Trust.UNKNOWN, Cause(f"l’heure de {who} est dans le futur", f"{who}’s time is in the future"))
    if age <= timedelta(seconds=feed.stale_after_s):
        return None
    long = lasting(age)
    return Verdict(
        Trust.STALE,
        Cause(f"{who} ne donne plus de nouvelles depuis {long.fr}", f"{who} has given no news for {long.en}"),
    )


def _judge_standstill(feed: LotFeed, state: FeedState, seen: Seen, now: datetime, zone: ZoneInfo) -> Verdict | None:
    longest = timedelta(hours=feed.frozen_after_h)
    if not _may_move(seen.lot):
        return None
    who, since = feed.operator, state.since or now
    if waking(since, now, zone) >= longest:
        long = lasting(now - since)
        said = Cause(
            f"aucun chiffre de {who} n’a changé depuis {long.fr}",
            f"not one figure of {who}’s has changed for {long.en}",
        )
        return Verdict(Trust.FROZEN, said)
    if waking(seen.since, now, zone) >= ONE_LOT * longest:
        long = lasting(now - seen.since)
        said = Cause(f"{who} répète le même chiffre depuis {long.fr}", f"{who} has told the same figure for {long.en}")
        return Verdict(Trust.FROZEN, said)
    return None


def _may_move(lot: Lot) -> bool:
    """Whether a lot would be expected to change: neither closed, nor full, nor empty."""
    moving = lot.state not in {LotState.CLOSED, LotState.FULL} and lot.free is not None
    return moving and lot.free not in {0, lot.capacity}


def _judge_state(feed: LotFeed, lot: Lot) -> Verdict | None:
    who = feed.operator
    if lot.state is LotState.CLOSED:
        return Verdict(Trust.CLOSED, Cause(f"fermé, dit {who}", f"closed, says {who}"))
    if lot.state is LotState.FULL:
        return Verdict(Trust.FRESH, Cause(f"complet, dit {who}", f"full, says {who}"))
    if lot.free is None:
        said = Cause(f"{who} ne dit pas combien de places sont libres", f"{who} does not say how many spaces are free")
        return Verdict(Trust.UNKNOWN, said)
    return None
