"""A town at one glance, for those who run it."""

from datetime import timedelta
from typing import Final

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from cloud_api import examples
from cloud_api.access import needs
from cloud_api.glance import (
    CertificateGlance,
    ClosureGlance,
    ConnectionGlance,
    DiskGlance,
    GatewayGlance,
    Glance,
)
from cloud_api.kept import Kept
from cloud_api.openapi import JSON, answer, key_refusals
from cloud_api.pulse import IngestGlance
from cloud_api.registry.backups import LastBackup
from cloud_api.scopes import Scope
from cloud_api.sensor_glance import DoubtfulSensor, SensorKind, Sensors, SensorsGlance
from cloud_api.services import Services
from cloud_api.town_status import status_of
from cloud_api.trust import Cause, Trust

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
                version="1.4.0",
                clock="trusted",
                clock_ahead_s=-0.2,
                disk_free_bytes=22_000_000_000,
                disk_size_bytes=31_000_000_000,
            ),
        ),
        sensors=Sensors(
            tallies=(
                SensorsGlance(kind=SensorKind.COUNTER, trust=Trust.FRESH, sensors=6),
                SensorsGlance(kind=SensorKind.SPACE, trust=Trust.FRESH, sensors=119),
                SensorsGlance(kind=SensorKind.SPACE, trust=Trust.STALE, sensors=1),
            ),
            doubtful=(
                DoubtfulSensor(
                    device="0004a30b00ff0001",
                    place="marche-12",
                    place_name="Place du Marché, marche-12",
                    trust=Trust.STALE,
                    cause=Cause("sans nouvelles depuis 7 h", "no news for 7 h"),
                    heard_at=examples.NOW - timedelta(hours=7),
                    low_battery=True,
                    battery_pct=9.0,
                ),
            ),
            doubted=1,
            low_batteries=1,
        ),
        ingest=IngestGlance(
            worker="1",
            last_commit_at=examples.NOW - timedelta(seconds=4),
            facts_per_minute=42.0,
            refused_messages={},
            refused_facts=0,
        ),
        closures=(
            ClosureGlance(
                place="quai",
                place_name="Quai de la Fosse",
                reason="travaux de voirie",
                since=examples.NOW - timedelta(days=2),
                until=None,
            ),
        ),
        disks=(DiskGlance(file="store", free_bytes=41_000_000_000, size_bytes=64_000_000_000),),
        connections=(ConnectionGlance(name="ingest", problem=None), ConnectionGlance(name="live", problem=None)),
        certificates=(CertificateGlance(name="broker_ca", ends_at=examples.NOW + timedelta(days=900)),),
    ),
    Kept(
        quarantined=1,
        backup=LastBackup(
            at=examples.NOW - timedelta(hours=8),
            file="passerelle-20261122T020000Z.zip",
            size_bytes=48_000_000,
            store="sqlite:////var/lib/passerelle/history.db",
        ),
        gateway_certificates={"gw-halles": examples.NOW + timedelta(days=3600)},
    ),
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
        return Response(msgspec.json.encode(await services.status.look()), media_type=JSON)

    return routes
