"""What the page writes of a zone: never a nought where the truth is that nobody knows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs
from msgspec.structs import asdict

from cloud_api.closed import ClosedView
from cloud_api.counts import AudienceCounts, Counts
from cloud_api.feeds.lots import Tendency
from cloud_api.flows_now import Busyness
from cloud_api.forecast.arrival import NO_HISTORY, Arrival
from cloud_api.forecast.quality import Method
from cloud_api.registry import Position, Zone
from cloud_api.registry.places import Audience
from cloud_api.trend import Trend
from cloud_api.trust import Cause, Trust
from cloud_api.web.arrivals import Outlook
from cloud_api.web.cards import Seen, ZoneCard, age, counts_for, summary, zone_card
from cloud_api.web.english import ENGLISH
from cloud_api.web.french import FRENCH
from cloud_api.web.languages import words_in
from cloud_api.web.words import Words
from cloud_api.zones import ZoneView

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
STALE = Cause("sans nouvelles depuis 5 h", "no news for 5 h")


def counts(
    free: int | None, occupied: int | None, unknown: int = 0, closed: int = 0, trust: Trust = Trust.FRESH
) -> Counts:
    return Counts(
        capacity=(free or 0) + (occupied or 0) + unknown + closed,
        free=free,
        occupied=occupied,
        unknown=unknown,
        closed=closed,
        trust=trust,
        cause=None if trust is Trust.FRESH else STALE,
        measured_at=NOW - timedelta(minutes=2),
        oldest_at=None,
    )


def zone(total: Counts, **audiences: Counts) -> ZoneView:
    """A zone of so many spaces, and what each audience finds of them."""
    return ZoneView(
        **asdict(total),
        id="marche",
        name="Place du Marché",
        position=Position(lat=47.4, lon=0.9),
        audiences=tuple(AudienceCounts(audience=Audience(name), **asdict(its)) for name, its in audiences.items()),
    )


def card(seen: Counts, words: Words = FRENCH, arrival: Arrival | None = None, **more: Any) -> ZoneCard:
    """A zone that is everybody's, as the page writes it."""
    outlook = None if arrival is None else Outlook(arrival, more.pop("together", False))
    shown = Seen(zone=zone(seen, public=seen), counts=seen, outlook=outlook, **more)
    return zone_card(shown, Audience.PUBLIC, words, NOW)


@pytest.mark.parametrize(
    ("seen", "figure", "label"),
    [
        (counts(5, 7), "5", "places libres"),
        (counts(1, 7), "1", "place libre"),
        (counts(0, 8), "0", "place libre, complet"),
        (counts(0, 7, unknown=1), "0", "place libre"),
        (counts(None, None, unknown=8, trust=Trust.UNKNOWN), "inconnu", "nombre de places libres"),
        (counts(0, 1, unknown=7, trust=Trust.STALE), "inconnu", "nombre de places libres"),
        (counts(2, 1, unknown=7, trust=Trust.STALE), "2", "places libres"),
        (counts(None, None, closed=8, trust=Trust.CLOSED), "fermé", ""),
        (counts(1200, 0), "1\N{NARROW NO-BREAK SPACE}200", "places libres"),
    ],
)
def test_a_zone_says_a_number_only_where_it_is_known(seen: Counts, figure: str, label: str) -> None:
    told = card(seen)

    assert (told.figure, told.label) == (figure, label)


def test_the_detail_names_every_space_that_is_not_free() -> None:
    seen = counts(2, 1, unknown=7, closed=2, trust=Trust.STALE)

    assert card(seen).detail == "sur 12 · 1 occupée · 7 inconnues · 2 fermées"
    assert card(seen, ENGLISH).detail == "of 12 · 1 occupied · 7 unknown · 2 closed"
    assert card(seen, ENGLISH).cause == "no news for 5 h"


def test_the_strip_shares_its_whole_width() -> None:
    parts = card(counts(2, 1, unknown=7, closed=2)).shares.parts()

    assert sum(width for _, _, width in parts) == pytest.approx(100, abs=0.1)
    assert [round(left) for _, left, _ in parts] == [0, 17, 25, 83]


