"""A town at one glance, for those who run it."""

import asyncio
from datetime import timedelta
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from cloud_api import examples
from cloud_api.access import needs
from cloud_api.glance import (
    CertificateGlance,
    ConnectionGlance,
    DiskGlance,
    GatewayGlance,
    Glance,
    SensorKind,
    SensorsGlance,
)
from cloud_api.openapi import JSON, answer, key_refusals
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.stores.base import StoreError
from cloud_api.town_status import status_of
from cloud_api.trust import Trust

PATH: Final = "/v1/status"
EXAMPLE: Final = status_of(
    "Nantes",
    Glance(
        at=examples.NOW,
        gateways=(
            GatewayGlance(
                name="gw-halles",
                label="Les halles",
                online=True,
                told_at=examples.NOW - timedelta(seconds=20),
                queued=2,
                links_down=(),
            ),
        ),
        sensors=(
            SensorsGlance(kind=SensorKind.COUNTER, trust=Trust.FRESH, sensors=6),
            SensorsGlance(kind=SensorKind.SPACE, trust=Trust.FRESH, sensors=118),
            SensorsGlance(kind=SensorKind.SPACE, trust=Trust.STALE, sensors=2),
        ),
        disks=(DiskGlance(file="store", free_bytes=41_000_000_000, size_bytes=64_000_000_000),),
        connections=(ConnectionGlance(name="ingest", problem=None), ConnectionGlance(name="live", problem=None)),
        certificates=(CertificateGlance(name="broker_ca", ends_at=examples.NOW + timedelta(days=900)),),
    ),
    1,
    None,
)
ANSWERS: Final = (EXAMPLE,)


def router(services: Services) -> APIRouter:
    """The route `/v1/status`."""
    routes = APIRouter(tags=["operation"], default_response_class=Response, dependencies=[needs(Scope.PROVISION)])

    @routes.get(
        PATH,
        summary="The town at one glance",
        responses={
            **answer(EXAMPLE, "Its gateways, sensors, disks, connections, and what wants attention"),
            **key_refusals(Scope.PROVISION, PATH),
        },
    )
    async def status() -> Response:
        """How the town's gateways, sensors and platform do; `attention` is empty while all is well."""
        glance = services.watch.look()
        quarantined, problem = await asyncio.to_thread(_kept, services)
        told = status_of(services.settings.town or services.settings.title, glance, quarantined, problem)
        return Response(msgspec.json.encode(told), media_type=JSON)

    return routes


def _kept(services: Services) -> tuple[int | None, str | None]:
    """What is in quarantine, and why store or ledger do not answer. Blocks."""
    try:
        quarantined = services.ledger.quarantined()
    except StoreError as error:
        return None, str(error)
    try:
        services.store.ready()
    except StoreError as error:
        return quarantined, str(error)
    return quarantined, None
