"""NGSI-LD: zones, spaces and counters as entities of FIWARE's models. Read only; public but for people counts."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cloud_api import examples
from cloud_api.access import demand
from cloud_api.flows import hourly_flows_of
from cloud_api.formats import ngsi_ld
from cloud_api.formats.ngsi_ld import Entity, EntityType
from cloud_api.formats.picture import town_of
from cloud_api.openapi import document_answer, key_refusals, parameter, refusal
from cloud_api.periods import Period
from cloud_api.problems import FieldError, invalid, unavailable
from cloud_api.registry import Counter, Registry, Space, Zone
from cloud_api.registry.places import ZoneKind
from cloud_api.routes.flows import NO_HISTORY
from cloud_api.routes.parking import UNCHANGED
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.shelf import Shelf, prepare
from cloud_api.zones import space_views

PATH: Final = "/ngsi-ld/v1/entities"
MOST: Final = 1000
FURTHEST: Final = 1_000_000
COUNT_HEADER: Final = "NGSILD-Results-Count"
KINDS: Final = {EntityType.OFF_STREET: ZoneKind.OFF_STREET, EntityType.ON_STREET: ZoneKind.ON_STREET}
HOUR: Final = timedelta(hours=1)
EXAMPLE: Final = msgspec.to_builtins([ngsi_ld.parking(examples.TOWN, examples.PICTURE.zones[0])])
ANSWERS: Final = ()


def router(services: Services) -> APIRouter:
    """The route `/ngsi-ld/v1/entities`."""
    routes = APIRouter(tags=["other tongues"], default_response_class=Response)
    shelf = Shelf()

    @routes.get(
        PATH,
        summary="NGSI-LD entities",
        responses={
            **document_answer(ngsi_ld.MEDIA_TYPE, EXAMPLE, f"A page of entities; `{COUNT_HEADER}` counts all"),
            **UNCHANGED,
            **refusal(invalid([FieldError(field="type", reason="'OffStreetParking' or another expected")]), PATH),
            **key_refusals(Scope.READ_FLOWS, PATH),
            **refusal(unavailable(NO_HISTORY), PATH),
        },
    )
    async def entities(
        request: Request,
        type_: Annotated[
            EntityType,
            Query(alias="type", description="Which entities.", openapi_examples=parameter("OnStreetParking", "Bays")),
        ],
        limit: Annotated[
            int, Query(ge=1, le=MOST, description="At most so many.", openapi_examples=parameter("100", "A page"))
        ] = 100,
        offset: Annotated[
            int, Query(ge=0, le=FURTHEST, description="After so many.", openapi_examples=parameter("0", "The first"))
        ] = 0,
        options: Annotated[
            Literal["normalized", "keyValues"],
            Query(description="`keyValues` for bare values.", openapi_examples=parameter("normalized", "In full")),
        ] = "normalized",
    ) -> Response:
        """Zones, spaces with a position, or counters in their last whole hour. What is not known is left out.

        `availableSpotNumber` includes reserved spaces, as the models say.
        """
        if type_ is EntityType.CROWD:
            demand(request, Scope.READ_FLOWS)
        name, edition = (type_, limit, offset, options), services.feed.edition
        ready = shelf.find(name, edition)
        if ready is None:
            count, found = await _found(services, type_, slice(offset, offset + limit))
            told = found if options == "normalized" else [ngsi_ld.simplified(each) for each in found]
            prepared = prepare(ngsi_ld.write(told), ngsi_ld.MEDIA_TYPE, **{COUNT_HEADER: str(count)})
            ready = shelf.put(name, edition, prepared)
        return ready

    return routes


async def _found(services: Services, type_: EntityType, page: slice) -> tuple[int, list[Entity]]:
    """How many there are in all, and those of the page."""
    if type_ is EntityType.SPOT:
        return _spots(services, page)
    if type_ is EntityType.CROWD:
        return await _crowds(services, page)
    picture = services.picture()
    zones = [each for each in picture.zones if each.place.kind is KINDS[type_]]
    return len(zones), [ngsi_ld.parking(picture.town, each) for each in zones[page]]


def _spots(services: Services, page: slice) -> tuple[int, list[Entity]]:
    registry, town, now = services.registry, town_of(services.settings), services.clock()
    placed = [space for space in registry.spaces if space.position is not None]
    wanted = placed[page]
    views = {
        view.id: view
        for zone in _zones_of(registry, wanted)
        for view in space_views(services.live, registry, zone, now)
    }
    spots = (ngsi_ld.spot(town, registry.zones[space.zone], views[space.id]) for space in wanted)
    return len(placed), [each for each in spots if each is not None]


def _zones_of(registry: Registry, spaces: Sequence[Space]) -> list[Zone]:
    names = {space.zone for space in spaces}
    return [zone for zone in registry.zones.values() if zone.id in names]


async def _crowds(services: Services, page: slice) -> tuple[int, list[Entity]]:
    registry, now = services.registry, services.clock()
    counters = [each for each in registry.counters.values() if ngsi_ld.is_crowd(registry.serving(each.id, now))]
    end = now.replace(minute=0, second=0, microsecond=0)
    told = await asyncio.to_thread(_crowds_of, services, registry, counters[page], Period(end - HOUR, end))
    return len(counters), told


def _crowds_of(services: Services, registry: Registry, counters: Sequence[Counter], hour: Period) -> list[Entity]:
    flows = hourly_flows_of(registry, services.store, counters, hour, services.settings.time_zone)
    town = town_of(services.settings)
    return [ngsi_ld.crowd(town, counter, of_it) for counter, of_it in zip(counters, flows, strict=True)]
