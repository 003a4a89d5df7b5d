"""Car parks as rows of the French national base (BNLS): CSV in the columns of etalab's `schema-stationnement` 0.1.5.

A row is a car park off the street; its `id` is the national one. A row about a car park that is known changes what its
cells say otherwise than that car park's own row would, and leaves what the base has no column for. So reading what was
written changes nothing.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import floor
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import fields, replace

from cloud_api.registry.files.draft import Draft, Mistake, Origin, PlacesError, Row, draft
from cloud_api.registry.geometry import Latitude, Longitude, Position
from cloud_api.registry.national import BadgePrice, NationalRecord, Structure, Users
from cloud_api.registry.places import Capacity, Counting, Spaces, Zone, ZoneKind
from cloud_api.registry.registry import Registry

TRUE: Final = frozenset({"true", "True", "TRUE", "1", "vrai", "Vrai", "VRAI"})
FALSE: Final = frozenset({"false", "False", "FALSE", "0", "faux", "Faux", "FAUX"})
NO_LIMIT: Final = "N/A"
WHOLE, MONEY, TEXT = "a whole number, 0 or more", "euros, 0 or more, with a point", "text"
Cells = Mapping[str, Any]
"""A row's values by column, parsed; None where the cell is empty."""


class Column(Struct, frozen=True):
    """One column of the base."""

    type: Any
    """What its cells must be."""
    expected: str
    """The same in words."""
    field: str
    """Ours, of the zone (`name`) or of what the base alone asks (`national`)."""
    required: bool = False


def _of(struct: type[Struct], field: str) -> Any:
    return next(each.type for each in fields(struct) if each.name == field)


COLUMNS: Final[Mapping[str, Column]] = {
    "id": Column(_of(NationalRecord, "id"), "as 44109-P-001", "national", required=True),
    "nom": Column(_of(Zone, "name"), TEXT, "name", required=True),
    "insee": Column(_of(Zone, "insee"), "an INSEE code as 44109", "insee", required=True),
    "adresse": Column(_of(Zone, "address"), TEXT, "address"),
    "url": Column(_of(Zone, "url"), "an address that begins with https:// or http://", "url"),
    "type_usagers": Column(Users, "tous or abonnés", "national", required=True),
    "gratuit": Column(bool, "true or false", "national", required=True),
    "nb_places": Column(Spaces, WHOLE, "capacity", required=True),
    "nb_pr": Column(_of(NationalRecord, "park_and_ride"), WHOLE, "national"),
    "nb_pmr": Column(Spaces, WHOLE, "capacity"),
    "nb_voitures_electriques": Column(Spaces, WHOLE, "capacity"),
    "nb_velo": Column(_of(NationalRecord, "bicycles"), WHOLE, "national"),
    "nb_2r_el": Column(_of(NationalRecord, "electric_two_wheels"), WHOLE, "national"),
    "nb_autopartage": Column(_of(NationalRecord, "car_sharing"), WHOLE, "national"),
    "nb_2_rm": Column(Spaces, WHOLE, "capacity"),
    "nb_covoit": Column(_of(NationalRecord, "car_pooling"), WHOLE, "national"),
    "hauteur_max": Column(float, "centimetres from 1 to 2000 or N/A", "height_limit_m", required=True),
    "num_siret": Column(_of(NationalRecord, "siret"), "14 digits", "national", required=True),
    "Xlong": Column(Longitude, "degrees from -180 to 180", "position", required=True),
    "Ylat": Column(Latitude, "degrees from -90 to 90", "position", required=True),
    "tarif_pmr": Column(BadgePrice, "gratuit, normal_payant or tarif_special", "national"),
    "tarif_1h": Column(_of(NationalRecord, "price_1h"), MONEY, "national"),
    "tarif_2h": Column(_of(NationalRecord, "price_2h"), MONEY, "national"),
    "tarif_3h": Column(_of(NationalRecord, "price_3h"), MONEY, "national"),
    "tarif_4h": Column(_of(NationalRecord, "price_4h"), MONEY, "national"),
    "tarif_24h": Column(_of(NationalRecord, "price_24h"), MONEY, "national"),
    "abo_resident": Column(_of(NationalRecord, "resident_month"), MONEY, "national"),
    "abo_non_resident": Column(_of(NationalRecord, "visitor_month"), MONEY, "national"),
    "type_ouvrage": Column(Structure, "enclos_en_surface or ouvrage", "national"),
    "info": Column(_of(Zone, "info"), TEXT, "info"),
}
NATIONAL: Final = {
    "siret": "num_siret",
    "users": "type_usagers",
    "free_of_charge": "gratuit",
    "park_and_ride": "nb_pr",
    "car_sharing": "nb_autopartage",
    "car_pooling": "nb_covoit",
    "bicycles": "nb_velo",
    "electric_two_wheels": "nb_2r_el",
    "badge_price": "tarif_pmr",
    "price_1h": "tarif_1h",
    "price_2h": "tarif_2h",
    "price_3h": "tarif_3h",
    "price_4h": "tarif_4h",
    "price_24h": "tarif_24h",
    "resident_month": "abo_resident",
    "visitor_month": "abo_non_resident",
    "structure": "type_ouvrage",
}
"""Columns of what the base alone asks, by its fields."""
COUNTED: Final = ("nb_places", "nb_pmr", "nb_voitures_electriques", "nb_autopartage", "nb_2_rm", "nb_covoit")
"""Columns that the capacity is made of."""


