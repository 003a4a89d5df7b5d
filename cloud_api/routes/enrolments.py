"""How a machine becomes a gateway: it shows its code and is told how to reach the broker, and as whom. No key needed.

Secrets go over TLS or stay on this machine, unless the town decided otherwise.
"""

import asyncio
import logging
import math
import time
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

import msgspec
from fastapi import APIRouter, Request
from msgspec.structs import asdict
from starlette.responses import Response

from cloud_api.access import address_of, too_many
from cloud_api.openapi import JSON, answer, refusal
from cloud_api.problems import FieldError, ProblemError, invalid, unavailable
from cloud_api.provisioning.certificates import SigningRequestError
from cloud_api.provisioning.dynamic_security import BrokerControlError
from cloud_api.provisioning.enrolment import Admitted, BrokerAddress, Enroller, EnrolmentRequest
from cloud_api.rate_limits import SECOND_NS, RateLimiter
from cloud_api.registry.codes import CodeError
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.invitations import NotInvitedError, Why
from cloud_api.routes.changing import body_of, takes
from cloud_api.services import Services

log = logging.getLogger(__name__)

PATH: Final = "/v1/enrolments"
ANOTHER: Final = "ask for another one: `passerelle gateway invite` makes it"
TITLES: Final = {
    Why.UNKNOWN: "Nobody was invited with this code",
    Why.USED: "This code was used",
    Why.EXPIRED: "This code has expired",
    Why.REVOKED: "This code is revoked",
}
STATUSES: Final = {
    Why.UNKNOWN: HTTPStatus.NOT_FOUND,
    Why.USED: HTTPStatus.CONFLICT,
    Why.EXPIRED: HTTPStatus.GONE,
    Why.REVOKED: HTTPStatus.GONE,
}


LINK_WORDS: Final = """\
Ce lien est pour une passerelle. Sur elle, donnez-le en entier, avec ce qui suit le # :
This link is for a gateway. On it, give the whole link, with what follows the #:

  sudo passerelle edge enrol '…/enrol#…'
"""
"""For whoever opens the QR code's link on a telephone; the code itself stays there."""


class Enrolled(Admitted, frozen=True, kw_only=True):
    """What a machine needs to be a gateway."""

    managed: bool
    """Whether its devices are told to it by the platform; otherwise they are those of its own configuration file."""
    revision: int
    """Of its first desired configuration, which it is told as soon as it is on line."""
    devices: int
    """How many devices that configuration has."""


REQUEST: Final = EnrolmentRequest(
    code="7K3M-9QXT-4B2W-HD5F", machine="c6f1d0a94be24f8f9c1b7a5e3d208f64", hostname="pi-mairie", version="0.1.0"
)
TOLD_ONCE: Final = "told this once"
EXAMPLE: Final = Enrolled(
    gateway="mairie",
    broker=BrokerAddress(host="broker.ville.example", port=8883, tls=True, ca=None),
    user="mairie.1f2e3d4c",
    password=TOLD_ONCE,
    certificate=None,
    managed=True,
    revision=42,
    devices=12,
)
ANSWERS: Final = (REQUEST, EXAMPLE)
WRONG_CODE: Final = FieldError(field="code", reason="a character is wrong, or two changed places: read it again")
BROKER_AWAY: Final = "The broker does not let gateways in at the moment; the code stays good: try again in a minute."


def not_set_up() -> ProblemError:
    """A platform that cannot let gateways in."""
    detail = (
        "Gateways do not enrol themselves here: `passerelle api` is to be started with --broker-admin-password-file "
        "and --gateway-broker."
    )
    return ProblemError(HTTPStatus.NOT_FOUND, "no-enrolment", "Gateways do not enrol themselves here", detail)


def tls_needed() -> ProblemError:
    """A way on which others can read."""
    detail = (
        "Passwords are told over https:// only. Where a proxy has done the TLS, let it say `X-Forwarded-Proto: https` "
        "and name it with --proxy. The code stays good."
    )
    return ProblemError(HTTPStatus.FORBIDDEN, "tls-needed", "This way is not private", detail)


