"""DATEX II: the town's zones as national access points take them. Public, read only."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from cloud_api import examples
from cloud_api.formats import datex2
from cloud_api.openapi import text_answer
from cloud_api.routes.parking import KEPT
from cloud_api.services import Services

STATUS_EXAMPLE: Final = datex2.write_status(examples.PICTURE).decode()
TABLE_EXAMPLE: Final = datex2.write_table(examples.PICTURE).decode()
ANSWERS: Final = ()


def router(services: Services) -> APIRouter:
    """The routes under `/datex2/v2`."""
    routes = APIRouter(prefix="/datex2/v2", tags=["other tongues"], default_response_class=Response)

    @routes.get(
        "/parking-status.xml",
        summary="DATEX II: all zones now",
        responses=text_answer(datex2.MEDIA_TYPE, STATUS_EXAMPLE, "A ParkingStatusPublication"),
    )
    async def status() -> Response:
        """How many spaces are free. What is not known is left out, and `parkingFault` says so."""
        return Response(datex2.write_status(services.picture()), media_type=datex2.MEDIA_TYPE, headers=KEPT)

    @routes.get(
        "/parking-table.xml",
        summary="DATEX II: all zones",
        responses=text_answer(datex2.MEDIA_TYPE, TABLE_EXAMPLE, "A ParkingTablePublication"),
    )
    async def table() -> Response:
        """Where each zone is, and what it is; the status refers to it."""
        return Response(datex2.write_table(services.picture()), media_type=datex2.MEDIA_TYPE, headers=KEPT)

    return routes
