"""Flat records of zones, as open-data portals take them."""

import csv
import io
import json

from hypothesis import given

from cloud_api.formats import parking_records
from cloud_api.formats.picture import Picture
from tests.pictures import closed, picture, pictures, shared, unknown, zone
from tests.standards import sample


def lines(town: Picture) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(parking_records.write_csv(town).decode(), newline="")))


@given(pictures())
def test_json_and_csv_say_the_same(town: Picture) -> None:
    told = json.loads(parking_records.write_json(town))

    assert lines(town) == [{name: "" if value is None else str(value) for name, value in each.items()} for each in told]


def test_what_nobody_knows_is_null_in_json_and_empty_in_csv() -> None:
    (record,) = json.loads(parking_records.write_json(picture(unknown())))
    (line,) = lines(picture(unknown()))

    assert (record["etat"], record["dispo"], record["inconnu"], record["confiance"]) == (".", None, 12, "stale")
    assert record["cause"] == "sans nouvelles depuis 3 h"
    assert line["dispo"] == ""


def test_a_record_tells_all_spaces_and_those_of_each_audience() -> None:
    (record,) = json.loads(parking_records.write_json(picture(shared(zone(free=30, occupied=70), pmr=10))))

    assert (record["dispo"], record["max"]) == (30, 100)
    assert (record["dispo_public"], record["max_public"]) == (20, 90)
    assert (record["dispo_pmr"], record["max_pmr"]) == (None, 10)
    assert (record["dispo_ve"], record["max_ve"]) == (0, 0)


def test_who_has_what_is_null_where_nobody_knows_which_spaces_are_whose() -> None:
    (record,) = json.loads(parking_records.write_json(picture(zone())))

    assert (record["max"], record["max_public"], record["max_pmr"]) == (10, None, None)


def test_closed_is_ferme_and_full_is_complet() -> None:
    states = [each["etat"] for each in lines(picture(closed("a"), zone("b", 0, 9), zone("c")))]

    assert states == ["FERME", "COMPLET", "OUVERT"]


def test_lille_would_know_its_fields_again() -> None:
    published = sample("lille_records.json")
    if published is None:
        return

    theirs = {name for record in json.loads(published) for name in record} - {"aff"}

    assert theirs <= set(parking_records.FIELDS)
