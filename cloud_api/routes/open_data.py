"""The town's zones for maps and open-data portals: GeoJSON, flat records, CSV. Public, read only."""

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from cloud_api import examples
from cloud_api.formats import geojson, parking_records
from cloud_api.formats.picture import Picture
from cloud_api.openapi import JSON, answer, list_answer, text_answer
from cloud_api.routes.parking import UNCHANGED
from cloud_api.services import Services
from cloud_api.shelf import Shelf

MAP_EXAMPLE: Final = geojson.zones_on_map(examples.PICTURE)
RECORD_EXAMPLE: Final = parking_records.records(examples.PICTURE)[0]
CSV_EXAMPLE: Final = parking_records.write_csv(examples.PICTURE).decode()
ANSWERS: Final = (MAP_EXAMPLE, RECORD_EXAMPLE)


def router(services: Services) -> APIRouter:
    """`/v1/parking/zones.geojson` and the routes under `/opendata/parking`."""
    routes = APIRouter(tags=["other tongues"], default_response_class=Response)
    shelf = Shelf()

    def now(media_type: str, write: Callable[[Picture], bytes]) -> Response:
        return shelf.give(write, services.feed.edition, media_type, lambda: write(services.picture()))

    @routes.get(
        "/v1/parking/zones.geojson",
        summary="All zones on a map",
        responses={**answer(MAP_EXAMPLE, "All zones as features", geojson.MEDIA_TYPE), **UNCHANGED},
    )
    async def zones_on_map() -> Response:
        """Every zone with its shape, or its point where it has none, and its figures. What is not known is null."""
        return now(geojson.MEDIA_TYPE, geojson.write)

    @routes.get(
        "/opendata/parking/zones.json",
        summary="All zones as flat records",
        responses={**list_answer(RECORD_EXAMPLE, "A record for each zone"), **UNCHANGED},
    )
    async def records() -> Response:
        """A flat record for each zone, named as Lille's. What is not known is null."""
        return now(JSON, parking_records.write_json)

    @routes.get(
        "/opendata/parking/zones.csv",
        summary="All zones as CSV",
        responses={
            **text_answer(parking_records.CSV, CSV_EXAMPLE, "A line for each zone, below the names of the fields"),
            **UNCHANGED,
        },
    )
    async def lines() -> Response:
        """The same as lines. What is not known is empty."""
        return now(parking_records.CSV, parking_records.write_csv)

    return routes
