"""The places file: what it says is answered; a mistake names file, line, field and what was expected."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud_api.registry import Registry
from cloud_api.registry.files.draft import PlacesError
from cloud_api.registry.files.toml import parse_places

TOWN = """\
[[gateway]]
name = "gw-halles"
label = "Les halles"

[[zone]]
id = "place-du-marche"
name = "Place du Marché"
position = { lat = 47.21, lon = -1.55 }

[[space]]
id = "marche-1"
zone = "place-du-marche"

[[space]]
id = "marche-2"
zone = "place-du-marche"
audience = "pmr"

[[counter]]
id = "rue-haute"
name = "Rue Haute"
position = { lat = 47.22, lon = -1.55 }
in = "vers la gare"
out = "vers la mairie"

[[installation]]
place = "marche-1"
device = "0004a30b00ff0001"
channel = "1"
from = 2026-01-01T00:00:00+01:00

[[installation]]
place = "rue-haute"
device = "a1"
channel = "line1"
mode = "pedestrian"
from = 2026-01-01T00:00:00+01:00
to = 2026-06-01T10:00:00+02:00

[[installation]]
place = "rue-haute"
device = "a2"
channel = "line1"
from = 2026-06-01T10:00:00+02:00
reversed = true
"""
FILE = Path("places.toml")


def town(text: str = TOWN) -> Registry:
    return parse_places(text, FILE)


def test_a_swapped_sensor_serves_its_counter_from_its_hour_on() -> None:
    swap = datetime(2026, 6, 1, 8, tzinfo=UTC)

    assert [each.device for each in town().serving("rue-haute", swap.replace(hour=7, minute=59))] == ["a1"]
    assert [each.device for each in town().serving("rue-haute", swap)] == ["a2"]


def test_a_period_over_a_swap_names_both_sensors_oldest_first() -> None:
    found = town().installations_of("rue-haute", datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))

    assert [(each.device, each.reversed) for each in found] == [("a1", False), ("a2", True)]


def test_a_sensor_leads_to_the_zones_that_it_ever_served() -> None:
    assert town().zones_of("0004a30b00ff0001") == {"place-du-marche"}


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "reason"),
    [
        ('name = "Place du Marché"', "name = 5", 7, "name", "Expected `str`"),
        ('id = "marche-1"', 'id = "Marché 1"', 11, "id", "matching regex"),
        ('audience = "pmr"', 'audiance = "pmr"', 17, "audiance", "not known of a space"),
        ('in = "vers la gare"\n', "", 19, "in", "missing"),
        ("lat = 47.21", "lat = 147.21", 8, "position.lat", "<= 90"),
        ('zone = "place-du-marche"\naud', 'zone = "place-du-marcher"\naud', 16, "zone", "no zone"),
        ('place = "marche-1"', 'place = "marche-9"', 27, "place", "no place"),
        ("to = 2026-06-01T10:00:00+02:00", "to = 2026-06-01T10:20:00+02:00", 38, "to", "full hour"),
        ("from = 2026-01-01T00:00:00+01:00\n\n", "from = 2026-01-01T00:00:20+01:00\n\n", 30, "from", "full minute"),
        ("to = 2026-06-01T10:00:00+02:00", "to = 2025-06-01T10:00:00+02:00", 38, "to", "after `from`"),
        ('id = "marche-2"', 'id = "marche-1"', 15, "id", "taken already"),
        ("from = 2026-01-01T00:00:00+01:00\n\n", "from = 2026-01-01T00:00:00\n\n", 30, "from", "timezone"),
        (
            'device = "a2"\nchannel = "line1"',
            'device = "0004a30b00ff0001"\nchannel = "1"',
            43,
            "channel",
            "another place",
        ),
        ('id = "place-du-marche"', 'id = "place-du-marche"\ncounting = "feed"', 5, "feed", "expects its name and id"),
        ('place = "marche-1"', 'place = "place-du-marche"', 27, "place", "not counted at its entrances"),
        ('label = "Les halles"', 'label = "Les halles"\n[[closure]]\nid = "c"', 4, "place", "missing"),
        ("[[space]]", "[[spaces]]", 10, "spaces", "[[space]]"),
        ("[[zone]]", "[[zone]", 5, "", "no TOML"),
    ],
)
def test_a_mistake_is_named_by_line_and_field(old: str, new: str, line: int, field: str, reason: str) -> None:
    with pytest.raises(PlacesError) as caught:
        town(TOWN.replace(old, new, 1))

    (mistake,) = [each for each in caught.value.mistakes if each.field == field]
    assert mistake.line == line
    assert reason in mistake.reason
    assert str(caught.value).startswith(f"places.toml, line {line}")
