"""Places in three tongues: what is written reads the same; all mistakes are named at once, by line and field."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from frictionless import Resource, Schema
from hypothesis import given, settings
from msgspec.structs import replace

from cloud_api.registry import Position, Registry, Zone
from cloud_api.registry.files import bnls, geojson, toml
from cloud_api.registry.files.draft import Draft, PlacesError
from cloud_api.registry.files.formats import Format, left_out
from cloud_api.registry.kinds import key_of, kind_of
from cloud_api.registry.national import NationalRecord, Users
from cloud_api.registry.places import Capacity, Entry
from tests.places import nationals, places, towns

STANDARDS = Path(__file__).parents[3] / "shared" / "standards"
FILE = Path("places")
few = settings(max_examples=settings().max_examples // 2)
"""Towns take long to draw."""


def by_name(entries: list[Entry]) -> dict[tuple[str, str], Entry]:
    return {(kind_of(each), key_of(each)): each for each in entries}


def same(read: Draft, town: Registry) -> bool:
    """Whether a draft is a town, its places in their order."""
    there = read.registry(FILE)
    return by_name(there.entries) == by_name(town.entries) and list(there.zones) == list(town.zones)


def mistakes(text: str, reader: Any, *more: Any) -> list[tuple[int | None, str]]:
    with pytest.raises(PlacesError) as caught:
        reader(text, FILE, *more).registry(FILE)
    return [(each.line, each.field) for each in caught.value.mistakes]


@given(towns())
@few
def test_what_is_written_as_toml_reads_the_same(town: Registry) -> None:
    assert same(toml.read(toml.write(town), FILE), town)


@given(places())
@few
def test_what_is_written_as_geojson_reads_the_same(town: Registry) -> None:
    text = geojson.write(town)

    assert same(geojson.read(text, FILE), town)
    assert same(geojson.read(json.dumps(json.loads(text), indent=2), FILE), town), "however it is laid out"


@given(places(nationals))
@few
def test_rows_of_known_car_parks_read_again_change_nothing(town: Registry) -> None:
    read = bnls.read(bnls.write(town), FILE, town)

    assert by_name(list(read.entries)) == {
        name: each for name, each in by_name(town.entries).items() if name[0] == "zone"
    }


@given(places(nationals))
@few
def test_rows_of_car_parks_that_are_new_are_written_the_same_again(town: Registry) -> None:
    text = bnls.write(town)

    assert bnls.write(bnls.read(text, FILE, Registry()).registry(FILE)) == text


def schema() -> Schema:
    return Schema.from_descriptor(json.loads((STANDARDS / "stationnement_schema.json").read_text()))


@given(places(nationals))
@few
def test_rows_of_the_national_base_are_what_its_schema_asks(town: Registry) -> None:
    rows = list(csv.reader(io.StringIO(bnls.write(town), newline="")))

    report = Resource(data=rows, schema=schema()).validate()

    assert report.valid, report.flatten(["rowNumber", "fieldName", "message"])


def test_the_columns_are_those_of_the_schema() -> None:
    assert list(bnls.COLUMNS) == schema().field_names
    assert [name for name, column in bnls.COLUMNS.items() if column.required] == [
        field.name for field in schema().fields if field.required
    ]


def test_the_published_example_is_read_and_written_as_it_was() -> None:
    text = (STANDARDS / "stationnement_exemple.csv").read_text(encoding="utf-8")

    first, second = bnls.read(text, FILE, Registry()).entries

    assert isinstance(first, Zone)
    assert (first.id, first.name, first.height_limit_m) == ("75114-p-001", "REPUBLIQUE", 2.9)
    assert first.capacity == Capacity(public=55, pmr=250, ev=10, two_wheels=5)
    assert isinstance(second, Zone)
    assert second.height_limit_m is None
    written = csv.DictReader(io.StringIO(bnls.write(Registry(zones=[first, second]))))
    assert list(written) == list(csv.DictReader(io.StringIO(text)))


PARK = Zone(
    id="gare",
    name="Parking de la Gare",
    position=Position(lat=47.21, lon=-1.55),
    capacity=Capacity(public=80, pmr=5, season=15),
    price="1,50 € l’heure",
    opening_hours="Mo-Sa 07:00-21:00",
    national=NationalRecord(id="44109-P-001", siret="21920044100018"),
)


def row(**cells: str) -> str:
    """The row of `PARK` with other cells."""
    text = bnls.write(Registry(zones=[PARK]))
    (own,) = csv.DictReader(io.StringIO(text))
    table = csv.DictWriter(changed := io.StringIO(newline=""), bnls.COLUMNS)
    table.writeheader()
    table.writerow(own | cells)
    return changed.getvalue()


def test_a_row_about_a_known_car_park_changes_what_its_cells_say_and_nothing_else() -> None:
    read = bnls.read(row(nb_places="120", nb_pmr="6", tarif_1h="2.5", hauteur_max="190"), FILE, Registry(zones=[PARK]))

    assert PARK.national is not None
    changed = replace(
        PARK,
        capacity=Capacity(public=99, pmr=6, season=15),
        height_limit_m=1.9,
        national=replace(PARK.national, price_1h=2.5),
    )
    assert read.entries == (changed,)


def test_spaces_for_subscribers_alone_are_for_season_tickets() -> None:
    (zone,) = bnls.read(row(type_usagers="abonnés"), FILE, Registry()).entries

    assert isinstance(zone, Zone)
    assert zone.capacity == Capacity(season=95, pmr=5)
    assert zone.national is not None
    assert zone.national.users is Users.SUBSCRIBERS


def test_all_mistakes_of_a_table_are_named_at_once() -> None:
    text = row(id="44109", nb_places="many", Ylat="95", gratuit="oui", hauteur_max="1,90 m", num_siret="")

    assert mistakes(text, bnls.read, Registry()) == [
        (2, "id"),
        (2, "gratuit"),
        (2, "nb_places"),
        (2, "hauteur_max"),
        (2, "num_siret"),
        (2, "Ylat"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "field", "reason"),
    [
        ("", 1, "id", "missing"),
        (row().replace(",", ";"), 1, "", "',' expected"),
        (row().replace("nb_pr,", "nb_p+r,"), 1, "nb_p+r", "not a column"),
        (row().replace(",,", ",", 1), 2, "", "cells; 30 expected"),
        (row(nb_places="3"), 2, "nb_places", "2 fewer than are reserved"),
        (row(info='a"b').replace('"a""b"', '"a"b'), 2, "", "no CSV"),
        (row() + row().splitlines()[1], 3, "id", "taken already on line 2"),
    ],
)
def test_a_table_that_is_none_is_named(text: str, line: int, field: str, reason: str) -> None:
    with pytest.raises(PlacesError) as caught:
        bnls.read(text, FILE, Registry()).registry(FILE)

    first = caught.value.mistakes[0]
    assert (first.line, first.field) == (line, field)
    assert reason in first.reason


MAP = """\
{
  "type": "FeatureCollection",
  "name": "drawn by hand",
  "features": [
    {
      "type": "Feature",
      "properties": {
        "place": "zone", "id": "halles", "name": "Les Halles", "operator": null,
        "opening_hours": "24/7",
        "closures": [
          {"id": "w1", "from": "2026-12-01T08:00:00Z", "reason": "travaux"}
        ]
      },
      "geometry": {"type": "LineString", "coordinates": [[2.0, 48.0], [3.0, 49.0]]}
    },
    {
      "type": "Feature", "id": "h1",
      "properties": {"place": "space", "zone": "halles", "audience": "pmr"},
      "geometry": null
    }
  ]
}
"""


def test_a_map_drawn_by_hand_is_read() -> None:
    town = geojson.read(MAP, FILE).registry(FILE)

    assert town.zones["halles"].position == Position(lat=48.5, lon=2.5), "the middle of the line"
    assert [space.id for space in town.spaces] == ["h1"]
    assert [(closure.place, closure.reason) for closure in town.closures] == [("halles", "travaux")]


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ('"Les Halles"', "5", 8, "name"),
        ('"24/7"', '"9h-18h"', 9, "opening_hours"),
        ('"24/7"', '"24/7", "max_stay": {"minutes": 90, "hours": "9h-18h"}', 9, "max_stay"),
        ('"reason": "travaux"', '"reason": ""', 11, "closures[0].reason"),
        ("[3.0, 49.0]", "[3.0, 149.0]", 14, "geometry.coordinates[1][1]"),
        ('"zone": "halles"', '"zone": "hall"', 18, "zone"),
        ('"audience": "pmr"', '"audience": "cars"', 18, "audience"),
        ('"geometry": null', '"geometry": {"type": "Point", "coordinates": [2]}', 19, "position"),
        ('"geometry": null', '"geometry": {"type": "MultiPoint", "coordinates": []}', 16, "geometry"),
        ('"place": "space"', '"place": "bay"', 16, "place"),
        ('"id": "h1"', '"id": "halles"', 17, "id"),
        ('"features"', '"zones"', 1, "features"),
        ('"geometry": null', '"geometry": nil', 19, ""),
        ("\n}\n", "\n}\n{}\n", 23, ""),
    ],
)
def test_a_mistake_in_a_map_is_named_by_line_and_field(old: str, new: str, line: int, field: str) -> None:
    assert mistakes(MAP.replace(old, new, 1), geojson.read) == [(line, field)]


def test_all_mistakes_of_a_toml_file_are_named_at_once() -> None:
    text = '[[zone]]\nid = "A"\nname = 5\n[[space]]\nid = "s1"\nzone = "z"\naudience = "x"\n[[zone]]\nid = "b"\n'

    assert mistakes(text, toml.read) == [
        (1, "position"),
        (2, "id"),
        (3, "name"),
        (7, "audience"),
        (8, "name"),
        (8, "position"),
    ]


def test_the_examples_of_the_page_are_sound() -> None:
    page = (Path(__file__).parents[2] / "docs" / "places.md").read_text(encoding="utf-8")
    table = page.split("```toml\n")[1].split("```")[0]
    feature = page.split("```json\n")[1].split("```")[0]

    town = toml.read(table, FILE)
    bay = geojson.read(f'{{"type": "FeatureCollection", "features": [{feature}]}}', FILE)

    assert town.contradictions() == []
    assert bay.contradictions(town.entries) == []


def test_an_outline_that_does_not_close_is_refused() -> None:
    open_ring = '{"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,1]]]}'
    line = '{"type": "LineString", "coordinates": [[2.0, 48.0], [3.0, 49.0]]}'

    assert mistakes(MAP.replace(line, open_ring), geojson.read) == [(14, "geometry")]


def test_an_export_says_what_its_format_cannot_carry() -> None:
    street = replace(PARK, id="rue", national=None)
    town = Registry(zones=[PARK, street])

    assert left_out(Format.TOML, town) == {}
    assert left_out(Format.BNLS, town) == {
        "zones without a national record": 1,
        "counting of zones": 1,
        "price of zones": 1,
        "opening_hours of zones": 1,
    }
