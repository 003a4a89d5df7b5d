"""The routes that thousands ask at once: plain ASGI, beneath the framework's routing.

In comes a request; one for a hot path goes straight to its few lines, any other to the framework. A hot route is
declared to the framework too, which describes it and answers for the methods that it does not serve.
"""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_api.problems import ProblemError, respond

METHODS: Final = frozenset({"GET", "HEAD"})


class HotRoutes:
    """Sends each request its way."""

    def __init__(self, app: ASGIApp, routes: Mapping[str, ASGIApp]) -> None:
        """`routes`: by path."""
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        hot = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if hot is None or scope["method"] not in METHODS:
            await self._app(scope, receive, send)
            return
        try:
            await hot(scope, receive, send)
        except ProblemError as error:
            await respond(Request(scope), error)(scope, receive, send)
