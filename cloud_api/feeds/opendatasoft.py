"""Records of an Opendatasoft portal: each data set names its fields as it likes, so each has a dialect.

The envelope may be a page of the API (version 2.1 `results`, version 1 `records`), an export (a list), or one record.
"""

from functools import partial
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from cloud_api.feeds.json_values import Json, Object, count, decoded, entries, members, number, required, text, word
from cloud_api.feeds.lots import FeedError, Lot, LotState, Reader, Reading, RefusedLotError, gather, moment, position
from cloud_api.feeds.parkapi_v3 import missing_pages
from cloud_api.registry import Position

FieldName = Annotated[str, Meta(min_length=1, max_length=100)]
Meaning: TypeAlias = Literal["open", "closed", "full", "unknown"]
UNKNOWN: Final = "unknown"
"""Stands for a state that says that nobody knows: its figures are not believed."""


class Dialect(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a data set calls things."""

    id: FieldName
    free: FieldName
    capacity: FieldName | None = None
    name: FieldName | None = None
    at: FieldName | None = None
    position: FieldName | None = None
    state: FieldName | None = None
    states: dict[str, Meaning] = {}
    """What the words of its state mean."""
    full_below: FieldName | None = None
    """The field with the number of free spaces at which its signs say that it is full."""


NANTES: Final = Dialect(
    id="grp_identifiant",
    name="grp_nom",
    free="grp_disponible",
    capacity="grp_exploitation",
    at="grp_horodatage",
    position="location",
    state="grp_statut",
    states={"0": UNKNOWN, "1": "closed", "2": "closed", "5": "open"},
    full_below="grp_complet",
)
"""Nantes Métropole, `parkings-publics-de-nantes`; 0 is out of order, 2 is open to subscribers only."""
LILLE: Final = Dialect(
    id="id",
    name="libelle",
    free="dispo",
    capacity="max",
    at="datemaj",
    position="geometry",
    state="etat",
    states={"OUVERT": "open", "LIBRE": "open", "COMPLET": "full", "FERME": "closed", "ABONNES": "closed", ".": UNKNOWN},
)
"""Métropole européenne de Lille, `disponibilite-parkings`; a point is no news."""
DIALECTS: Final = {"nantes": NANTES, "lille": LILLE}


def reader(dialect: Dialect) -> Reader:
    """Reads records of one dialect."""
    return partial(_read, dialect)


def _read(dialect: Dialect, body: bytes) -> Reading:
    document = decoded(body)
    records = _records(document)
    reading = gather((f"[{index}]", partial(_lot, dialect, each)) for index, each in enumerate(records))
    total = document.get("total_count") or document.get("nhits") if isinstance(document, dict) else None
    return Reading(lots=reading.lots, refused=(*reading.refused, *missing_pages(total, records)))


def _records(document: Json) -> list[Json]:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        raise FeedError("document", "records")
    for envelope in ("results", "records"):
        if envelope in document:
            return entries(document[envelope], envelope)
    return [document]


def _lot(dialect: Dialect, record: Json) -> Lot:
    fields = members(record)
    fields = {**members(fields.get("fields", {})), **fields}
    known, state = _state(dialect, fields)
    free = count(fields.get(dialect.free), dialect.free) if known else None
    threshold = count(_field(fields, dialect.full_below), "full_below")
    if state is LotState.OPEN and free is not None and threshold is not None and free <= threshold:
        state = LotState.FULL
    at = text(_field(fields, dialect.at))
    return Lot(
        id=required(text(fields.get(dialect.id)), dialect.id),
        name=text(_field(fields, dialect.name)),
        position=_position(_field(fields, dialect.position)),
        capacity=count(_field(fields, dialect.capacity), dialect.capacity or ""),
        free=free,
        state=state,
        at=None if at is None else moment(at),
    )


def _field(fields: Object, name: str | None) -> Json:
    return None if name is None else fields.get(name)


def _state(dialect: Dialect, fields: Object) -> tuple[bool, LotState | None]:
    """Whether the figures can be believed, and the state."""
    meaning = word(_field(fields, dialect.state), dialect.state or "", dialect.states)
    if meaning is None:
        return True, None
    return meaning != UNKNOWN, None if meaning == UNKNOWN else LotState(meaning)


def _position(value: Json) -> Position | None:
    """`[lat, lon]`, `{"lat": …, "lon": …}`, or a GeoJSON point (longitude first), bare or as a feature's geometry."""
    if value is None:
        return None
    if isinstance(value, dict) and isinstance(value.get("geometry"), dict):
        value = value["geometry"]
    if isinstance(value, dict) and isinstance(value.get("coordinates"), list):
        lon, lat = _pair(entries(value["coordinates"], "coordinates"))
    elif isinstance(value, dict):
        lat, lon = _pair([value.get("lat"), value.get("lon")])
    else:
        lat, lon = _pair(value)
    return position(lat, lon)


def _pair(value: Json) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) < 2:
        raise RefusedLotError("position; a pair of degrees expected")
    first, second = number(value[0], "position"), number(value[1], "position")
    if first is None or second is None:
        raise RefusedLotError("position; a pair of degrees expected")
    return first, second
