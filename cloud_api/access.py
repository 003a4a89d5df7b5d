"""Who asks, what he may do, and how often: in front of every route.

In comes an ASGI application, out comes one that knows its callers: a key (`Authorization: Bearer …`), or an address.
A key that is not good is refused, never taken for none; who asks too often is told how long to wait.
"""

import math
import time
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from fastapi import Depends, Request
from msgspec import Struct
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from cloud_api.keyring import Keyring
from cloud_api.problems import ProblemError, respond
from cloud_api.rate_limits import SECOND_NS, Limits, RateLimiter
from cloud_api.scopes import Scope

BEARER: Final = b"bearer "
CALLER: Final = "passerelle.caller"
"""Where the caller is found in a request's ASGI scope."""
LONGEST_KEY: Final = 200
NETWORK_BITS: Final = 64
"""Of an IPv6 address: what one household has."""


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks."""

    name: str
    """What is counted under: a key's id, or an address."""
    by_key: bool
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Whether the caller may do this."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


def bad_key() -> ProblemError:
    """A key that opens nothing."""
    detail = "The key in the header Authorization is unknown, revoked or has expired; ask the town for another."
    return ProblemError(
        HTTPStatus.UNAUTHORIZED, "bad-key", "This key is not good", detail, headers={"WWW-Authenticate": "Bearer"}
    )


def key_needed(scope: Scope) -> ProblemError:
    """No key, where one is needed."""
    detail = f"A key with the scope {scope.value!r} is needed here, in the header `Authorization: Bearer KEY`."
    return ProblemError(
        HTTPStatus.UNAUTHORIZED, "key-needed", "A key is needed", detail, headers={"WWW-Authenticate": "Bearer"}
    )


def scope_missing(scope: Scope) -> ProblemError:
    """A key that does not open this."""
    detail = f"This key lacks the scope {scope.value!r}."
    return ProblemError(HTTPStatus.FORBIDDEN, "scope-missing", "This key does not open this", detail)


def too_many(wait_s: int) -> ProblemError:
    """Too many requests."""
    detail = f"Too many requests; try again in {wait_s} s."
    return ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-requests",
        "Too many requests",
        detail,
        headers={"Retry-After": str(wait_s)},
    )


def demand(request: Request, scope: Scope) -> None:
    """Go on only for a caller who may do this. Raises `ProblemError`."""
    caller: Caller = request.scope[CALLER]
    if not caller.may(scope):
        raise scope_missing(scope) if caller.by_key else key_needed(scope)


def needs(scope: Scope) -> Any:
    """What a route depends on that not everybody may use: `dependencies=[needs(Scope.REPORT)]`."""

    def check(request: Request) -> None:
        demand(request, scope)

    return Depends(check)


def guarded(app: ASGIApp, needed: Scope) -> ASGIApp:
    """A plain ASGI route that not everybody may use; what is refused is raised as `ProblemError`."""

    async def answer(scope: AsgiScope, receive: Receive, send: Send) -> None:
        demand(Request(scope), needed)
        await app(scope, receive, send)

    return answer


class Access:
    """Lets in who may, as often as he may."""

    def __init__(self, app: ASGIApp, *, keyring: Keyring, everyone_may: frozenset[Scope], limits: Limits) -> None:
        self._app = app
        self._keyring = keyring
        self._everyone_may = everyone_may
        self._addresses = RateLimiter(limits.address)
        self._keys = RateLimiter(limits.key)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            scope[CALLER] = self._admit(scope)
        except ProblemError as problem:
            await respond(Request(scope), problem)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: AsgiScope) -> Caller:
        secret = _secret(scope)
        address = address_of(scope)
        if secret is None:
            self._count(self._addresses, address)
            return Caller(name=address, by_key=False, scopes=self._everyone_may)
        key = self._keyring.find(secret)
        if key is None:
            self._count(self._addresses, address)
            raise bad_key()
        self._count(self._keys, key.id)
        return Caller(name=key.id, by_key=True, scopes=self._everyone_may | key.scopes)

    def _count(self, limiter: RateLimiter, caller: str) -> None:
        wait_ns = limiter.wait_ns(caller, time.monotonic_ns())
        if wait_ns:
            raise too_many(math.ceil(wait_ns / SECOND_NS))


def _secret(scope: AsgiScope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization" and value[: len(BEARER)].lower() == BEARER:
            return bytes(value[len(BEARER) :][:LONGEST_KEY]).strip().decode("latin-1")
    return None


def address_of(scope: AsgiScope) -> str:
    """Whom to count a request under: an IPv4 address, the network of an IPv6 address, or `unknown`."""
    client = scope.get("client")
    if not client:
        return "unknown"
    return _network(client[0])


@lru_cache(maxsize=10_000)
def _network(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, NETWORK_BITS), strict=False))
    return host
