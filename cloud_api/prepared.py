"""One answer, ready to send: its bytes plain and compressed, each made once and not for every caller.

In come a body and what a caller says that he reads and has; out come the two ASGI messages that answer him. Each coding
has a strong entity tag of its own, as RFC 9110 asks (8.8.3.3). Nothing here knows what the bytes mean.
"""

import gzip
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import brotli
from msgspec import Struct
from starlette.types import Message, Scope, Send

BROTLI_QUALITY: Final = 5
GZIP_LEVEL: Final = 6
HEADERS_REMEMBERED: Final = 256
"""Wordings of `Accept-Encoding` whose meaning is kept: browsers and libraries have few."""
IDENTITY: Final = "identity"
CODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = MappingProxyType(
    {
        "br": lambda body: brotli.compress(body, quality=BROTLI_QUALITY),
        "gzip": lambda body: gzip.compress(body, GZIP_LEVEL, mtime=0),
        IDENTITY: lambda body: body,
    }
)
"""What we can send, best first."""
_LEAST: Final = 1e-6
"""How much plain bytes are wanted where nothing is said of them: less than anything that is named, and not nothing."""

Headers = Iterable[tuple[bytes, bytes]]


class _Coded(Struct, frozen=True):
    """The body in one coding."""

    body: bytes
    etag: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    kept_headers: tuple[tuple[bytes, bytes], ...]
    """Those of an answer that the caller has it already."""


class Prepared:
    """Guards that equal bytes have equal tags, and that no coding is made twice."""

    def __init__(
        self, body: bytes, *, media_type: str, cache_control: str, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """`headers`: what the answer says beside what it always says."""
        self.body = body
        self._more = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
        self._media_type = media_type
        self._cache_control = cache_control
        self._coded: dict[str, _Coded] = {}

    async def send_to(self, scope: Scope, send: Send) -> None:
        """Answer a GET or a HEAD."""
        accepted, known = _asked(scope["headers"])
        coded = self._in(coding_for(accepted))
        if known and has(known, coded.etag):
            await send(_start(304, coded.kept_headers))
            await send(_end(b""))
            return
        await send(_start(200, coded.headers))
        await send(_end(b"" if scope["method"] == "HEAD" else coded.body))

    def _in(self, coding: str) -> _Coded:
        coded = self._coded.get(coding)
        if coded is None:
            coded = self._coded[coding] = self._make(coding)
        return coded

    def _make(self, coding: str) -> _Coded:
        body = CODINGS[coding](self.body)
        suffix = "" if coding == IDENTITY else f"-{coding}"
        etag = f'"{sha256(self.body).hexdigest()[:20]}{suffix}"'.encode()
        kept = (
            (b"etag", etag),
            (b"cache-control", self._cache_control.encode()),
            (b"vary", b"Accept-Encoding"),
            *self._more,
        )
        headers = (
            (b"content-type", self._media_type.encode()),
            (b"content-length", str(len(body)).encode()),
            *([] if coding == IDENTITY else [(b"content-encoding", coding.encode())]),
            *kept,
        )
        return _Coded(body, etag, headers, kept)


@lru_cache(HEADERS_REMEMBERED)
def coding_for(accepted: bytes) -> str:
    """The best coding that an `Accept-Encoding` lets us send (RFC 9110, 12.5.3); plain where it names none of ours.

    What cannot be read in it is passed over; a caller who forbids even plain bytes gets them nevertheless.
    """
    weights = dict(weight for each in accepted.decode("latin-1").lower().split(",") if (weight := _weight(each)))
    anything_else = weights.get("*", 0.0)
    chances = {coding: weights.get(coding, anything_else) for coding in CODINGS if coding != IDENTITY}
    chances[IDENTITY] = weights.get(IDENTITY, min(_LEAST, weights.get("*", _LEAST)))
    best = max(chances.values())
    return IDENTITY if best <= 0 else next(coding for coding in CODINGS if chances[coding] == best)


def _weight(item: str) -> tuple[str, float] | None:
    """A coding and how much it is wanted, 0 to 1; None where that cannot be read."""
    coding, _, parameter = item.partition(";")
    name, _, value = parameter.partition("=")
    try:
        weight = float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return None
    known = coding.strip().removeprefix("x-")
    return (known, weight) if known and 0 <= weight <= 1 else None


def has(known: bytes, etag: bytes) -> bool:
    """Whether an `If-None-Match` names a tag; by weak comparison, as RFC 9110 (13.1.2) asks."""
    return known.strip() == b"*" or etag in (each.strip().removeprefix(b"W/") for each in known.split(b","))


def _asked(headers: Headers) -> tuple[bytes, bytes]:
    """What a caller accepts, and what he has. Lines of one header are one list."""
    accepted = known = b""
    for name, value in headers:
        if name == b"accept-encoding":
            accepted = accepted + b"," + value if accepted else value
        elif name == b"if-none-match":
            known = known + b"," + value if known else value
    return accepted, known


def _start(status: int, headers: Headers) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _end(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": False}
