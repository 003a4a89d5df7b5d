"""Installations: which device and channel serves which place, since when, which way round. For technicians."""

from functools import partial
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from msgspec import Struct, field
from msgspec.structs import replace
from starlette.responses import Response

from cloud_api import examples
from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.problems import not_found
from cloud_api.provisioning.carrying_out import Seen
from cloud_api.provisioning.installing import clock, install
from cloud_api.provisioning.plan import Plan
from cloud_api.registry import Installation, Registry
from cloud_api.registry.kinds import key_of
from cloud_api.registry.places import PlaceId
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
from edge.messages import Name, Utc

PATH: Final = "/v1/installations"
KEY: Final = "0004a30b00ff0003/line1/pedestrian/2026-11-27T12:00Z"
ONE: Final = f"{PATH}/{KEY}"


class NewInstallation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to serve a place."""

    device: Name
    channel: Name
    place: PlaceId
    mode: str = ""
    reversed: bool = False
    """The device's first direction is the street's `out`."""
    at: Utc | None = None
    """Since when; null for now."""


class InstallationChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different of an installation, for as long as it lasts; null leaves it as it is."""

    reversed: bool | None = None
    factor: float | None = None
    """True passages per counted one, from a manual count."""
    end: Utc | None = field(name="to", default=None)


class InstallationView(Struct, frozen=True, kw_only=True):
    """One installation."""

    id: str
    """Device, channel, mode and beginning."""
    version: int
    installation: Installation


class InstallationList(Struct, frozen=True):
    """Installations, the newest first."""

    installations: tuple[InstallationView, ...]


EXAMPLE: Final = InstallationView(
    id=KEY,
    version=1,
    installation=Installation(
        place="rue-haute",
        device="0004a30b00ff0003",
        channel="line1",
        mode="pedestrian",
        start=examples.NOW.replace(minute=0, second=0, microsecond=0),
        reversed=True,
    ),
)
EXAMPLE_NEW: Final = NewInstallation(
    device="0004a30b00ff0003", channel="line1", mode="pedestrian", place="rue-haute", reversed=True
)
EXAMPLE_CHANGE: Final = InstallationChange(reversed=False)
ANSWERS: Final = (EXAMPLE, InstallationList((EXAMPLE,)), EXAMPLE_NEW, EXAMPLE_CHANGE)
InstallationPath = Annotated[str, Path(max_length=400, openapi_examples=parameter(KEY, "An installation"))]


def router(services: Services) -> APIRouter:
    """The routes `/v1/installations` and `…/{installation}`."""
    routes = provisioning_routes(PATH)
    unknown = refusal(not_found("installation", KEY), ONE)

    @routes.get("", summary="Installations", responses={**answer(ANSWERS[1], "The newest first"), **refusals(PATH)})
    async def list_installations(
        place: Annotated[
            str | None,
            Query(max_length=63, description="Of this place.", openapi_examples=parameter("rue-haute", "A counter")),
        ] = None,
        device: Annotated[
            str | None,
            Query(
                max_length=128,
                description="Of this device.",
                openapi_examples=parameter("0004a30b00ff0003", "A counter's sensor"),
            ),
        ] = None,
    ) -> Response:
        """Every installation, past ones too."""
        view = await in_thread(services.registry_store.view)
        wanted = (
            each
            for each in view.registry.installations
            if place in {None, each.place} and device in {None, each.device}
        )
        newest = sorted(wanted, key=lambda each: each.start, reverse=True)
        found = InstallationList(tuple(installation_view(each, view) for each in newest))
        return Response(msgspec.json.encode(found), media_type=JSON)

    @routes.post(
        "",
        summary="Install a device",
        responses={**answer(EXAMPLE_DONE, "What was done"), **change_refusals(PATH)},
        openapi_extra=takes(EXAMPLE_NEW),
    )
    async def add_installation(request: Request, *, dry_run: DryRun = False) -> Response:
        """Let a channel of an adopted device serve a place. What is so already is no mistake: nothing changes.

        A space is served from the minute on, a counter from the last full hour on.
        """
        new = await body_of(request, NewInstallation)
        action = partial(
            install,
            device=new.device,
            channel=new.channel,
            mode=new.mode,
            place=new.place,
            reversed_=new.reversed,
            at=new.at or services.clock(),
        )
        return await do(services, request, action, dry_run=dry_run)

    @routes.get(
        "/{installation:path}",
        summary="An installation",
        responses={**answer(EXAMPLE, "With its ETag"), **unknown, **refusals(ONE)},
    )
    async def find_installation(installation: InstallationPath) -> Response:
        """One installation; its ETag is the version that a change names in `If-Match`."""
        view = await in_thread(services.registry_store.view)
        found = installation_view(_known(view.registry, installation), view)
        return Response(msgspec.json.encode(found), headers=etag(found.version), media_type=JSON)

    @routes.patch(
        "/{installation:path}",
        summary="Turn round, calibrate or end an installation",
        responses={**answer(EXAMPLE_DONE, "What was done"), **unknown, **change_refusals(ONE)},
        openapi_extra=takes(EXAMPLE_CHANGE),
    )
    async def change_installation(
        installation: InstallationPath, request: Request, *, dry_run: DryRun = False
    ) -> Response:
        """Direction and factor change for as long as it lasts, its past included: measurements are never touched."""
        change = await body_of(request, InstallationChange)
        seen = Seen("installation", installation, version_seen(request))
        action = partial(_changed, installation=installation, change=change)
        return await do(services, request, action, dry_run=dry_run, seen=seen)

    return routes


def installation_view(each: Installation, view: View) -> InstallationView:
    """An installation with its name and version."""
    return InstallationView(id=key_of(each), version=view.version_of(each), installation=each)


def _known(town: Registry, key: str) -> Installation:
    for each in town.installations:
        if key_of(each) == key:
            return each
    raise not_found("installation", key)


def _changed(town: Registry, *, installation: str, change: InstallationChange) -> Plan:
    known = _known(town, installation)
    after = replace(
        known,
        reversed=known.reversed if change.reversed is None else change.reversed,
        factor=known.factor if change.factor is None else change.factor,
        end=change.end or known.end,
    )
    until = "" if after.end is None else f" to {clock(after.end)}"
    way = "the other way round" if after.reversed else "the way it says"
    words = f"{known.device} {known.channel} serves {known.place} from {clock(known.start)}{until}, {way}"
    return Plan((after,), words=(f"{words}, {after.factor:g} passages for each counted",))
