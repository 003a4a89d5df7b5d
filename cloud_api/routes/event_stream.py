"""A stream of events as plain ASGI: listeners come with the places they want, and with the last event they had."""

import asyncio
from collections.abc import Callable, Container
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_api import openapi
from cloud_api.problems import FieldError, ProblemError, invalid, unavailable
from cloud_api.stream import Listener, Stream, Wanted

MOST_LISTENERS: Final = 10_000
MOST_NAMED: Final = 100
"""Places that one listener may name."""
LONGEST_QUERY: Final = 8_000
EVENT_STREAM: Final = "text/event-stream"
HEADERS: Final = (
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
"""A stream is neither cached nor gathered by what stands between."""


def full(instead: str) -> ProblemError:
    """Nobody more can listen."""
    return unavailable(f"Too many listen already; ask {instead} instead.")


def event_stream(stream: Stream, *, parameter: str, known: Callable[[], Container[str]], instead: str) -> ASGIApp:
    """The route of a stream: `?PARAMETER=a,b` names places, which must be `known`; `instead`: what else to ask."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        wanted = wanted_of(scope["query_string"], parameter, known())
        if stream.listeners >= MOST_LISTENERS:
            raise full(instead)
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if scope["method"] == "GET":
            with stream.listen(wanted, _last_event_id(scope)) as listener:
                await _tell(listener, receive, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return answer


def wanted_of(query: bytes, parameter: str, known: Container[str]) -> Wanted:
    """The places that `?PARAMETER=a,b` names; all without it. Raises `ProblemError`."""
    if len(query) > LONGEST_QUERY:
        raise _wrong(parameter, f"a query of at most {LONGEST_QUERY} characters expected")
    named = parse_qs(query.decode("latin-1"), keep_blank_values=True).get(parameter)
    if named is None:
        return None
    wanted = frozenset(each for text in named for each in text.split(",") if each)
    if not 0 < len(wanted) <= MOST_NAMED:
        raise _wrong(parameter, f"1 to {MOST_NAMED} {parameter} expected, separated by commas")
    for each in sorted(wanted):
        if each not in known:
            raise unknown(parameter, each)
    return wanted


def unknown(parameter: str, name: str) -> ProblemError:
    """A place that is named and not there; `parameter` is `zones` or `counters`."""
    return _wrong(parameter, f"none of the {parameter} is {name!r}; ids of {parameter} expected, separated by commas")


def named_parameter(name: str, example: str) -> dict[str, Any]:
    """How the description tells of the places that a listener may name."""
    return {
        "name": name,
        "in": "query",
        "description": f"Ids of {name}, separated by commas, at most {MOST_NAMED}; all {name} without it.",
        "schema": {"type": "string"},
        "examples": openapi.parameter(example, "Two of them"),
    }


LAST_EVENT_PARAMETER: Final = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last event that the caller had; browsers send it by themselves.",
    "schema": {"type": "string"},
    "examples": openapi.parameter("9f3a6b01-41", "As an event told it"),
}


def _wrong(parameter: str, reason: str) -> ProblemError:
    return invalid([FieldError(field=parameter, reason=reason)])


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
