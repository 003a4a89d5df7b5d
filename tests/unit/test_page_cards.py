"""What the page writes of a zone: never a nought where the truth is that nobody knows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from cloud_api.counts import AudienceCounts, Counts
from cloud_api.forecast.arrival import Arrival
from cloud_api.forecast.quality import Method
from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from cloud_api.trust import Cause, Trust
from cloud_api.web.cards import age, summary, zone_card
from cloud_api.web.words import ENGLISH, FRENCH, Words, words_in
from cloud_api.zones import ZoneView

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
STALE = Cause("sans nouvelles depuis 5 h", "no news for 5 h")


def zone(
    free: int | None, occupied: int | None, unknown: int = 0, closed: int = 0, trust: Trust = Trust.FRESH
) -> ZoneView:
    return ZoneView(
        id="marche",
        name="Place du Marché",
        position=Position(lat=47.4, lon=0.9),
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


@pytest.mark.parametrize(
    ("view", "figure", "label"),
    [
        (zone(5, 7), "5", "places libres"),
        (zone(1, 7), "1", "place libre"),
        (zone(0, 8), "0", "place libre, complet"),
        (zone(0, 7, unknown=1), "0", "place libre"),
        (zone(None, None, unknown=8, trust=Trust.UNKNOWN), "inconnu", "nombre de places libres"),
        (zone(0, 1, unknown=7, trust=Trust.STALE), "inconnu", "nombre de places libres"),
        (zone(2, 1, unknown=7, trust=Trust.STALE), "2", "places libres"),
        (zone(None, None, closed=8, trust=Trust.CLOSED), "fermé", ""),
        (zone(1200, 0), "1\N{NARROW NO-BREAK SPACE}200", "places libres"),
    ],
)
def test_a_zone_says_a_number_only_where_it_is_known(view: ZoneView, figure: str, label: str) -> None:
    card = zone_card(view, FRENCH, NOW)

    assert (card.figure, card.label) == (figure, label)


def test_the_detail_names_every_space_that_is_not_free() -> None:
    view = zone(2, 1, unknown=7, closed=2, trust=Trust.STALE)

    assert zone_card(view, FRENCH, NOW).detail == "sur 12 · 1 occupée · 7 inconnues · 2 fermées"
    assert zone_card(view, ENGLISH, NOW).detail == "of 12 · 1 occupied · 7 unknown · 2 closed"
    assert zone_card(view, ENGLISH, NOW).cause == "no news for 5 h"


def test_the_strip_shares_its_whole_width() -> None:
    parts = zone_card(zone(2, 1, unknown=7, closed=2), FRENCH, NOW).shares.parts()

    assert sum(width for _, _, width in parts) == pytest.approx(100, abs=0.1)
    assert [round(left) for _, left, _ in parts] == [0, 17, 25, 83]


def test_a_zone_without_spaces_has_no_strip_and_no_number() -> None:
    card = zone_card(zone(None, None, trust=Trust.UNKNOWN), FRENCH, NOW)

    assert card.figure == "inconnu"
    assert [width for _, _, width in card.shares.parts()] == [0, 0, 0, 0]


def arrival(probability: float | None, low: int | None, high: int | None) -> Arrival:
    return Arrival(
        minutes=30,
        at=datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Paris")),
        probability=probability,
        expected=low,
        low=low,
        high=high,
        method=None if probability is None else Method.MODEL,
        why=STALE,
    )


def test_an_arrival_is_told_with_its_chance_and_never_as_certain() -> None:
    def told(words: Words, *figures: Any) -> str:
        return zone_card(zone(5, 7), words, NOW, arrival(*figures)).arrival.replace("\N{NO-BREAK SPACE}", " ")

    assert told(FRENCH, 0.934, 1, 4) == "Vers 12:00 : 1 à 4 places libres, 93 % de chances d’en trouver une"
    assert told(FRENCH, 0.001, 0, 0) == "Vers 12:00 : 0 place libre, 1 % de chances d’en trouver une"
    assert told(ENGLISH, 1.0, 2, 5) == "Around 12:00: 2 to 5 free spaces, 99% likely to find one"
    assert told(FRENCH, None, None, None) == ""
    assert zone_card(zone(5, 7), FRENCH, NOW).arrival == ""


def test_all_zones_together_count_what_is_known() -> None:
    zones = [zone(5, 7), zone(None, None, unknown=6, trust=Trust.STALE), zone(0, 1, unknown=3, trust=Trust.STALE)]

    together = summary(zones, FRENCH)

    assert (together.figure, together.label, together.detail) == ("5", "places libres", "sur 22 · 9 inconnues")
    assert summary(zones[1:], FRENCH).figure == "inconnu"


@pytest.mark.parametrize(
    ("ago", "french", "english"),
    [
        (timedelta(seconds=-90), "à l’instant", "just now"),
        (timedelta(seconds=59), "à l’instant", "just now"),
        (timedelta(minutes=2, seconds=59), "il y a 2 min", "2 min ago"),
        (timedelta(minutes=60), "il y a 1 h", "1 h ago"),
        (timedelta(hours=47, minutes=59), "il y a 47 h", "47 h ago"),
        (timedelta(hours=48), "il y a 2 jours", "2 days ago"),
    ],
)
def test_an_age_is_said_in_the_words_of_people(ago: timedelta, french: str, english: str) -> None:
    assert age(NOW - ago, FRENCH, NOW) == french
    assert age(NOW - ago, ENGLISH, NOW) == english


@pytest.mark.parametrize("words", [FRENCH, ENGLISH])
def test_every_trust_has_its_words(words: Words) -> None:
    assert set(words.trust) == set(Trust)


def test_a_language_that_is_not_ours_is_answered_in_french() -> None:
    assert words_in("de") is FRENCH
    assert words_in("en") is ENGLISH


def kept_for(audience: Audience, free: int, occupied: int) -> AudienceCounts:
    counts = zone(free, occupied)
    return AudienceCounts(audience=audience, **{name: getattr(counts, name) for name in Counts.__struct_fields__})


def test_a_free_bay_for_badge_holders_is_not_promised_to_everybody() -> None:
    view = structs.replace(zone(3, 9), audiences=(kept_for(Audience.PUBLIC, 1, 9), kept_for(Audience.PMR, 2, 0)))

    card = zone_card(view, FRENCH, NOW)

    assert (card.figure, card.label, card.detail) == ("1", "place libre", "sur 10 · 9 occupées")
    assert summary([view], FRENCH).figure == "1"


def test_a_zone_that_is_kept_for_others_alone_is_reserved_and_not_full() -> None:
    view = structs.replace(zone(2, 1), audiences=(kept_for(Audience.DELIVERY, 2, 1),))

    card = zone_card(view, FRENCH, NOW)

    assert (card.figure, card.is_number, card.label) == ("réservé", False, "")
