"""The hot routes of parking, as plain ASGI: all zones now, and the stream. `routes/parking.py` describes them."""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_api.feed import ZoneFeed
from cloud_api.problems import FieldError, ProblemError, invalid, unavailable
from cloud_api.registry import Registry
from cloud_api.services import Services
from cloud_api.stream import Listener, Zones

MOST_LISTENERS: Final = 10_000
MOST_ZONES: Final = 100
"""Zones that one listener may name."""
LONGEST_QUERY: Final = 8_000
EVENT_STREAM: Final = "text/event-stream"
STREAM_HEADERS: Final = (
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
"""A stream is neither cached nor gathered by what stands between."""
FULL: Final = unavailable("Too many listen already; ask /v1/parking/zones instead.")


def hot_routes(services: Services) -> Mapping[str, ASGIApp]:
    """By path."""
    return {"/v1/parking/zones": _zones(services.feed), "/v1/parking/stream": _stream(services)}


def _zones(feed: ZoneFeed) -> ASGIApp:
    async def zones(scope: Scope, _receive: Receive, send: Send) -> None:
        await feed.prepared().send_to(scope, send)

    return zones


def _stream(services: Services) -> ASGIApp:
    feed = services.feed

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        zones = _wanted(scope["query_string"], services.registry)
        if feed.stream.listeners >= MOST_LISTENERS:
            raise FULL
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        if scope["method"] == "GET":
            with feed.stream.listen(zones, _last_event_id(scope)) as listener:
                await _tell(listener, receive, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return stream


async def _tell(listener: Listener, receive: Receive, send: Send) -> None:
    """Send a listener his events, until he goes or the stream ends."""
    leaving = asyncio.create_task(_end_when_gone(listener, receive))
    try:
        async for events in listener.events():
            await send({"type": "http.response.body", "body": events, "more_body": True})
    finally:
        leaving.cancel()


async def _end_when_gone(listener: Listener, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end()


def _last_event_id(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"last-event-id"), "")


def _wanted(query: bytes, registry: Registry) -> Zones:
    """The zones that `?zones=a,b` names; all without it. Raises `ProblemError`."""
    if not query:
        return None
    if len(query) > LONGEST_QUERY:
        raise _wrong_zones(f"a query of at most {LONGEST_QUERY} characters expected")
    named = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("zones")
    if named is None:
        return None
    zones = frozenset(each for text in named for each in text.split(",") if each)
    if not 0 < len(zones) <= MOST_ZONES:
        raise _wrong_zones(f"1 to {MOST_ZONES} zones expected, separated by commas")
    unknown = sorted(zones - registry.zones.keys())
    if unknown:
        raise _wrong_zones(f"no zone {unknown[0]!r}; ids of zones expected, separated by commas")
    return zones


def _wrong_zones(reason: str) -> ProblemError:
    return invalid([FieldError(field="zones", reason=reason)])
