"""What a gateway is asked to do once, and what became of it. For technicians."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from cloud_api.openapi import JSON, answer, key_refusals, parameter, refusal
from cloud_api.problems import FieldError, invalid, not_found, unavailable
from cloud_api.provisioning.errands import Action, Errand, Outcome
from cloud_api.routes.provisioning import provisioning_routes
from cloud_api.scopes import Scope
from cloud_api.services import Services
from edge.messages import CapturedFrame

PATH: Final = "/v1/gateways/gw-halles/errands"
BROKER_AWAY: Final = "The broker cannot be reached at the moment; try again in a minute."
WRONG_ACTION: Final = FieldError(field="action", reason="Input should be 'recalibrate', 'capture' or 'restart-link'")
EXAMPLE: Final = Errand(
    id="5f0c6b1e9a3d4c27",
    gateway="gw-halles",
    asked_at=datetime(2026, 11, 27, 10, 15, tzinfo=UTC),
    outcome=Outcome.DONE,
    text="frames in 60 s: 1",
    frames=(
        CapturedFrame(
            at=datetime(2026, 11, 27, 10, 15, 42, tzinfo=UTC),
            link="lora",
            payload="01",
            port=1,
            counter=1204,
            rssi_dbm=-97.0,
            snr_db=6.5,
            readings=('{"kind":"presence","channel":"1","occupied":true}',),
        ),
    ),
)
ANSWERS: Final = (EXAMPLE,)
GatewayPath = Annotated[str, Path(max_length=63, openapi_examples=parameter("gw-halles", "A gateway"))]


def router(services: Services) -> APIRouter:
    """The routes `/v1/gateways/{gateway}/errands` and `…/{errand}`."""
    routes = provisioning_routes("/v1/gateways/{gateway}/errands")
    refusals = {
        **key_refusals(Scope.PROVISION, PATH),
        **refusal(not_found("gateway", "gw-hales"), PATH),
        **refusal(invalid([WRONG_ACTION]), PATH),
    }

    @routes.post(
        "",
        summary="Ask a gateway to do something",
        status_code=HTTPStatus.ACCEPTED,
        responses={
            **answer(EXAMPLE, "It is asked", status=HTTPStatus.ACCEPTED),
            **refusals,
            **refusal(unavailable(BROKER_AWAY), PATH),
        },
    )
    async def ask(
        gateway: GatewayPath,
        action: Annotated[
            Action, Query(description="What to do.", openapi_examples=parameter("capture", "Show frames for a minute"))
        ],
        target: Annotated[
            str,
            Query(
                min_length=1,
                max_length=128,
                description="A device's address, or a link's name.",
                openapi_examples=parameter("0004a30b00ff0001", "A device"),
            ),
        ],
    ) -> Response:
        """It is asked once; a gateway that is off line does not hear it. What became of it is at the errand's address.

        `capture` shows every frame that the gateway hears of a device for a minute, with what it says; `recalibrate`
        lets a distance sensor learn anew how far it sees when nothing is there; `restart-link` closes a link and opens
        it again.
        """
        if gateway not in services.registry.gateways:
            raise not_found("gateway", gateway)
        errand = services.errands.ask(gateway, action, target, services.clock())
        if errand is None:
            raise unavailable(BROKER_AWAY)
        where = {"Location": f"/v1/gateways/{gateway}/errands/{errand.id}"}
        return Response(msgspec.json.encode(errand), HTTPStatus.ACCEPTED, headers=where, media_type=JSON)

    @routes.get(
        "/{errand}",
        summary="What became of it",
        responses={**answer(EXAMPLE, "As far as the gateway has answered"), **refusals},
    )
    async def find(
        gateway: GatewayPath,
        errand: Annotated[str, Path(max_length=128, openapi_examples=parameter(EXAMPLE.id, "What was asked"))],
    ) -> Response:
        """`waiting` until the gateway answers; a capture is `under_way` until its minute is over. Kept for a while."""
        found = services.errands.find(gateway, errand)
        if found is None:
            raise not_found("errand", errand)
        return Response(msgspec.json.encode(found), media_type=JSON)

    return routes
