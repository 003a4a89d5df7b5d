"""ParkAPI v1: the town's zones as OpenTripPlanner and ParkenDD read them. Public, read only."""

from importlib.metadata import version
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from cloud_api import examples
from cloud_api.formats import parkapi_v1
from cloud_api.formats.picture import town_of
from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.problems import FieldError, invalid, not_found
from cloud_api.routes.parking import UNCHANGED
from cloud_api.services import Services
from cloud_api.shelf import Shelf

REFERENCE: Final = "/v1/openapi.json"
CITIES_EXAMPLE: Final = parkapi_v1.cities(examples.TOWN, "0.1.0", REFERENCE)
LOTS_EXAMPLE: Final = parkapi_v1.city_lots(examples.PICTURE)
ANSWERS: Final = (CITIES_EXAMPLE, LOTS_EXAMPLE)


def router(services: Services) -> APIRouter:
    """The routes under `/parkapi/v1`."""
    routes = APIRouter(prefix="/parkapi/v1", tags=["other tongues"], default_response_class=Response)

    shelf = Shelf()

    @routes.get(
        "/",
        summary="ParkAPI: cities",
        responses={**answer(CITIES_EXAMPLE, "The one town that is served"), **UNCHANGED},
    )
    async def cities() -> Response:
        """The town, and what leads to its lots."""
        told = parkapi_v1.cities(town_of(services.settings), version("passerelle"), REFERENCE)
        return shelf.give("cities", None, JSON, lambda: msgspec.json.encode(told))

    @routes.get(
        "/{city}",
        summary="ParkAPI: a city's lots",
        responses={
            **answer(LOTS_EXAMPLE, "Every zone as a lot"),
            **UNCHANGED,
            **refusal(not_found("town", "nantes-est"), "/parkapi/v1/nantes-est"),
            **refusal(invalid([FieldError(field="city", reason="at most 63 characters expected")]), "/parkapi/v1/…"),
        },
    )
    async def lots(
        city: Annotated[str, Path(max_length=63, openapi_examples=parameter("saint-aubin", "As the list names it"))],
    ) -> Response:
        """Every zone as a lot; `free` is left out where nobody knows, and for a closed zone."""
        if city != town_of(services.settings).id:
            raise not_found("town", city)
        return shelf.give("lots", services.feed.edition, JSON, lambda: parkapi_v1.write(services.picture()))

    return routes
