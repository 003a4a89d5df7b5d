"""ParkAPI v1, as its readers read it."""

import json
from typing import Any

from cloud_api.formats import parkapi_v1
from cloud_api.formats.picture import town_of
from cloud_api.registry.places import ZoneKind
from cloud_api.settings import Settings
from tests.pictures import TOWN, closed, picture, shared, unknown, zone


def lot(*zones: Any) -> dict[str, Any]:
    (only,) = json.loads(parkapi_v1.write(picture(*zones)))["lots"]
    assert isinstance(only, dict)
    return only


def test_a_lot_has_every_field_that_parkapi_requires() -> None:
    told = lot(zone(kind=ZoneKind.OFF_STREET, opening_hours="Mo-Sa 07:00-21:00"))

    assert told == {
        "id": "marche",
        "name": "Place du Marché",
        "coords": {"lat": 47.2137, "lng": -1.5562},
        "state": "open",
        "forecast": False,
        "lot_type": "Parking",
        "total": 10,
        "free": 4,
        "opening_hours": "Mo-Sa 07:00-21:00",
    }


def test_a_figure_that_nobody_knows_is_left_out_for_opentripplanner_reads_null_as_0() -> None:
    told = lot(unknown())

    assert told["state"] == "nodata"
    assert "free" not in told
    assert None not in told.values()


def test_a_closed_zone_is_closed_and_not_full() -> None:
    told = lot(closed(reason="inondation"))

    assert (told["state"], "free" in told) == ("closed", False)
    assert told["notes"] == {"fr": "fermé : inondation", "en": "closed: inondation"}


def test_a_full_zone_is_open_with_0_free() -> None:
    told = lot(zone(free=0, occupied=10))

    assert (told["state"], told["free"]) == ("open", 0)


def test_everybody_is_told_of_the_spaces_for_everybody_and_badge_holders_of_theirs() -> None:
    told = lot(shared(zone(free=30, occupied=70), pmr=10))

    assert (told["total"], told["free"]) == (90, 20)
    assert told["total:disabled"] == 10
    assert "free:disabled" not in told


def test_a_zone_that_is_kept_for_some_has_nothing_for_everybody() -> None:
    told = lot(shared(zone(free=2, occupied=4), pmr=6))

    assert (told["total"], told["free"], told["total:disabled"], told["free:disabled"]) == (0, 0, 6, 2)


def test_times_are_in_utc_without_an_offset() -> None:
    document = json.loads(parkapi_v1.write(picture(zone())))

    assert (document["last_updated"], document["last_downloaded"]) == ("2026-11-21T10:04:00", "2026-11-21T10:05:00")


def test_while_nothing_is_known_nothing_was_updated() -> None:
    assert json.loads(parkapi_v1.write(picture(unknown())))["last_updated"] is None


def test_the_cities_lead_to_the_one_town() -> None:
    assert parkapi_v1.cities(TOWN, "0.1.0", "/v1/openapi.json").cities == {"Saint-Aubin": "saint-aubin"}


def test_a_town_is_addressed_by_its_name_in_ascii_or_by_its_title() -> None:
    assert town_of(Settings(town="Saint-Étienne-lès-Remiremont")).id == "saint-etienne-les-remiremont"
    assert town_of(Settings(title="Se garer à Nantes")).id == "se-garer-a-nantes"