def test_a_zone_without_spaces_has_no_strip_and_no_number() -> None:
    told = card(counts(None, None, trust=Trust.UNKNOWN))

    assert told.figure == "inconnu"
    assert [width for _, _, width in told.shares.parts()] == [0, 0, 0, 0]


def arrival(probability: float | None, low: int | None, high: int | None, **more: Any) -> Arrival:
    told: dict[str, Any] = {"method": None if probability is None else Method.MODEL, "why": STALE}
    return Arrival(
        minutes=30,
        at=datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Paris")),
        probability=probability,
        expected=low,
        low=low,
        high=high,
        **told | more,
    )


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("figures", "french", "english"),
    [
        (
            (0.934, 1, 4),
            "À 12 h 00 : très probablement une place (93 %), 1 à 4 libres",
            "At 12:00: very likely a space (93%), 1 to 4 free",
        ),
        (
            (1.0, 2, 2),
            "À 12 h 00 : très probablement une place (99 %), 2 libres",
            "At 12:00: very likely a space (99%), 2 free",
        ),
        (
            (0.7, 0, 3),
            "À 12 h 00 : probablement une place (70 %), 0 à 3 libres",
            "At 12:00: probably a space (70%), 0 to 3 free",
        ),
        (
            (0.5, 0, 1),
            "À 12 h 00 : peut-être une place (50 %), 0 à 1 libre",
            "At 12:00: perhaps a space (50%), 0 to 1 free",
        ),
        (
            (0.2, 0, 1),
            "À 12 h 00 : probablement complet (20 % de chances d’une place), 0 à 1 libre",
            "At 12:00: probably full (20% chance of a space), 0 to 1 free",
        ),
        (
            (0.001, 0, 0),
            "À 12 h 00 : très probablement complet (1 % de chances d’une place)",
            "At 12:00: very probably full (1% chance of a space)",
        ),
    ],
)
def test_an_arrival_is_told_in_words_and_percent_and_never_as_certain(
    figures: tuple[float, int, int], french: str, english: str
) -> None:
    assert plain(card(counts(5, 7), FRENCH, arrival(*figures)).arrival) == french
    assert card(counts(5, 7), ENGLISH, arrival(*figures)).arrival == english


def test_the_word_of_a_baseline_says_so_and_so_does_one_for_all_audiences_together() -> None:
    by_baseline = card(counts(5, 7), FRENCH, arrival(0.9, 1, 4, method=Method.AS_NOW))
    together = card(counts(5, 7), ENGLISH, arrival(0.9, 1, 4), together=True)

    assert by_baseline.arrival.endswith("1 à 4 libres, d’après la situation actuelle")
    assert together.arrival.endswith("1 to 4 free, whoever they are kept for")


def test_where_nothing_can_be_foreseen_the_page_says_why_unless_the_present_says_it() -> None:
    nothing = arrival(None, None, None, why=Cause("fermé : marché", "closed: market"))
    stale = counts(None, None, unknown=8, trust=Trust.STALE)

    assert plain(card(counts(5, 7), FRENCH, nothing).arrival) == "À 12 h 00 : pas de prévision, fermé : marché"
    assert card(counts(5, 7), ENGLISH, arrival(None, None, None, why=NO_HISTORY)).arrival == (
        "Too little history yet to forecast"
    )
    assert card(stale, FRENCH, nothing).arrival == ""
    assert card(counts(5, 7)).arrival == ""


def test_an_audience_finds_its_own_spaces_and_no_others() -> None:
    both = zone(counts(7, 5), public=counts(6, 4), pmr=counts(1, 1))

    pmr = counts_for(both, Audience.PMR)

    assert pmr is not None
    assert pmr.free == 1
    assert counts_for(both, Audience.EV) is None
    assert zone_card(Seen(zone=both, counts=pmr), Audience.PMR, FRENCH, NOW).label == "place PMR libre"


