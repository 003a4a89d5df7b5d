"""Closures of bays and whole zones: planned, in force, over. For technicians."""

from datetime import datetime
from functools import partial
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from msgspec import Meta, Struct, field
from starlette.responses import Response

from cloud_api import examples
from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.problems import not_found
from cloud_api.provisioning.carrying_out import Seen
from cloud_api.provisioning.closing import close_places, end_closure
from cloud_api.provisioning.plan import Plan
from cloud_api.registry import Closure, Registry
from cloud_api.registry.places import Label, PlaceId
from cloud_api.registry.views import View
from cloud_api.routes.changing import (
    EXAMPLE_DONE,
    DryRun,
    body_of,
    change_refusals,
    do,
    etag,
    in_thread,
    refusals,
    takes,
    version_seen,
)
from cloud_api.routes.provisioning import provisioning_routes
from cloud_api.services import Services
from edge.messages import Utc

PATH: Final = "/v1/closures"
KEY: Final = "marche-1.20261127T0800Z"
ONE: Final = f"{PATH}/{KEY}"


class NewClosures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be closed, and why."""

    places: Annotated[tuple[PlaceId, ...], Meta(min_length=1, max_length=1000)]
    """Zones and spaces."""
    reason: Label
    """For the public, in the town's words (`travaux de voirie`)."""
    start: Utc | None = field(name="from", default=None)
    """Null for now."""
    end: Utc | None = field(name="to", default=None)
    """First instant at which it is over; null until further notice."""


class ClosureChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a closure is over."""

    end: Utc | None = field(name="to")
    """Before it begins: it is called off. Null until further notice."""


class ClosureView(Struct, frozen=True, kw_only=True):
    """One closure."""

    version: int
    in_force: bool
    """Now."""
    closure: Closure


class ClosureList(Struct, frozen=True):
    """Closures, the first to begin at the front."""

    closures: tuple[ClosureView, ...]


EXAMPLE: Final = ClosureView(
    version=1,
    in_force=True,
    closure=Closure(id=KEY, place="marche-1", start=examples.NOW, reason="travaux de voirie"),
)
EXAMPLE_NEW: Final = NewClosures(places=("marche-1", "marche-2"), reason="travaux de voirie")
EXAMPLE_CHANGE: Final = ClosureChange(end=examples.NOW)
ANSWERS: Final = (EXAMPLE, ClosureList((EXAMPLE,)), EXAMPLE_NEW, EXAMPLE_CHANGE)
ClosurePath = Annotated[str, Path(max_length=127, openapi_examples=parameter(KEY, "A closure"))]


def router(services: Services) -> APIRouter:
    """The routes `/v1/closures` and `…/{closure}`."""
    routes = provisioning_routes(PATH)
    unknown = refusal(not_found("closure", KEY), ONE)

    @routes.get(
        "", summary="Closures", responses={**answer(ANSWERS[1], "The first to begin at the front"), **refusals(PATH)}
    )
    async def list_closures(
        past: Annotated[
            bool, Query(description="Those that are over too.", openapi_examples=parameter(True, "All"))
        ] = False,
    ) -> Response:
        """Closures in force and planned."""
        view, now = await in_thread(services.registry_store.view), services.clock()
        wanted = (each for each in view.registry.closures if past or each.end is None or each.end > now)
        in_order = sorted(wanted, key=lambda each: (each.start, each.id))
        found = ClosureList(tuple(_view(each, view, now) for each in in_order))
        return Response(msgspec.json.encode(found), media_type=JSON)

    @routes.post(
        "",
        summary="Close places",
        responses={**answer(EXAMPLE_DONE, "What was done"), **change_refusals(PATH)},
        openapi_extra=takes(EXAMPLE_NEW),
    )
    async def add_closures(request: Request, *, dry_run: DryRun = False) -> Response:
        """Close zones or spaces for a time: all of them or none. Saying it again within the minute changes nothing."""
        new = await body_of(request, NewClosures)
        start = new.start or services.clock()
        action = partial(close_places, places=new.places, reason=new.reason, start=start, end=new.end)
        return await do(services, request, action, dry_run=dry_run)

    @routes.get(
        "/{closure}", summary="A closure", responses={**answer(EXAMPLE, "With its ETag"), **unknown, **refusals(ONE)}
    )
    async def find_closure(closure: ClosurePath) -> Response:
        """One closure; its ETag is the version that a change names in `If-Match`."""
        view = await in_thread(services.registry_store.view)
        found = _view(_known(view.registry, closure), view, services.clock())
        return Response(msgspec.json.encode(found), headers=etag(found.version), media_type=JSON)

    @routes.patch(
        "/{closure}",
        summary="End or prolong a closure",
        responses={**answer(EXAMPLE_DONE, "What was done"), **unknown, **change_refusals(ONE)},
        openapi_extra=takes(EXAMPLE_CHANGE),
    )
    async def change_closure(closure: ClosurePath, request: Request, *, dry_run: DryRun = False) -> Response:
        """A closure is ended, never deleted: what was closed when stays known."""
        change = await body_of(request, ClosureChange)
        seen = Seen("closure", closure, version_seen(request))

        def ended(town: Registry) -> Plan:
            return end_closure(_known(town, closure), change.end)

        return await do(services, request, ended, dry_run=dry_run, seen=seen)

    return routes


def _view(each: Closure, view: View, now: datetime) -> ClosureView:
    return ClosureView(version=view.version_of(each), in_force=each.in_force_at(now), closure=each)


def _known(town: Registry, key: str) -> Closure:
    for each in town.closures:
        if each.id == key:
            return each
    raise not_found("closure", key)