def read(text: str, file: Path, known: Registry) -> Draft:
    """What a text says, of car parks that are known and of others. Raises `PlacesError`."""
    mistakes: list[Mistake] = []
    rows: list[Row] = []
    of_id = {zone.national.id: zone for zone in known.zones.values() if zone.national is not None}
    for line, raw in _raw_rows(text, file):
        wrong = [Mistake(line, column, reason) for column, reason in _faults(raw)]
        mistakes += wrong
        if not wrong:
            zone = _zone(raw, of_id.get(raw["id"]))
            mistakes += [Mistake(line, "nb_places", reason) for reason in _too_few(zone)]
            rows.append(Row("zone", msgspec.to_builtins(zone), Origin(line)))
    if mistakes:
        raise PlacesError(file, mistakes)
    return draft(rows, file)


def write(registry: Registry) -> str:
    """The rows of the car parks that have what the base asks."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    table.writeheader()
    table.writerows(_written(zone) for zone in registry.zones.values() if zone.national is not None)
    return text.getvalue()


def _raw_rows(text: str, file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row's cells by column, stripped, and the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = next(reader, [])
        mistakes = list(_header_mistakes(header))
        if mistakes:
            raise PlacesError(file, mistakes)
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) not in {0, len(header)}:
                reason = f"{len(cells)} cells; {len(header)} expected, as in the first line"
                raise PlacesError(file, [Mistake(line, "", reason)])
            if cells:
                yield line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
            line = reader.line_num + 1
    except csv.Error as error:
        raise PlacesError(file, [Mistake(line, "", f"no CSV: {error}")]) from error


def _header_mistakes(header: Sequence[str]) -> Iterator[Mistake]:
    if len(header) == 1 and ";" in header[0]:
        yield Mistake(1, "", "columns with ';' between them; ',' expected")
        return
    for name in header:
        if name not in COLUMNS:
            yield Mistake(1, name, f"not a column of the base; of {', '.join(COLUMNS)} expected")
    for name, column in COLUMNS.items():
        if column.required and name not in header:
            yield Mistake(1, name, "missing; the base asks for this column")
        if header.count(name) > 1:
            yield Mistake(1, name, "there twice; once expected")


def _faults(raw: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, cell in raw.items():
        column = COLUMNS[name]
        if not cell:
            if column.required:
                yield name, f"empty; {column.expected} expected"
            continue
        try:
            _parsed(name, cell)
        except (msgspec.ValidationError, ValueError):
            yield name, f"{cell[:60]!r}; {column.expected} expected"


def _parsed(name: str, cell: str) -> Any:
    """The value of a cell. Raises `ValueError`, of which msgspec's errors are."""
    if not cell:
        return None
    if name == "gratuit":
        return _truth(cell)
    if name == "hauteur_max":
        return None if cell == NO_LIMIT else _metres(cell)
    return msgspec.convert(cell, COLUMNS[name].type, strict=False)


def _truth(cell: str) -> bool:
    if cell not in TRUE | FALSE:
        raise ValueError(cell)
    return cell in TRUE


