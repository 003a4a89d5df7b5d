"""Who may become a gateway, and who is one no more: `passerelle gateway invite`, `replace` and `revoke` over HTTP."""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request
from msgspec import Struct
from starlette.responses import Response

from cloud_api import examples
from cloud_api.access import CALLER, needs
from cloud_api.openapi import JSON, answer, key_refusals, parameter, refusal
from cloud_api.problems import FieldError, ProblemError, invalid, not_found, unavailable
from cloud_api.registry.codes import Code
from cloud_api.registry.invitations import Invitation, InvitationRefusedError, UnknownGatewayError
from cloud_api.routes.changing import in_thread
from cloud_api.routes.enrolments import not_set_up
from cloud_api.routes.gateways import ONE, GatewayPath
from cloud_api.scopes import Scope
from cloud_api.services import Services

Made = TypeVar("Made")
Maker = Callable[..., tuple[Invitation, Code]]
LONGEST_MIN: Final = 7 * 24 * 60
Minutes = Annotated[
    int,
    Query(ge=1, le=LONGEST_MIN, description="So long the code is good.", openapi_examples=parameter(60, "For an hour")),
]


class Invited(Struct, frozen=True, kw_only=True):
    """A code, told this once."""

    gateway: str
    code: str
    """For `passerelle edge enrol CODE --url …`."""
    link: str
    """The same in one, for a QR code."""
    expires_at: datetime

    def __repr__(self) -> str:
        """Without the code."""
        return f"Invited({self.gateway!r})"


class Revoked(Struct, frozen=True, kw_only=True):
    """What has ended."""

    gateway: str
    users: tuple[str, ...]
    """The broker's users that are cut off within seconds."""
    codes: int
    """Open codes that are good no longer."""


EXAMPLE: Final = Invited(
    gateway="gw-halles",
    code="7K3M-9QXT-4B2W-HD5F",
    link="https://passerelle.ville.example/enrol#7K3M-9QXT-4B2W-HD5F",
    expires_at=examples.NOW + timedelta(hours=1),
)
EXAMPLE_REVOKED: Final = Revoked(gateway="gw-halles", users=("gw-halles.1f2e3d4c",), codes=1)
ANSWERS: Final = (EXAMPLE, EXAMPLE_REVOKED)


def refused(reason: str) -> ProblemError:
    """What makes no sense as things stand."""
    return ProblemError(HTTPStatus.CONFLICT, "invitation-refused", "This makes no sense now", reason)


def router(services: Services) -> APIRouter:
    """The routes `/v1/gateways/{gateway}/invitations`, `…/replacements` and `…/access`."""
    routes = APIRouter(
        prefix="/v1/gateways/{gateway}",
        tags=["provisioning"],
        default_response_class=Response,
        dependencies=[needs(Scope.ADMIN)],
    )
    invitations = services.registry_store.invitations
    common = {
        **key_refusals(Scope.ADMIN, ONE),
        **refusal(not_found("gateway", "gw-hales"), ONE),
        **refusal(invalid([FieldError(field="minutes", reason="Input should be greater than or equal to 1")]), ONE),
        **refusal(refused("gateway gw-halles is enrolled"), ONE),
        **refusal(unavailable("The registry cannot be reached at the moment; try again in a minute."), ONE),
    }
    made = {
        **answer(EXAMPLE, "The code is told this once", status=HTTPStatus.CREATED),
        **common,
    }

    @routes.post("/invitations", summary="Invite a machine", status_code=HTTPStatus.CREATED, responses=made)
    async def invite(gateway: GatewayPath, request: Request, minutes: Minutes = 60) -> Response:
        """A code with which a machine becomes this gateway; codes of its that were open are good no longer."""
        return await _made(services, request, gateway, minutes, invitations.invite)

    @routes.post("/replacements", summary="Invite a successor", status_code=HTTPStatus.CREATED, responses=made)
    async def replace(gateway: GatewayPath, request: Request, minutes: Minutes = 60) -> Response:
        """A code with which another machine takes this gateway's place; the present one works until then."""
        return await _made(services, request, gateway, minutes, invitations.replace)

    @routes.delete("/access", summary="Revoke a gateway", responses={**answer(EXAMPLE_REVOKED, "It is over"), **common})
    async def revoke(gateway: GatewayPath, request: Request) -> Response:
        """End its access and all its codes; what it counted stays."""
        _refuse_unless_set_up(services)
        by, at = request.scope[CALLER].who, services.clock()
        ended = await in_thread(lambda: _possible(gateway, lambda: invitations.revoke(gateway, by=by, at=at)))
        users = tuple(each.user for each in ended if each.used_at is not None)
        told = Revoked(gateway=gateway, users=users, codes=len(ended) - len(users))
        return Response(msgspec.json.encode(told), media_type=JSON)

    return routes


async def _made(services: Services, request: Request, gateway: str, minutes: int, maker: Maker) -> Response:
    _refuse_unless_set_up(services)
    by, at = request.scope[CALLER].who, services.clock()
    expires_at = at + timedelta(minutes=minutes)
    _, code = await in_thread(lambda: _possible(gateway, lambda: maker(gateway, by=by, at=at, expires_at=expires_at)))
    told = Invited(gateway=gateway, code=code, link=f"{request.base_url}enrol#{code}", expires_at=expires_at)
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(told), HTTPStatus.CREATED, headers=headers, media_type=JSON)


def _refuse_unless_set_up(services: Services) -> None:
    if services.enroller is None:
        raise not_set_up()


def _possible(gateway: str, work: Callable[[], Made]) -> Made:
    try:
        return work()
    except UnknownGatewayError as error:
        raise not_found("gateway", gateway) from error
    except InvitationRefusedError as error:
        raise refused(str(error)) from error
