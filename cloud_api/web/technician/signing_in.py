"""Signing in by a personal link or a code, and out again. No password: a link is good once, and a tap uses it up.

Whoever only looks at a link (the programs of mail and chat do) changes nothing.
"""

import asyncio
import time
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from cloud_api.access import CALLER, COOKIE, LONGEST_KEY, Caller, address_of, caller_of, too_many
from cloud_api.rate_limits import SECOND_NS, Rate, RateLimiter
from cloud_api.registry.people import LONGEST_SECRET, SIGNED_IN_FOR, Asking, NotSignedInError, is_code
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.web.technician.room import HOME, Room, require_own_page

OFFICE: Final = "bureau"
"""Where those go who only make reports."""
OPERATIONS: Final = "operations"
"""Where those go on who asked for it: who may provision may see how all does."""
TRIES: Final = Rate(per_s=0.2, burst=10)
"""Of one address: a code cannot be found by trying."""


def add_routes(routes: APIRouter, room: Room) -> None:
    """The routes `/technician/sign-in` and `/technician/sign-out`."""
    services = room.services
    people = services.registry_store.people
    limiter = RateLimiter(TRIES)

    @routes.get("/sign-in")
    async def show_door(request: Request) -> Response:
        return room.page(request, "sign_in.html", how=None, again=None)

    def count_try(request: Request) -> None:
        wait_ns = limiter.wait_ns(address_of(request.scope), time.monotonic_ns())
        if wait_ns:
            raise too_many(1 + wait_ns // SECOND_NS)

    @routes.get("/sign-in/{secret}")
    async def show_link(request: Request, secret: str) -> Response:
        if is_code(secret):
            count_try(request)
        asked = await asyncio.to_thread(people.ask, secret[:LONGEST_SECRET], services.clock())
        if asked.how is not Asking.GOOD or asked.person is None:
            return room.page(request, "sign_in.html", status=HTTPStatus.GONE, how=asked.how, again=None)
        return room.page(request, "confirm.html", person=asked.person, secret=secret)

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        require_own_page(request)
        count_try(request)
        form = await request.form()
        try:
            person, key, text = await asyncio.to_thread(people.sign_in, str(form.get("secret", "")), services.clock())
        except NotSignedInError as error:
            return room.page(request, "sign_in.html", status=HTTPStatus.FORBIDDEN, how=error.how, again=None)
        services.keyring.add(key)
        wanted = OPERATIONS if form.get("to") == OPERATIONS else HOME
        at_home = wanted if Scope.PROVISION in person.scopes else OFFICE
        return _with_key(request, room.go(request, at_home), text, SIGNED_IN_FOR)

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        room.admit_change(request)
        return await signed_out(services, request, room.go(request, f"{HOME}/sign-in"))


async def signed_out(services: Services, request: Request, onward: Response) -> Response:
    """An answer after which the browser that asked is not signed in any more, and its key opens nothing."""
    caller = caller_of(request)
    secret = request.cookies.get(COOKIE, "")[:LONGEST_KEY]
    if secret and caller.by_key:
        keys, now = services.registry_store.keys, services.clock()
        await asyncio.to_thread(keys.revoke, caller.name, by=caller.who, at=now)
        services.keyring.drop(secret)
    return _with_key(request, onward, "", timedelta())


def door(room: Room, request: Request) -> Response:
    """What somebody sees who is not let in: how to sign in; and a way on, for browsers that keep the cookie from a
    page that another program opened."""
    caller: Caller = request.scope[CALLER]
    again = request.scope["path"].rpartition("/")[2] if request.method == "GET" else None
    status = HTTPStatus.FORBIDDEN if caller.by_key else HTTPStatus.UNAUTHORIZED
    return room.page(request, "sign_in.html", status=status, how=None, again=again)


def _with_key(request: Request, answer: Response, text: str, good_for: timedelta) -> Response:
    answer.set_cookie(
        COOKIE,
        text,
        max_age=round(good_for.total_seconds()),
        path="/",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="strict",
    )
    return answer
