"""How routes change the registry: who looked at which version, what is asked, and what is wrong as problem documents.

In come a request and an action, out comes what was done, or would be done with `dry_run`. A change names the version
that its caller saw (`If-Match`, as the last answer's `ETag` says it), or that there must be none (`If-None-Match: *`).
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import Query, Request
from msgspec import Struct
from starlette.responses import Response

from cloud_api.access import CALLER
from cloud_api.openapi import EXAMPLE, JSON, SCHEMA, Responses, key_refusals, parameter, refusal
from cloud_api.problems import FieldError, ProblemError, invalid, unavailable
from cloud_api.provisioning.carrying_out import Action, Done, Seen, SeenDevice, carry_out, rehearse
from cloud_api.provisioning.fitting import Told, fitting
from cloud_api.provisioning.plan import NotPossibleError, Plan
from cloud_api.registry import Registry
from cloud_api.registry.change import Merged
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.radio_keys import NO_RADIO_KEYS, RadioKeys
from cloud_api.registry.refusals import ChangedMeanwhileError, RefusedChangeError
from cloud_api.scopes import Scope
from cloud_api.services import Services

Body = TypeVar("Body", bound=Struct)
Answer = TypeVar("Answer")

LARGEST_BODY: Final = 64 * 1024
WRONG_INPUT: Final = ("unknown-", "wrong-")
"""Refusals of these names are about what was sent, the others about how things stand."""
DryRun = Annotated[
    bool,
    Query(
        description="Say what would be done, refusals included, and do nothing.",
        openapi_examples=parameter(True, "Only say"),
    ),
]
EXAMPLE_DONE: Final = Done(
    words=("0004a30b00ff0001 1 serves marche-1 from 2026-11-27 12:34 UTC on",),
    merged=Merged(("installation 0004a30b00ff0001/1//2026-11-27T12:34Z",), (), same=0),
)


async def do(
    services: Services,
    request: Request,
    action: Action,
    *,
    dry_run: bool,
    seen: Seen | SeenDevice | None = None,
    keys: Mapping[str, RadioKeys] = NO_RADIO_KEYS,
) -> Response:
    """Carry an action out for the caller, or rehearse it. Raises `ProblemError`."""
    told = Told(models=dict(services.gateways.models), status=dict(services.gateways.status))

    def fit(town: Registry) -> Plan:
        return fitting(action(town), town, told)

    by, at = request.scope[CALLER].who, services.clock()
    change: Callable[[], Done] = (
        partial(rehearse, services.registry_store, fit, by=by, at=at, seen=seen)
        if dry_run
        else partial(carry_out, services.registry_store, fit, by=by, at=at, seen=seen, keys=keys)
    )
    return Response(msgspec.json.encode(await in_thread(change)), media_type=JSON)


async def in_thread(work: Callable[[], Answer]) -> Answer:
    """What blocks on the registry. Raises `ProblemError`."""
    with as_problems():
        return await asyncio.to_thread(work)


def known_addresses(services: Services) -> list[str]:
    """Devices that are heard or adopted: one of them may be meant by an address with a typo."""
    return [*(by.device for by in services.gateways.heard), *services.registry.devices]


@contextmanager
def as_problems() -> Iterator[None]:
    """What provisioning and the registry refuse, as problems that say what to do."""
    try:
        yield
    except NotPossibleError as error:
        raise not_possible(error) from error
    except ChangedMeanwhileError as error:
        raise changed_meanwhile(str(error)) from error
    except RefusedChangeError as error:
        raise contradiction(error) from error
    except RegistryError as error:
        raise unavailable("The registry cannot be reached at the moment; try again in a minute.") from error


async def body_of(request: Request, type_: type[Body]) -> Body:
    """A request's body. Raises `ProblemError`, naming the field."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise invalid([FieldError(field="body", reason=f"at most {LARGEST_BODY} bytes expected")])
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason, _, where = str(error).partition(" - at `$")
        raise invalid([FieldError(field=where.strip("`.") or "body", reason=reason)]) from error


def version_seen(request: Request) -> int:
    """The version in `If-Match`; 0 where `If-None-Match: *` says that there is none. Raises `ProblemError`."""
    if request.headers.get("if-none-match") == "*":
        return 0
    text = edition_seen(request)
    if not text.isdecimal():
        raise invalid([FieldError(field="If-Match", reason='the ETag of the last answer ("3") expected')])
    return int(text)


def edition_seen(request: Request) -> str:
    """What stands in `If-Match`. Raises `ProblemError`."""
    text = request.headers.get("if-match")
    if text is None:
        raise precondition_needed()
    return text.removeprefix("W/").strip('"')


def etag(version: int | str) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}


def not_possible(error: NotPossibleError) -> ProblemError:
    """An action that cannot be."""
    wrong = error.name.startswith(WRONG_INPUT)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.CONFLICT
    title = "This is not known here" if wrong else "This cannot be done as things stand"
    return ProblemError(status, error.name, title, str(error), [FieldError(field=error.field, reason=str(error))])


def changed_meanwhile(detail: str) -> ProblemError:
    """Somebody else was faster."""
    return ProblemError(HTTPStatus.PRECONDITION_FAILED, "changed-meanwhile", "Somebody else changed it", detail)


def precondition_needed() -> ProblemError:
    """A change that does not say what it is a change of."""
    detail = (
        "Name the version that you saw: `If-Match` with the last answer's ETag, or `If-None-Match: *` for a new one."
    )
    return ProblemError(HTTPStatus.PRECONDITION_REQUIRED, "if-match-needed", "Which version did you see?", detail)


def contradiction(error: RefusedChangeError) -> ProblemError:
    """A change after which the registry would not hold together."""
    errors = [FieldError(field=error.field, reason=error.reason)] if error.field else []
    return ProblemError(HTTPStatus.CONFLICT, "contradiction", "This contradicts the registry", str(error), errors)


def takes(example: Struct) -> dict[str, Any]:
    """The request body of an operation, as FastAPI's `openapi_extra`; the example is among `ANSWERS`."""
    name = type(example).__name__
    content = {"schema": {"$ref": SCHEMA.format(name=name)}, "examples": {"example": {"$ref": EXAMPLE + name}}}
    return {"requestBody": {"required": True, "content": {JSON: content}}}


def refusals(path: str) -> Responses:
    """What every operation here may be refused with."""
    return {
        **key_refusals(Scope.PROVISION, path),
        **refusal(invalid([FieldError(field="device", reason="Expected `str`")]), path),
        **refusal(unavailable("The registry cannot be reached at the moment; try again in a minute."), path),
    }


def change_refusals(path: str) -> Responses:
    """What every change may be refused with."""
    served = NotPossibleError(
        "served-already", "place", place="marche-1", device="0004a30b00ff0002", since="2026-11-01 08:00 UTC"
    )
    meanwhile = ChangedMeanwhileError("device", "0004a30b00ff0001", 1, 2)
    return {
        **refusals(path),
        **refusal(not_possible(served), path),
        **refusal(changed_meanwhile(str(meanwhile)), path),
        **refusal(precondition_needed(), path),
    }
