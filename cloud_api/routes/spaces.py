"""Single parking spaces now, of a zone or in a box. Public, read only."""

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query
from msgspec import Struct
from msgspec.structs import asdict
from starlette.responses import Response

from cloud_api import examples
from cloud_api.envelope import Envelope
from cloud_api.feed import TTL_S
from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.problems import FieldError, ProblemError, invalid, not_found
from cloud_api.registry import Position
from cloud_api.routes.parking import UNCHANGED
from cloud_api.services import Services
from cloud_api.shelf import Shelf
from cloud_api.zones import SpaceView, ZoneDetail

MOST_SPACES: Final = 2_000
BOX: Final = "west,south,east,north in degrees expected, as GeoJSON writes a box (-1.56,47.21,-1.55,47.22)"
PATH: Final = "/v1/parking/spaces"


class SpaceHere(SpaceView, frozen=True, kw_only=True):
    """One parking space now, and the zone that it belongs to."""

    zone: str


class SpaceList(Struct, frozen=True):
    """Single spaces."""

    spaces: tuple[SpaceHere, ...]


class SpacesAnswer(Envelope, frozen=True, kw_only=True):
    """Single spaces, in the envelope of all zones."""

    data: SpaceList


class Box(Struct, frozen=True):
    """What lies between two meridians and two parallels, degrees (WGS 84), edges included."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, position: Position | None) -> bool:
        """Whether a point lies in it; nobody knows where a space without a position lies, so it does not."""
        if position is None:
            return False
        return self.south <= position.lat <= self.north and self.west <= position.lon <= self.east


def space_here(space: SpaceView, zone: str) -> SpaceHere:
    """A space with its zone."""
    return SpaceHere(**asdict(space), zone=zone)


EXAMPLE: Final = SpacesAnswer(
    last_updated=examples.NOW,
    ttl=TTL_S,
    data=SpaceList(tuple(space_here(each, examples.ZONE.id) for each in examples.SPACES)),
)
ANSWERS: Final = (EXAMPLE,)


def wrong(field: str, reason: str) -> ProblemError:
    """One parameter that is not what was expected."""
    return invalid([FieldError(field=field, reason=reason)])


def router(services: Services) -> APIRouter:
    """The route `/v1/parking/spaces`."""
    routes = APIRouter(prefix="/v1/parking", tags=["parking"], default_response_class=Response)
    shelf = Shelf()

    @routes.get(
        "/spaces",
        summary="Single spaces",
        responses={
            **answer(EXAMPLE, f"At most {MOST_SPACES} spaces, those of a zone together"),
            **UNCHANGED,
            **refusal(not_found("zone", "place-du-marcher"), PATH),
            **refusal(wrong("bbox", BOX), PATH),
        },
    )
    async def spaces(
        zone: Annotated[
            str | None,
            Query(
                max_length=63,
                description="A zone's id.",
                openapi_examples=parameter("place-du-marche", "The market square"),
            ),
        ] = None,
        bbox: Annotated[
            str | None,
            Query(
                max_length=100,
                description=f"{BOX}. Spaces without a position are in no box.",
                openapi_examples=parameter("-1.56,47.21,-1.55,47.22", "A quarter"),
            ),
        ] = None,
    ) -> Response:
        """Each space of a zone, or in a box, or of a zone in a box, with the trust in its sensor."""
        if zone is None and bbox is None:
            raise wrong("zone", "a zone or a bbox expected")
        box, zones, feed = None if bbox is None else parse_box(bbox), _zones(services, zone), services.feed

        def within() -> bytes:
            spaces = SpaceList(_within(box, zones))
            return msgspec.json.encode(SpacesAnswer(last_updated=feed.stamped_at, ttl=TTL_S, data=spaces))

        return shelf.give((zone, box), feed.edition, JSON, within)

    return routes


def parse_box(text: str) -> Box:
    """A box as GeoJSON writes it. Raises `ProblemError`."""
    try:
        west, south, east, north = (float(each) for each in text.split(","))
    except ValueError as error:
        raise wrong("bbox", BOX) from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise wrong("bbox", f"{BOX}, west not east of east, south not north of north")
    return Box(west, south, east, north)


def _zones(services: Services, zone: str | None) -> Iterable[ZoneDetail]:
    details = services.feed.details()
    if zone is None:
        return details.values()
    if zone not in details:
        raise not_found("zone", zone)
    return [details[zone]]


def _within(box: Box | None, zones: Iterable[ZoneDetail]) -> tuple[SpaceHere, ...]:
    found = [
        space_here(each, zone.id) for zone in zones for each in zone.spaces if box is None or box.holds(each.position)
    ]
    if len(found) > MOST_SPACES:
        raise wrong("bbox", f"a box with at most {MOST_SPACES} spaces expected; this has {len(found)}")
    return tuple(found)
