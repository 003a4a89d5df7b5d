"""What a reader may ask of the page by its address, in which order zones come, and the last hour in words."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cloud_api.counts import AudienceCounts
from cloud_api.flows_now import Busyness, LastHour, Usual
from cloud_api.forecast.arrival import Arrival
from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from cloud_api.settings import Settings
from cloud_api.trust import Trust
from cloud_api.web.asked import Asked, Start, audience_of
from cloud_api.web.english import ENGLISH
from cloud_api.web.french import FRENCH
from cloud_api.web.last_hour import last_hour_line
from cloud_api.web.manifest import manifest
from cloud_api.web.zone_list import audiences_of, outlook_for, zones_seen
from cloud_api.zones import ZoneView

NOW = datetime(2026, 11, 22, 18, 5, tzinfo=ZoneInfo("Europe/Paris"))
STATION = Start("gare", "Gare", Position(lat=47.0, lon=1.0))


def zone(
    name: str, free: int | None, *, trust: Trust = Trust.FRESH, lat: float = 47.0, kept: str = "public"
) -> ZoneView:
    figures = {
        "capacity": 4,
        "free": free,
        "occupied": None if free is None else 4 - free,
        "unknown": 4 if free is None else 0,
        "closed": 0,
        "trust": trust,
        "cause": None,
        "measured_at": NOW,
        "oldest_at": None,
    }
    counts = msgspec.convert({**figures, "audience": kept}, AudienceCounts)
    place = {"id": name.casefold(), "name": name, "position": Position(lat=lat, lon=1.0), "audiences": (counts,)}
    return msgspec.convert({**figures, **place}, ZoneView, from_attributes=True)


def test_an_address_keeps_what_was_asked_and_leaves_out_what_is_usual() -> None:
    pmr = Asked(ENGLISH, Audience.PMR, STATION)

    assert Asked(FRENCH).address == "./"
    assert pmr.address == "./?lang=en&audience=pmr&near=gare"
    assert pmr.for_audience(Audience.PUBLIC).address == "./?lang=en&near=gare"
    assert pmr.in_language("fr").address == "./?audience=pmr&near=gare"


@pytest.mark.parametrize(
    ("text", "audience"), [("pmr", Audience.PMR), ("", Audience.PUBLIC), ("nobody", Audience.PUBLIC)]
)
def test_an_audience_that_is_not_ours_is_everybody(text: str, audience: Audience) -> None:
    assert audience_of(text) is audience


def test_zones_where_a_space_is_surely_free_come_first_then_those_that_may_have_one_by_name() -> None:
    zones = [
        zone("Zola", 1),
        zone("Full", 0),
        zone("Old", None, trust=Trust.STALE),
        zone("École", 2),
        zone("Closed", None, trust=Trust.CLOSED),
    ]

    names = [each.zone.name for each in zones_seen(zones, Asked(FRENCH), {})]

    assert names == ["École", "Zola", "Old", "Closed", "Full"]


def test_from_a_place_the_shortest_walk_comes_first_among_those_that_have_a_space() -> None:
    zones = [zone("Far", 1, lat=47.01), zone("Near", 1, lat=47.001), zone("Here", 0)]

    seen = zones_seen(zones, Asked(FRENCH, near=STATION), {})

    assert [each.zone.name for each in seen] == ["Near", "Far", "Here"]
    assert seen[0].metres == pytest.approx(111, abs=1)


def test_zones_without_a_space_for_an_audience_are_not_shown_to_it() -> None:
    zones = [zone("Badge", 1, kept="pmr"), zone("All", 1)]

    assert [each.zone.name for each in zones_seen(zones, Asked(FRENCH, Audience.PMR), {})] == ["Badge"]
    assert audiences_of(zones) == [Audience.PUBLIC, Audience.PMR]
    assert audiences_of([]) == [Audience.PUBLIC]


def test_a_forecast_is_told_to_the_audience_that_it_was_worked_out_for() -> None:
    arrival = msgspec.convert(
        {"minutes": 30, "at": NOW, "why": {"fr": "", "en": ""}}
        | dict.fromkeys(("probability", "expected", "low", "high", "method")),
        Arrival,
    )
    everybody, badge = Asked(FRENCH), Asked(FRENCH, Audience.PMR)

    assert outlook_for(arrival, Audience.PUBLIC, zone("All", 1), everybody) is not None
    assert outlook_for(arrival, Audience.PUBLIC, zone("All", 1), badge) is None
    assert outlook_for(arrival, Audience.PMR, zone("Badge", 1, kept="pmr"), badge) is not None
    assert outlook_for(arrival, None, zone("Counted", 1), badge) is None
    assert outlook_for(None, Audience.PUBLIC, zone("All", 1), everybody) is None


def hour(count: int | None, *, coverage: float = 1.0, busyness: Busyness | None = None, ago: int = 5) -> LastHour:
    end = (NOW - timedelta(minutes=ago)).astimezone(UTC)
    usual = None if busyness is None else Usual(median=200, low=180, high=260, days=8)
    return LastHour(
        start=end - timedelta(hours=1), end=end, in_=count, out=None, coverage=coverage, usual=usual, busyness=busyness
    )


def test_the_last_hour_is_told_against_what_is_usual() -> None:
    busy = last_hour_line(hour(312, busyness=Busyness.BUSIER), FRENCH, NOW)
    part = last_hour_line(hour(40, coverage=0.5), ENGLISH, NOW)

    assert busy is not None
    assert busy.text.replace("\N{NO-BREAK SPACE}", " ") == "Dernière heure, jusqu’à 18 h 00 : 312 passages"
    assert busy.compared == "plus de monde que d’habitude (d’ordinaire 180 à 260)"
    assert part is not None
    assert (part.text, part.compared) == ("Last hour, until 18:00: at least 40 passages", "")


def test_an_hour_that_is_long_over_or_that_nobody_measured_is_not_told() -> None:
    assert last_hour_line(hour(312, ago=121), FRENCH, NOW) is None
    assert last_hour_line(hour(None), FRENCH, NOW) is None
    assert last_hour_line(None, FRENCH, NOW) is None


def test_the_app_opens_in_its_language_and_brings_pictures_for_every_screen() -> None:
    app = msgspec.json.decode(manifest(Settings(title="Se garer à Nantes", town="Nantes"), ENGLISH, "static/1"))

    assert (app["name"], app["short_name"], app["start_url"]) == ("Se garer à Nantes", "Nantes", "./?lang=en")
    assert {icon["sizes"] for icon in app["icons"]} == {"any", "192x192", "512x512"}
    assert [icon["src"] for icon in app["icons"] if icon.get("purpose") == "maskable"] == [
        "static/1/icon-maskable-512.png"
    ]


def test_no_french_line_breaks_before_its_punctuation_or_between_a_figure_and_its_unit() -> None:
    catalogue = msgspec.json.encode(FRENCH).decode()

    assert re.findall(r".{0,20}(?: [:;!?%»]|« |\} (?:min|h|m|jours?)\b).{0,5}", catalogue) == []