def test_where_nobody_tells_whose_the_spaces_are_everybody_finds_an_unknown_number() -> None:
    untold = zone(counts(7, 5))

    everybody = counts_for(untold, Audience.PUBLIC)

    assert everybody is not None
    assert (everybody.free, everybody.unknown, everybody.trust) == (None, 12, Trust.UNKNOWN)
    assert counts_for(untold, Audience.PMR) is None


def test_a_closed_zone_says_until_when_and_why_once() -> None:
    shut = counts(None, None, closed=8, trust=Trust.CLOSED)
    works = ClosedView(
        spaces=8, reason="travaux", start=NOW, until=datetime(2026, 11, 22, 17, 5, tzinfo=UTC), source="manual"
    )
    view = structs.replace(zone(shut, public=shut), closures=(works,))

    told = zone_card(Seen(zone=view, counts=shut), Audience.PUBLIC, FRENCH, NOW)

    assert [plain(each) for each in told.closures] == ["8 places fermées jusqu’au 22/11/2026 à 17 h 05 : travaux"]
    assert (told.figure, told.label, told.cause) == ("fermé", "", "")


def test_a_card_tells_whose_figure_it_is_what_it_costs_and_how_high_one_may_be() -> None:
    view = structs.replace(zone(counts(5, 7), public=counts(5, 7)), source="Effia")
    place = Zone(id="marche", name="Place du Marché", position=view.position, price="1 € l’heure", height_limit_m=1.9)

    told = zone_card(Seen(zone=view, counts=counts(5, 7), place=place, metres=400), Audience.PUBLIC, FRENCH, NOW)

    assert [plain(each) for each in told.facts] == ["Selon Effia", "Tarif : 1 € l’heure", "Hauteur max. 1,90 m"]
    assert plain(told.walk) == "7 min à pied"


@pytest.mark.parametrize(
    ("direction", "word"),
    [(Tendency.FILLING, "se remplit"), (Tendency.EMPTYING, "se vide"), (Tendency.STEADY, "")],
)
def test_a_card_tells_where_its_zone_is_going(direction: Tendency, word: str) -> None:
    moving = structs.replace(counts(5, 7), trend=Trend(direction=direction, free_per_hour=None))

    assert card(moving).trend == word


def test_all_zones_together_count_what_is_known() -> None:
    seen = [counts(5, 7), counts(None, None, unknown=6, trust=Trust.STALE), counts(0, 1, unknown=3, trust=Trust.STALE)]

    together = summary(seen, Audience.PUBLIC, FRENCH)

    assert (together.figure, together.label, together.detail) == ("5", "places libres", "sur 22 · 9 inconnues")
    assert summary(seen[1:], Audience.PUBLIC, FRENCH).figure == "inconnu"
    assert summary(seen, Audience.PMR, FRENCH).label == "places PMR libres"


@pytest.mark.parametrize(
    ("ago", "french", "english"),
    [
        (timedelta(seconds=-90), "à l’instant", "just now"),
        (timedelta(seconds=59), "à l’instant", "just now"),
        (timedelta(minutes=2, seconds=59), "il y a 2\N{NO-BREAK SPACE}min", "2 min ago"),
        (timedelta(minutes=60), "il y a 1\N{NO-BREAK SPACE}h", "1 h ago"),
        (timedelta(hours=47, minutes=59), "il y a 47\N{NO-BREAK SPACE}h", "47 h ago"),
        (timedelta(hours=48), "il y a 2\N{NO-BREAK SPACE}jours", "2 days ago"),
    ],
)
def test_an_age_is_said_in_the_words_of_people(ago: timedelta, french: str, english: str) -> None:
    assert age(NOW - ago, FRENCH, NOW) == french
    assert age(NOW - ago, ENGLISH, NOW) == english


@pytest.mark.parametrize("words", [FRENCH, ENGLISH])
def test_every_value_has_its_words(words: Words) -> None:
    assert set(words.trust) == set(Trust)
    assert set(words.audiences) == set(Audience)
    assert set(words.methods) == set(Method)
    assert set(words.busyness) == set(Busyness)
    assert set(words.trend) == set(Tendency)


def test_a_language_that_is_not_ours_is_answered_in_french() -> None:
    assert words_in("de") is FRENCH
    assert words_in("en") is ENGLISH
