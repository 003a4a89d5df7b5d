"""Gateways: what they are called, how they do, how far they have come with what they are told. For technicians."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Request
from msgspec import Struct
from msgspec.structs import asdict
from starlette.responses import Response

from cloud_api import examples
from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.problems import not_found
from cloud_api.provisioning.carrying_out import Seen
from cloud_api.provisioning.gateways import Gateways
from cloud_api.provisioning.plan import Plan
from cloud_api.provisioning.standing import GatewayStanding, gateway_standing
from cloud_api.registry import Gateway, Position, Registry
from cloud_api.registry.places import Label
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
from edge.messages import LinkHealth, ModelInfo

PATH: Final = "/v1/gateways"
ONE: Final = "/v1/gateways/gw-halles"
GatewayPath = Annotated[
    str, Path(pattern="^[a-z0-9][a-z0-9-]{0,62}$", openapi_examples=parameter("gw-halles", "A gateway"))
]


class GatewaySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the town decides of a gateway."""

    label: Label
    managed: bool = True
    """Its devices are told to it from here; otherwise they are those of the configuration file it has."""
    position: Position | None = None


class GatewayView(Struct, frozen=True, kw_only=True):
    """One gateway."""

    name: str
    label: str
    managed: bool
    position: Position | None
    version: int
    """To be named by who changes it; so does the ETag."""
    devices: int
    """So many are its own."""
    standing: GatewayStanding
    software: str | None
    """The version that it runs; null when it never said."""
    clock: str | None
    """Whether its clock is trusted, or why not."""
    queued: int | None
    """Messages that it keeps until they are stored."""
    links: tuple[LinkHealth, ...]
    """How each of its links does."""


class GatewayList(Struct, frozen=True):
    """All gateways."""

    gateways: tuple[GatewayView, ...]


class ModelList(Struct, frozen=True):
    """Device models that a gateway can read."""

    software: str
    models: tuple[ModelInfo, ...]


EXAMPLE: Final = GatewayView(
    name="gw-halles",
    label="Les halles",
    managed=True,
    position=Position(lat=47.2137, lon=-1.5562),
    version=3,
    devices=12,
    standing=GatewayStanding(managed=True, online=True, at=examples.NOW, desired=41, reported=41),
    software="1.4.0",
    clock="trusted",
    queued=0,
    links=(LinkHealth(name="lora", kind="chirpstack", state="up", frames=1204),),
)
EXAMPLE_SETTINGS: Final = GatewaySettings(label="Les halles", position=Position(lat=47.2137, lon=-1.5562))
EXAMPLE_MODELS: Final = ModelList(
    "1.4.0",
    (
        ModelInfo(
            name="bosch-tps110",
            maker="Bosch",
            product="TPS110",
            kind="parking",
            links=("lorawan",),
            period_s=86_400,
            mounting="On the bay's surface, in its middle.",
        ),
    ),
)
ANSWERS: Final = (EXAMPLE, GatewayList((EXAMPLE,)), EXAMPLE_SETTINGS, EXAMPLE_MODELS, EXAMPLE_DONE)


def router(services: Services) -> APIRouter:
    """The routes `/v1/gateways`, `…/{gateway}` and `…/{gateway}/models`."""
    routes = provisioning_routes(PATH)
    unknown = refusal(not_found("gateway", "gw-hales"), ONE)

    @routes.get("", summary="All gateways", responses={**answer(ANSWERS[1], "By name"), **refusals(PATH)})
    async def list_gateways() -> Response:
        """Every gateway, how it does, and how far it has come with what it is told."""
        view = await in_thread(services.registry_store.view)
        found = GatewayList(tuple(_view(each, view, services.gateways) for each in _by_name(view.registry)))
        return Response(msgspec.json.encode(found), media_type=JSON)

    @routes.get(
        "/{gateway}", summary="A gateway", responses={**answer(EXAMPLE, "With its ETag"), **unknown, **refusals(ONE)}
    )
    async def find_gateway(gateway: GatewayPath) -> Response:
        """One gateway; its ETag is the version that a change names in `If-Match`."""
        view = await in_thread(services.registry_store.view)
        known = view.registry.gateways.get(gateway)
        if known is None:
            raise not_found("gateway", gateway)
        found = _view(known, view, services.gateways)
        return Response(msgspec.json.encode(found), headers=etag(found.version), media_type=JSON)

    @routes.put(
        "/{gateway}",
        summary="Add or change a gateway",
        responses={**answer(EXAMPLE_DONE, "What was done"), **change_refusals(ONE)},
        openapi_extra=takes(EXAMPLE_SETTINGS),
    )
    async def put_gateway(gateway: GatewayPath, request: Request, *, dry_run: DryRun = False) -> Response:
        """A new one with `If-None-Match: *`, another label or position with `If-Match`.

        A gateway that becomes managed is told its devices from here: those of its own file are no longer read.
        """
        settings = await body_of(request, GatewaySettings)
        seen = Seen("gateway", gateway, version_seen(request))
        entry = Gateway(name=gateway, **asdict(settings))
        told = "takes its devices from here" if entry.managed else "has its own file"
        words = f"gateway {gateway} ({entry.label}) {told}"
        return await do(services, request, lambda _town: Plan((entry,), words=(words,)), dry_run=dry_run, seen=seen)

    @routes.get(
        "/{gateway}/models",
        summary="What a gateway can read",
        responses={**answer(EXAMPLE_MODELS, "As its version says"), **unknown, **refusals(f"{ONE}/models")},
    )
    async def list_models(gateway: GatewayPath) -> Response:
        """Device models with their lines and options, as the gateway itself told; unknown until it was on line."""
        told = services.gateways.models.get(gateway)
        if told is None:
            raise not_found("gateway", gateway)
        return Response(msgspec.json.encode(ModelList(told.version, told.models)), media_type=JSON)

    return routes


def _by_name(town: Registry) -> list[Gateway]:
    return [town.gateways[name] for name in sorted(town.gateways)]


def _view(gateway: Gateway, view: View, known: Gateways) -> GatewayView:
    status = known.status.get(gateway.name)
    return GatewayView(
        name=gateway.name,
        label=gateway.label,
        managed=gateway.managed,
        position=gateway.position,
        version=view.version_of(gateway),
        devices=sum(each.gateway == gateway.name for each in view.registry.devices.values()),
        standing=gateway_standing(gateway, known),
        software=(status.version or None) if status else None,
        clock=status.clock if status else None,
        queued=status.queued if status else None,
        links=status.links if status else (),
    )
