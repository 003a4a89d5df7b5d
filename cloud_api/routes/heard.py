"""Devices that gateways hear and nobody reads yet. For technicians."""

from datetime import timedelta
from typing import Final

import msgspec
from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from cloud_api import examples
from cloud_api.openapi import JSON, answer, key_refusals
from cloud_api.provisioning.heard import Belongs, HeardView, Hearing, heard_devices
from cloud_api.routes.provisioning import provisioning_routes
from cloud_api.scopes import Scope
from cloud_api.services import Services

PATH: Final = "/v1/heard"


class HeardAnswer(Struct, frozen=True):
    """Devices that are heard and not read."""

    devices: tuple[HeardView, ...]


EXAMPLE: Final = HeardAnswer(
    (
        HeardView(
            address="0004a30b00ff0001",
            belongs=Belongs.NOBODY,
            gateway=None,
            models=("bosch-tps110",),
            hint="Bosch TPS110 bay-7",
            first_at=examples.NOW - timedelta(minutes=12),
            last_at=examples.NOW,
            by=(Hearing(gateway="gw-halles", link="lora", at=examples.NOW, frames=3, rssi_dbm=-97.0),),
        ),
    )
)
ANSWERS: Final = (EXAMPLE,)


def router(services: Services) -> APIRouter:
    """The route `/v1/heard`."""
    routes = provisioning_routes()

    @routes.get(
        PATH,
        summary="Devices that are heard",
        responses={
            **answer(EXAMPLE, "Heard within a day, new ones first, who was heard last before the others"),
            **key_refusals(Scope.PROVISION, PATH),
        },
    )
    async def heard() -> Response:
        """Devices that a gateway hears and does not read: to be adopted, or read by another gateway already."""
        found = heard_devices(services.registry, services.gateways.heard, services.clock())
        return Response(msgspec.json.encode(HeardAnswer(found)), media_type=JSON)

    return routes
