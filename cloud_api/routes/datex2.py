"""DATEX II: the town's zones as national access points take them. Public, read only."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from cloud_api import examples
from cloud_api.formats import datex2
from cloud_api.openapi import text_answer
from cloud_api.routes.parking import UNCHANGED
from cloud_api.services import Services
from cloud_api.shelf import Shelf

STATUS_EXAMPLE: Final = datex2.write_status(examples.PICTURE).decode()
TABLE_EXAMPLE: Final = datex2.write_table(examples.PICTURE).decode()
ANSWERS: Final = ()


def router(services: Services) -> APIRouter:
    """The routes under `/datex2/v2`."""
    routes = APIRouter(prefix="/datex2/v2", tags=["other tongues"], default_response_class=Response)
    shelf = Shelf()

    @routes.get(
        "/parking-status.xml",
        summary="DATEX II: all zones now",
        responses={**text_answer(datex2.MEDIA_TYPE, STATUS_EXAMPLE, "A ParkingStatusPublication"), **UNCHANGED},
    )
    async def status() -> Response:
        """How many spaces are free. What is not known is left out, and `parkingFault` says so."""
        edition = services.feed.edition
        return shelf.give("status", edition, datex2.MEDIA_TYPE, lambda: datex2.write_status(services.picture()))

    @routes.get(
        "/parking-table.xml",
        summary="DATEX II: all zones",
        responses={**text_answer(datex2.MEDIA_TYPE, TABLE_EXAMPLE, "A ParkingTablePublication"), **UNCHANGED},
    )
    async def table() -> Response:
        """Where each zone is, and what it is; the status refers to it."""
        picture = services.picture()
        lasting = (picture.revision, tuple((each.now.capacity, each.public.capacity) for each in picture.zones))
        return shelf.give("table", lasting, datex2.MEDIA_TYPE, lambda: datex2.write_table(picture))

    return routes