def not_invited(error: NotInvitedError) -> ProblemError:
    """A code that lets nobody in."""
    when = "" if error.at is None else f" at {error.at:%Y-%m-%d %H:%M}Z"
    detail = {
        Why.UNKNOWN: f"No code of this town reads so; read it again, or {ANOTHER}.",
        Why.USED: f"A machine was enrolled with it{when}. If that was not yours, revoke it: `passerelle gateway "
        f"revoke`. To enrol this one, {ANOTHER}.",
        Why.EXPIRED: f"It ended{when}; {ANOTHER}.",
        Why.REVOKED: f"It was withdrawn, or another was made in its place{when}; {ANOTHER}.",
    }[error.why]
    return ProblemError(STATUSES[error.why], f"code-{error.why}", TITLES[error.why], detail)


def router(services: Services) -> APIRouter:
    """The route `/v1/enrolments`."""
    routes = APIRouter(tags=["provisioning"], default_response_class=Response)
    limiter = RateLimiter(services.settings.limits.enrolment)

    @routes.post(
        PATH,
        summary="Become a gateway",
        status_code=HTTPStatus.CREATED,
        openapi_extra=takes(REQUEST),
        responses={
            **answer(EXAMPLE, "It is one; the password is told this once", status=HTTPStatus.CREATED),
            **refusal(tls_needed(), PATH),
            **refusal(not_invited(NotInvitedError(Why.UNKNOWN, None)), PATH),
            **refusal(not_invited(NotInvitedError(Why.USED, services.clock())), PATH),
            **refusal(not_invited(NotInvitedError(Why.EXPIRED, services.clock())), PATH),
            **refusal(invalid([WRONG_CODE]), PATH),
            **refusal(unavailable(BROKER_AWAY), PATH),
        },
    )
    async def enrol(request: Request) -> Response:
        """For `passerelle edge enrol`. A code is good once and for an hour; whoever asks again with the same `machine`
        within that hour, because the answer was lost, is given another password, and the former is good no longer.
        """
        wait_ns = limiter.wait_ns(address_of(request.scope), time.monotonic_ns())
        if wait_ns:
            raise too_many(math.ceil(wait_ns / SECOND_NS))
        asked = await body_of(request, EnrolmentRequest)
        if services.enroller is None:
            raise not_set_up()
        if not (services.enroller.over_plain_http or _is_private(request)):
            raise tls_needed()
        admitted = await asyncio.to_thread(_enrol, services.enroller, asked, address_of(request.scope))
        answered = msgspec.json.encode(_enrolled(services, admitted))
        return Response(answered, HTTPStatus.CREATED, headers={"Cache-Control": "no-store"}, media_type=JSON)

    @routes.get("/enrol", include_in_schema=False)
    async def say_what_for() -> Response:
        return Response(LINK_WORDS, media_type="text/plain")

    return routes


def _enrol(enroller: Enroller, asked: EnrolmentRequest, address: str) -> Admitted:
    try:
        return enroller.enrol(asked, address)
    except CodeError as error:
        raise invalid([FieldError(field="code", reason=str(error))]) from error
    except SigningRequestError as error:
        raise invalid([FieldError(field="csr", reason=str(error))]) from error
    except NotInvitedError as error:
        raise not_invited(error) from error
    except (BrokerControlError, RegistryError) as error:
        log.warning("no gateway can be enrolled: %s", error)
        raise unavailable(BROKER_AWAY) from error


def _enrolled(services: Services, admitted: Admitted) -> Enrolled:
    registry = services.registry
    known = registry.gateways.get(admitted.gateway)
    owned = sum(device.gateway == admitted.gateway for device in registry.devices.values())
    return Enrolled(
        **asdict(admitted),
        managed=known is not None and known.managed,
        revision=services.places.revision,
        devices=owned,
    )


def _is_private(request: Request) -> bool:
    """Whether nobody reads along: TLS, or this very machine."""
    if request.url.scheme == "https":
        return True
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
