"""Who asks, what he may do, and how often: in front of every route.

In comes an ASGI application, out comes one that knows its callers: a key (`Authorization: Bearer …`), a key in the
cookie of who signed in, or an address. A key that is not good is refused, never taken for none; a cookie is only what
a browser remembers, so one that is not good is no key. Who asks too often is told how long to wait.
"""

import math
import time
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from msgspec import Struct
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from cloud_api.keyring import Keyring
from cloud_api.problems import ProblemError, respond
from cloud_api.rate_limits import SECOND_NS, Limits, RateLimiter
from cloud_api.registry.keys import AccessKey
from cloud_api.scopes import Scope

BEARER: Final = b"bearer "
COOKIE: Final = "passerelle-key"
"""The cookie that holds the key of who signed in."""
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CALLER: Final = "passerelle.caller"
"""Where the caller is found in a request's ASGI scope."""
LONGEST_KEY: Final = 200
LONGEST_COOKIES: Final = 8_000
NETWORK_BITS: Final = 64
"""Of an IPv6 address: what one household has."""


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks."""

    name: str
    """What is counted under: a key's id, or an address."""
    by_key: bool
    scopes: frozenset[Scope]
    who: str
    """Who that is in the audit trail: a person, a key, an address."""
    person: str | None = None
    """Whose key it is, where somebody signed in."""

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


def other_site() -> ProblemError:
    """A browser that changes something for another site's page."""
    detail = "With a cookie, changes are taken from this site's own pages only; other programs send a Bearer key."
    return ProblemError(HTTPStatus.FORBIDDEN, "other-site", "Asked from another site", detail)


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


def caller_of(request: Request) -> Caller:
    """Who asks."""
    caller: Caller = request.scope[CALLER]
    return caller


def demand(request: Request, scope: Scope) -> None:
    """Go on only for a caller who may do this. Raises `ProblemError`."""
    caller = caller_of(request)
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
            caller = scope[CALLER] = self._admit(scope)
        except ProblemError as problem:
            await respond(Request(scope), problem)(scope, receive, send)
            return
        await self._app(scope, receive, _for_one(send) if caller.by_key else send)

    def _admit(self, scope: AsgiScope) -> Caller:
        secret = _secret(scope)
        if secret is None:
            return self._admit_browser(scope)
        key = self._keyring.find(secret)
        if key is None:
            self._count(self._addresses, address_of(scope))
            raise bad_key()
        return self._admit_key(key)

    def _admit_browser(self, scope: AsgiScope) -> Caller:
        """Who comes with a cookie, or with nothing."""
        secret = _cookie(scope)
        key = None if secret is None else self._keyring.find(secret)
        if key is not None:
            caller = self._admit_key(key)
            if scope["method"] not in READS and not is_from_here(scope):
                raise other_site()
            return caller
        address = address_of(scope)
        self._count(self._addresses, address)
        return Caller(name=address, by_key=False, scopes=self._everyone_may, who=address)

    def _admit_key(self, key: AccessKey) -> Caller:
        self._count(self._keys, key.id)
        who = f"key {key.id} ({key.label})" if key.person is None else key.label
        scopes = self._everyone_may | key.scopes
        return Caller(name=key.id, by_key=True, scopes=scopes, who=who, person=key.person)

    def _count(self, limiter: RateLimiter, caller: str) -> None:
        wait_ns = limiter.wait_ns(caller, time.monotonic_ns())
        if wait_ns:
            raise too_many(math.ceil(wait_ns / SECOND_NS))


def _for_one(send: Send) -> Send:
    """What a key opened, no cache that others share may keep (RFC 9111, 3.5)."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [_private(*each) for each in message["headers"]]}
        await send(message)

    return send_private


def _private(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return name, value.replace(b"public", b"private") if name.lower() == b"cache-control" else value


def _secret(scope: AsgiScope) -> str | None:
    value = _header(scope, b"authorization")
    if value[: len(BEARER)].lower() != BEARER:
        return None
    return value[len(BEARER) :][:LONGEST_KEY].strip().decode("latin-1")


def _cookie(scope: AsgiScope) -> str | None:
    text = _header(scope, b"cookie")[:LONGEST_COOKIES].decode("latin-1")
    found = cookie_parser(text).get(COOKIE) if COOKIE in text else None
    return None if found is None else found[:LONGEST_KEY]


def _header(scope: AsgiScope, wanted: bytes) -> bytes:
    """A header's first value; empty where it is not there."""
    return next((bytes(value) for name, value in scope["headers"] if name == wanted), b"")


def is_from_here(scope: AsgiScope) -> bool:
    """Whether a browser says that a page of this site asks."""
    origin = _header(scope, b"origin").decode("latin-1")
    if not origin:
        return _header(scope, b"sec-fetch-site") == b"same-origin"
    return urlsplit(origin).netloc == _header(scope, b"host").decode("latin-1")


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
