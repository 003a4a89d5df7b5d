"""How much a request may bring: no more than our largest form needs, whoever sends it and whatever reads it.

In comes an ASGI application, out comes one that is handed no more bytes of a body than that. A body that says its
length is refused unread, one that does not where it goes beyond.
"""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_api.problems import ProblemError, respond

LARGEST: Final = 4_000_000
"""Bytes: twice the largest picture that a technician sends."""


def too_large() -> ProblemError:
    """A body that nobody here reads."""
    detail = f"The request brings more than {LARGEST} bytes; nothing here takes so many."
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "Too large a request", detail)


class BoundedBodies:
    """Guards that no request fills memory or disk."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _told_length(scope) > LARGEST:
            await respond(Request(scope), too_large())(scope, receive, send)
        else:
            await self._app(scope, _bounded(receive), send)


def _told_length(scope: Scope) -> int:
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(told) if told.isdigit() else 0


def _bounded(receive: Receive) -> Receive:
    """Raises `ProblemError` where a body goes beyond."""
    received = 0

    async def receive_some() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > LARGEST:
            raise too_large()
        return message

    return receive_some
