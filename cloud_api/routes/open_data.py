"""The town's zones for maps and open-data portals: GeoJSON, flat records, CSV. Public, read only."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from cloud_api import examples
from cloud_api.formats import geojson, parking_records
from cloud_api.openapi import JSON, answer, list_answer, text_answer
from cloud_api.routes.parking import KEPT
from cloud_api.services import Services

MAP_EXAMPLE: Final = geojson.zones_on_map(examples.PICTURE)
RECORD_EXAMPLE: Final = parking_records.records(examples.PICTURE)[0]
CSV_EXAMPLE: Final = parking_records.write_csv(examples.PICTURE).decode()
ANSWERS: Final = (MAP_EXAMPLE, RECORD_EXAMPLE)


def router(services: Services) -> APIRouter:
    """`/v1/parking/zones.geojson` and the routes under `/opendata/parking`."""
    routes = APIRouter(tags=["other tongues"], default_response_class=Response)

    @routes.get(
        "/v1/parking/zones.geojson",
        summary="All zones on a map",
        responses=answer(MAP_EXAMPLE, "All zones as features", geojson.MEDIA_TYPE),
    )
    async def zones_on_map() -> Response:
        """Every zone with its shape, or its point where it has none, and its figures. What is not known is null."""
        return Response(geojson.write(services.picture()), media_type=geojson.MEDIA_TYPE, headers=KEPT)

    @routes.get(
        "/opendata/parking/zones.json",
        summary="All zones as flat records",
        responses=list_answer(RECORD_EXAMPLE, "A record for each zone"),
    )
    async def records() -> Response:
        """A flat record for each zone, named as Lille's. What is not known is null."""
        return Response(parking_records.write_json(services.picture()), media_type=JSON, headers=KEPT)

    @routes.get(
        "/opendata/parking/zones.csv",
        summary="All zones as CSV",
        responses=text_answer(parking_records.CSV, CSV_EXAMPLE, "A line for each zone, below the names of the fields"),
    )
    async def lines() -> Response:
        """The same as lines. What is not known is empty."""
        body = parking_records.write_csv(services.picture())
        return Response(body, media_type=parking_records.CSV, headers=KEPT)

    return routes
