"""ParkAPI v1, what OpenTripPlanner and ParkenDD read: the cities that are served, and one city's lots.

After the README and the server of `offenesdresden/ParkAPI` 1.0, and what OpenTripPlanner's `CarParkAPIUpdater` takes
from it. A figure that is not known is left out: where it is null, OpenTripPlanner reads 0.
"""

from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct

from cloud_api.formats.picture import Picture, Town, ZoneNow
from cloud_api.registry.places import Audience, ZoneKind
from cloud_api.trust import Trust

API_VERSION: Final = "1.0"
LOT_TYPES: Final = {ZoneKind.ON_STREET: "Voirie", ZoneKind.OFF_STREET: "Parking"}
State = Literal["open", "closed", "nodata"]


class Cities(Struct, frozen=True, kw_only=True):
    """Which cities are served."""

    api_version: str
    server_version: str
    reference: str
    """Where this API is described."""
    cities: dict[str, str]
    """The part of the address that leads to a city's lots, by the city's name."""


class Coordinates(Struct, frozen=True):
    """Where to drive to, degrees (WGS 84)."""

    lat: float
    lng: float


class LotNow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One car park or street; what is not known is left out."""

    id: str
    name: str
    coords: Coordinates
    state: State
    """`nodata` where nothing can be believed now; full is `open` with 0 free."""
    forecast: bool
    """Whether ParkAPI's own forecast is served; it is not."""
    lot_type: str
    total: int | None = None
    """Spaces for everybody: without those that are kept for some."""
    free: int | None = None
    total_disabled: int | None = msgspec.field(name="total:disabled", default=None)
    """Spaces kept for holders of a badge."""
    free_disabled: int | None = msgspec.field(name="free:disabled", default=None)
    address: str | None = None
    opening_hours: str | None = None
    """OpenStreetMap's syntax."""
    url: str | None = None
    notes: dict[str, str] = {}
    """Why it is closed, not known, or known in part only: by language."""


class CityLots(Struct, frozen=True, kw_only=True):
    """The lots of one city."""

    last_updated: str | None
    """The newest news of any lot, UTC without an offset; null while nothing is known."""
    last_downloaded: str
    """When the lots were last looked at."""
    lots: tuple[LotNow, ...]


def cities(town: Town, server_version: str, reference: str) -> Cities:
    """The one town that is served."""
    return Cities(
        api_version=API_VERSION, server_version=server_version, reference=reference, cities={town.name: town.id}
    )


def city_lots(picture: Picture) -> CityLots:
    """The town's zones as lots."""
    return CityLots(
        last_updated=None if picture.newest_at is None else _utc(picture.newest_at),
        last_downloaded=_utc(picture.as_of),
        lots=tuple(_lot(each) for each in picture.zones),
    )


def write(picture: Picture) -> bytes:
    """The town's zones as a document."""
    return msgspec.json.encode(city_lots(picture))


def _lot(zone: ZoneNow) -> LotNow:
    place, public, disabled = zone.place, zone.public, zone.now.of(Audience.PMR)
    cause = public.cause or zone.now.cause
    return LotNow(
        id=place.id,
        name=place.name,
        coords=Coordinates(lat=place.position.lat, lng=place.position.lon),
        state=_state(zone),
        forecast=False,
        lot_type=LOT_TYPES[place.kind],
        total=public.capacity if zone.now.capacity else None,
        free=public.free,
        total_disabled=None if disabled is None else disabled.capacity,
        free_disabled=None if disabled is None else disabled.free,
        address=place.address,
        opening_hours=place.opening_hours,
        url=place.url,
        notes={} if cause is None else {"fr": cause.fr, "en": cause.en},
    )


def _state(zone: ZoneNow) -> State:
    if zone.now.trust is Trust.CLOSED:
        return "closed"
    return "nodata" if zone.public.free is None else "open"


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
