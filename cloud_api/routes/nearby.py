"""Where to park around a point. Public, read only."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.responses import Response

from cloud_api import examples
from cloud_api.envelope import Envelope
from cloud_api.feed import TTL_S
from cloud_api.nearby import NearbyZone, nearby
from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.problems import FieldError, invalid
from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from cloud_api.routes.parking import UNCHANGED
from cloud_api.services import Services
from cloud_api.shelf import Shelf

USUAL_RADIUS_M: Final = 500
LONGEST_RADIUS_M: Final = 5_000
MOST_ZONES: Final = 50


class NearbyZones(Struct, frozen=True):
    """Zones around a point, the best first."""

    zones: tuple[NearbyZone, ...]


class NearbyAnswer(Envelope, frozen=True, kw_only=True):
    """Zones around a point, in the envelope of all zones."""

    data: NearbyZones


EXAMPLE: Final = NearbyAnswer(
    last_updated=examples.NOW,
    ttl=TTL_S,
    data=NearbyZones(tuple(nearby([examples.ZONE], Position(lat=47.2151, lon=-1.5540), Audience.PMR, 500))),
)
ANSWERS: Final = (EXAMPLE,)
WRONG_LATITUDE: Final = FieldError(field="lat", reason="Input should be less than or equal to 90")


def router(services: Services) -> APIRouter:
    """The route `/v1/parking/nearby`."""
    routes = APIRouter(prefix="/v1/parking", tags=["parking"], default_response_class=Response)
    shelf = Shelf()

    @routes.get(
        "/nearby",
        summary="Where to park around a point",
        responses={
            **answer(EXAMPLE, f"At most {MOST_ZONES} zones, the best first"),
            **UNCHANGED,
            **refusal(invalid([WRONG_LATITUDE]), "/v1/parking/nearby"),
        },
    )
    async def near(
        lat: Annotated[
            float, Query(ge=-90, le=90, description="Degrees (WGS 84).", openapi_examples=parameter(47.2151, "Here"))
        ],
        lon: Annotated[
            float, Query(ge=-180, le=180, description="Degrees (WGS 84).", openapi_examples=parameter(-1.554, "Here"))
        ],
        audience: Annotated[
            Audience, Query(description="For whom.", openapi_examples=parameter("pmr", "The holder of a badge"))
        ] = Audience.PUBLIC,
        radius: Annotated[
            int,
            Query(
                ge=1,
                le=LONGEST_RADIUS_M,
                description="In a straight line, metres.",
                openapi_examples=parameter(300, "Five minutes"),
            ),
        ] = USUAL_RADIUS_M,
    ) -> Response:
        """Zones with spaces for this audience, and the counts of this audience only.

        First those that can be trusted to have a free space, then those of which that is not known, then the full and
        the closed; in each group the shortest walk first. The walk is estimated: 1.3 times the straight line to where
        one drives, at 4.8 km/h.
        """
        here, feed = Position(lat=lat, lon=lon), services.feed

        def around() -> bytes:
            zones = NearbyZones(tuple(nearby(feed.zones(), here, audience, radius)[:MOST_ZONES]))
            return msgspec.json.encode(NearbyAnswer(last_updated=feed.stamped_at, ttl=TTL_S, data=zones))

        return shelf.give((here, audience, radius), feed.edition, JSON, around)

    return routes
