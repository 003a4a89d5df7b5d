"""Which sensors want a visit. For technicians."""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.responses import Response

from cloud_api.openapi import JSON, answer, key_refusals, parameter, refusal
from cloud_api.problems import FieldError, invalid, unavailable
from cloud_api.provisioning.visiting import Town, find_visits
from cloud_api.provisioning.visits import Reason, Visit, Why
from cloud_api.registry import Position
from cloud_api.routes.provisioning import provisioning_routes
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.trust import Cause

PATH: Final = "/v1/visits"


class Visits(Struct, frozen=True, kw_only=True):
    """A round for the day."""

    at: datetime
    """When it was drawn up, UTC."""
    visits: tuple[Visit, ...]
    """In the order of a short way; those whose place nobody knows come last."""


EXAMPLE: Final = Visits(
    at=datetime(2026, 11, 27, 7, tzinfo=UTC),
    visits=(
        Visit(
            device="0004a30b00ff0001",
            model="bosch-tps110",
            place="marche-12",
            place_name="Place du Marché, marche-12",
            position=Position(lat=47.2137, lon=-1.5562),
            reasons=(Reason(Why.STALE, Cause("sans nouvelles depuis 7 h", "no news for 7 h")),),
        ),
    ),
)
ANSWERS: Final = (EXAMPLE,)
NO_HISTORY: Final = "The history cannot be read at the moment; try again in a minute."
WRONG_LATITUDE: Final = FieldError(field="lat", reason="Input should be less than or equal to 90")


def router(services: Services) -> APIRouter:
    """The route `/v1/visits`."""
    routes = provisioning_routes()

    @routes.get(
        PATH,
        summary="Which sensors want a visit",
        responses={
            **answer(EXAMPLE, "The most urgent, as a round"),
            **key_refusals(Scope.PROVISION, PATH),
            **refusal(invalid([WRONG_LATITUDE]), PATH),
            **refusal(unavailable(NO_HISTORY), PATH),
        },
    )
    async def visits(
        lat: Annotated[
            float | None,
            Query(ge=-90, le=90, description="Where the round begins.", openapi_examples=parameter(47.2151, "Here")),
        ] = None,
        lon: Annotated[
            float | None,
            Query(ge=-180, le=180, description="Where the round begins.", openapi_examples=parameter(-1.554, "Here")),
        ] = None,
    ) -> Response:
        """Sensors that are faulty, silent, refused by their gateway, frozen or implausible, drift against their
        neighbours, or will soon be without battery or signal; as a short round.
        """
        now = services.clock()
        start = None if lat is None or lon is None else Position(lat=lat, lon=lon)
        town = Town(
            registry=services.registry,
            live=services.live,
            gateways=services.gateways,
            store=services.store,
            ledger=services.ledger,
            zone=services.settings.time_zone,
        )
        found = await find_visits(town, now, start)
        return Response(msgspec.json.encode(Visits(at=now, visits=tuple(found))), media_type=JSON)

    return routes
