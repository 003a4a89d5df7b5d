"""Flat records of zones, as French open-data portals publish them: JSON or CSV, the same fields in both.

The names are those of Métropole européenne de Lille's `disponibilite-parkings` where it has one, so what reads Lille
reads these; the others stand behind them. What nobody knows is null, in CSV empty.
"""

import csv
import io
from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct, structs

from cloud_api.formats.picture import Picture, ZoneNow
from cloud_api.registry.places import Audience
from cloud_api.trust import Trust
from cloud_api.zones import ZoneView

CSV: Final = "text/csv"
State = Literal["OUVERT", "COMPLET", "FERME", "."]


class ParkingRecord(Struct, frozen=True, kw_only=True):
    """One zone."""

    id: str
    libelle: str
    adresse: str | None
    ville: str
    insee: str | None
    exploitant: str | None
    """Who runs it, or tells of it; null for the town."""
    etat: State
    """`.` is no news, as Lille says it."""
    dispo: int | None
    """Free spaces, for all audiences together."""
    max: int | None
    """Spaces in all."""
    dispo_public: int | None
    max_public: int | None
    dispo_pmr: int | None
    """For holders of a disabled person's badge."""
    max_pmr: int | None
    dispo_ve: int | None
    """For electric cars."""
    max_ve: int | None
    occupe: int | None
    inconnu: int
    """Spaces of which nobody knows anything now."""
    ferme: int
    """Spaces out of service."""
    datemaj: datetime | None
    """The newest news that the figures rest on; of a closed zone, when it was known to be closed."""
    confiance: Trust
    cause: str | None
    """Why it is not known, or in part only; in French."""
    lat: float
    lon: float


FIELDS: Final = ParkingRecord.__struct_fields__


def records(picture: Picture) -> tuple[ParkingRecord, ...]:
    """All zones as records."""
    return tuple(_record(picture, each) for each in picture.zones)


def write_json(picture: Picture) -> bytes:
    """The records as a list."""
    return msgspec.json.encode(records(picture))


def write_csv(picture: Picture) -> bytes:
    """The records as lines below their fields' names."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(FIELDS)
    lines.writerows(msgspec.to_builtins(structs.astuple(each)) for each in records(picture))
    return text.getvalue().encode()


def _record(picture: Picture, zone: ZoneNow) -> ParkingRecord:
    place, now = zone.place, zone.now
    public, pmr, ve = (_pair(now, each) for each in (Audience.PUBLIC, Audience.PMR, Audience.EV))
    return ParkingRecord(
        id=place.id,
        libelle=place.name,
        adresse=place.address,
        ville=picture.town.name,
        insee=place.insee,
        exploitant=zone.operator,
        etat=_state(zone),
        dispo=now.free,
        max=now.capacity or None,
        dispo_public=public[0],
        max_public=public[1],
        dispo_pmr=pmr[0],
        max_pmr=pmr[1],
        dispo_ve=ve[0],
        max_ve=ve[1],
        occupe=now.occupied,
        inconnu=now.unknown,
        ferme=now.closed,
        datemaj=picture.as_of if now.trust is Trust.CLOSED else now.measured_at,
        confiance=now.trust,
        cause=None if now.cause is None else now.cause.fr,
        lat=place.position.lat,
        lon=place.position.lon,
    )


def _pair(now: ZoneView, audience: Audience) -> tuple[int | None, int | None]:
    """Free spaces for an audience, and spaces in all; none where all are kept for others."""
    counts = now.of(audience)
    if counts is None:
        return (0, 0) if now.audiences else (None, None)
    return counts.free, counts.capacity


def _state(zone: ZoneNow) -> State:
    if zone.now.trust is Trust.CLOSED:
        return "FERME"
    if zone.now.free is None:
        return "."
    return "OUVERT" if zone.now.free else "COMPLET"
