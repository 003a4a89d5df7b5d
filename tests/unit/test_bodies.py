"""No request brings more than the largest form needs, whether it says how long it is or not."""

import asyncio
import json

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from cloud_api.bodies import LARGEST, BoundedBodies
from cloud_api.problems import ProblemError, respond

HALF = b"x" * (LARGEST // 2)


async def reader(_scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body to its end, as a form does."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the problem, as the framework does."""
    try:
        await BoundedBodies(reader)(scope, receive, send)
    except ProblemError as error:
        await respond(Request(scope), error)(scope, receive, send)


def answered(*chunks: bytes, length: bytes = b"") -> tuple[int, int, bytes]:
    """The status, how many chunks were read, and the last body."""
    left, sent = list(chunks), list[Message]()

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", length)] if length else []
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b"", "server": ("a", 1)}
    asyncio.run(told(scope, receive, send))
    return sent[0]["status"], len(chunks) - len(left), sent[-1].get("body", b"")


def test_a_body_as_large_as_may_be_is_read() -> None:
    assert answered(HALF, HALF, length=str(LARGEST).encode())[:2] == (200, 2)


def test_a_body_that_says_that_it_is_larger_is_refused_unread() -> None:
    status, read, body = answered(HALF, length=str(LARGEST + 1).encode())

    assert (status, read) == (413, 0)
    assert json.loads(body)["type"] == "urn:passerelle:problem:too-large"


def test_a_body_that_does_not_say_how_long_it_is_is_refused_where_it_goes_beyond() -> None:
    status, read, body = answered(HALF, HALF, b"x", HALF, HALF)

    assert (status, read) == (413, 3)
    assert str(LARGEST) in json.loads(body)["detail"]
