"""Errors as RFC 9457 problem documents: whatever goes wrong, a caller reads the same few fields.

In come our own `ProblemError`, the framework's errors and whatever nobody expected; out go `application/problem+json`
documents. No stack trace ever leaves, and no text of an unexpected error.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from cloud_api.stores.base import StoreError

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class FieldError(Struct, frozen=True, kw_only=True):
    """What is wrong with one parameter."""

    field: str
    """Its name as the caller writes it."""
    reason: str
    """What was expected."""


class Problem(Struct, frozen=True, kw_only=True):
    """A problem document."""

    type: str
    """Names the sort of problem for ever: `urn:passerelle:problem:…`."""
    title: str
    """The same for every problem of this type."""
    status: int
    detail: str
    """What happened this time, and what to do."""
    instance: str
    """The path that was asked for."""
    errors: tuple[FieldError, ...] = ()
    """Every parameter that is wrong."""


class ProblemError(Exception):
    """A request that cannot be answered as asked."""

    def __init__(
        self,
        status: HTTPStatus,
        name: str,
        title: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        self.status = status
        self.name = name
        """The last part of the problem's type."""
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers
        """What HTTP wants to be told beside it."""
        super().__init__(detail)

    def document(self, path: str) -> Problem:
        """The problem document for a request to `path`."""
        return Problem(
            type=f"urn:passerelle:problem:{self.name}",
            title=self.title,
            status=self.status.value,
            detail=self.detail,
            instance=path,
            errors=self.errors,
        )


def not_found(kind: str, name: str) -> ProblemError:
    """No such place: `kind` is `zone` or `counter`."""
    detail = f"There is no {kind} {name!r} here; the list of {kind}s names them all."
    return ProblemError(HTTPStatus.NOT_FOUND, f"unknown-{kind}", f"No such {kind}", detail)


def invalid(errors: Sequence[FieldError]) -> ProblemError:
    """Parameters that are not what was expected."""
    detail = "; ".join(f"{error.field}: {error.reason}" for error in errors)
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-parameter", "A parameter is not what was expected", detail, errors
    )


def unavailable(detail: str) -> ProblemError:
    """Something behind us is away; the same request may work in a moment."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Not available at the moment", detail)


UNEXPECTED: Final = ProblemError(
    HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", "Unexpected error", "The error is in the server's log."
)

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOTHING_HERE: Final = "There is nothing at this address; /v1/openapi.json describes all that there is."
OTHER_METHODS: Final = "This address takes {methods}; /v1/openapi.json describes all there is."


def install_problems(app: FastAPI) -> None:
    """Answer every error of an application with a problem document."""
    app.add_exception_handler(ProblemError, _answer_own)
    app.add_exception_handler(HTTPException, _answer_framework)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(StoreError, _answer_store)
    app.add_exception_handler(Exception, _answer_unexpected)


def respond(request: Request, error: ProblemError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells of a problem; `headers` instead of its own."""
    body = msgspec.json.encode(error.document(request.url.path))
    return Response(body, status_code=error.status.value, media_type=MEDIA_TYPE, headers=headers or error.headers)


async def _answer_own(request: Request, error: Exception) -> Response:
    return respond(request, error if isinstance(error, ProblemError) else UNEXPECTED)


async def _answer_framework(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return respond(request, UNEXPECTED)
    status = HTTPStatus(error.status_code)
    name = status.phrase.lower().replace(" ", "-")
    detail, headers = str(error.detail), dict(error.headers or {})
    if status is HTTPStatus.NOT_FOUND:
        detail = NOTHING_HERE
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        methods = ", ".join(_methods_at(request))
        detail, headers = OTHER_METHODS.format(methods=methods), {**headers, "Allow": methods}
    return respond(request, ProblemError(status, name, status.phrase, detail), headers or None)


def _methods_at(request: Request) -> list[str]:
    """What an address takes: the framework names the first route's alone, and knows no HEAD."""
    routes: list[BaseRoute] = request.app.routes
    served = [
        method
        for method in METHODS
        if any(each.matches({**request.scope, "method": method})[0] is Match.FULL for each in routes)
    ]
    return sorted([*served, "HEAD"] if "GET" in served else served)


async def _answer_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        return respond(request, UNEXPECTED)
    errors = [FieldError(field=str(each["loc"][-1]), reason=each["msg"]) for each in error.errors()]
    return respond(request, invalid(errors))


async def _answer_store(request: Request, error: Exception) -> Response:
    log.warning("the store does not answer: %s", error)
    return respond(request, unavailable("The history cannot be read at the moment; try again in a minute."))


async def _answer_unexpected(request: Request, _error: Exception) -> Response:
    return respond(request, UNEXPECTED)