def _metres(cell: str) -> float:
    centimetres = int(cell)
    if not 0 < centimetres <= 2000:
        raise ValueError(cell)
    return centimetres / 100


def _zone(raw: Mapping[str, str], known: Zone | None) -> Zone:
    cells = {name: _parsed(name, raw.get(name, "")) for name in COLUMNS}
    return _new(cells) if known is None else _changed(known, raw, cells)


def _too_few(zone: Zone) -> Iterator[str]:
    lacking = -min(0, zone.capacity.public or 0, zone.capacity.season or 0)
    if lacking:
        yield f"{lacking} fewer than are reserved of them; all spaces for cars expected"


def _new(cells: Cells) -> Zone:
    return Zone(
        id=cells["id"].lower(),
        name=cells["nom"],
        position=Position(lat=cells["Ylat"], lon=cells["Xlong"]),
        kind=ZoneKind.OFF_STREET,
        counting=Counting.NONE,
        capacity=_capacity(cells, Capacity()),
        height_limit_m=cells["hauteur_max"],
        address=cells["adresse"],
        insee=cells["insee"],
        url=cells["url"],
        info=cells["info"],
        national=_national(cells),
    )


def _changed(known: Zone, raw: Mapping[str, str], cells: Cells) -> Zone:
    own = _written(known)
    said = {name for name in raw if raw[name] != own[name].strip()}
    new = _new(cells)
    values: dict[str, Any] = {
        COLUMNS[name].field: getattr(new, COLUMNS[name].field) for name in said if COLUMNS[name].field in KEPT_APART
    }
    if said & set(COUNTED):
        values["capacity"] = _capacity(cells, known.capacity)
    if said & {"Xlong", "Ylat"}:
        values["position"] = new.position
    if known.national is not None:
        changed = {field: getattr(new.national, field) for field, name in NATIONAL.items() if name in said}
        values["national"] = replace(known.national, **changed)
    return replace(known, **values)


KEPT_APART: Final = frozenset({"name", "insee", "address", "url", "info", "height_limit_m"})
"""Fields of a zone that one column each tells."""


def _national(cells: Cells) -> NationalRecord:
    return NationalRecord(id=cells["id"], **{field: cells[name] for field, name in NATIONAL.items()})


def _capacity(cells: Cells, known: Capacity) -> Capacity:
    """By audience. What the base does not tell apart is for everybody, or for season tickets where only they get in."""
    reserved = {"pmr": cells["nb_pmr"], "ev": cells["nb_voitures_electriques"], "two_wheels": cells["nb_2_rm"]}
    rest = "season" if cells["type_usagers"] is Users.SUBSCRIBERS else "public"
    kept = replace(known, **reserved, **{rest: None})
    others = (cells["nb_autopartage"] or 0) + (cells["nb_covoit"] or 0)
    return replace(kept, **{rest: cells["nb_places"] - kept.cars - others})


def _written(zone: Zone) -> dict[str, str]:
    """The row of a zone that has a national record."""
    national, capacity = zone.national, zone.capacity
    if national is None:
        return {}
    values = {
        "id": national.id,
        "nom": _plain(zone.name),
        "insee": zone.insee or national.id[:5],
        "adresse": zone.address,
        "url": zone.url,
        "nb_places": capacity.cars + (national.car_sharing or 0) + (national.car_pooling or 0),
        "nb_pmr": capacity.pmr,
        "nb_voitures_electriques": capacity.ev,
        "nb_2_rm": capacity.two_wheels,
        "hauteur_max": NO_LIMIT if zone.height_limit_m is None else floor(round(zone.height_limit_m * 100, 6)),
        "Xlong": _degrees(zone.position.lon),
        "Ylat": _degrees(zone.position.lat),
        "info": zone.info,
        **{name: getattr(national, field) for field, name in NATIONAL.items()},
    }
    return {name: _cell(values[name]) for name in COLUMNS}


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{Decimal(repr(value)).normalize():f}"
        case _:
            return str(value)


def _degrees(value: float) -> str:
    """With four decimals or more, as the schema asks."""
    exact = Decimal(repr(value))
    places = -int(exact.as_tuple().exponent)
    return f"{exact:f}" if places > 4 else f"{exact:.4f}"


def _plain(name: str) -> str:
    """In capitals without accents, as the schema asks."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).upper())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).strip() or name
