"""Parking now: zones, one zone with its spaces, and the stream of what changes. Public, read only."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse
from msgspec import Struct
from starlette.responses import Response

from cloud_api import examples
from cloud_api.feed import MOST_LISTENERS, TTL_S, VERSION
from cloud_api.openapi import JSON, answer, parameter, refusal, text_answer
from cloud_api.problems import FieldError, invalid, not_found, unavailable
from cloud_api.services import Services
from cloud_api.zones import ZoneDetail, zone_detail

EVENT_STREAM = "text/event-stream"
NOT_KEPT = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""A stream is neither cached nor gathered by what stands between."""
KEPT = {"cache-control": f"public, max-age={TTL_S}"}


class ZoneAnswer(Struct, frozen=True, kw_only=True):
    """One zone in the same envelope as all of them."""

    last_updated: datetime
    """As of when the figures are, UTC."""
    ttl: int
    """How long this answer may be kept, in seconds."""
    version: str
    data: ZoneDetail


ZONE_EXAMPLE = ZoneAnswer(last_updated=examples.NOW, ttl=TTL_S, version=VERSION, data=examples.ZONE_DETAIL)
ANSWERS = (examples.ZONES, ZONE_EXAMPLE)
STREAM_EXAMPLE = (
    f"id: 9f3a6b01-41\nevent: snapshot\ndata: {msgspec.json.encode(examples.ZONES).decode()}\n\n"
    f"id: 9f3a6b01-42\nevent: zone\ndata: {msgspec.json.encode(examples.ZONE).decode()}\n\n"
    ": still here\n\n"
)


def router(services: Services) -> APIRouter:
    """The routes under `/v1/parking`."""
    routes = APIRouter(prefix="/v1/parking", tags=["parking"], default_response_class=Response)

    @routes.get("/zones", summary="All zones now", responses=answer(examples.ZONES, "All zones, as of now"))
    async def zones() -> Response:
        """How many spaces are free, how many nobody knows, and how old the news is. What is not known is null."""
        return Response(services.feed.body(), media_type=JSON, headers=KEPT)

    @routes.get(
        "/zones/{id}",
        summary="One zone now, with its spaces",
        responses={
            **answer(ZONE_EXAMPLE, "The zone and its spaces, as of now"),
            **refusal(not_found("zone", "place-du-marcher"), "/v1/parking/zones/place-du-marcher"),
            **refusal(
                invalid([FieldError(field="id", reason="at most 63 characters expected")]), "/v1/parking/zones/…"
            ),
        },
    )
    async def zone(
        zone_id: Annotated[
            str, Path(alias="id", max_length=63, openapi_examples=parameter("place-du-marche", "The market square"))
        ],
    ) -> Response:
        """One zone and each of its spaces, with the trust in its sensor."""
        place = services.registry.zones.get(zone_id)
        if place is None:
            raise not_found("zone", zone_id)
        now = services.clock()
        detail = zone_detail(services.live, services.registry, place, now)
        body = ZoneAnswer(last_updated=now, ttl=TTL_S, version=VERSION, data=detail)
        return Response(msgspec.json.encode(body), media_type=JSON, headers=KEPT)

    @routes.get(
        "/stream",
        summary="Zones as they change",
        responses={
            **text_answer(EVENT_STREAM, STREAM_EXAMPLE, "Server-sent events, for as long as the caller stays"),
            **refusal(unavailable("Too many listen already; ask /v1/parking/zones instead."), "/v1/parking/stream"),
        },
    )
    async def stream() -> StreamingResponse:
        """One `snapshot` event (as `/v1/parking/zones`), then a `zone` event for each zone that looks different.

        A caller that comes back (`Last-Event-ID`) or falls behind gets a fresh snapshot. A comment comes every 15 s
        when nothing else does.
        """
        if services.feed.listeners >= MOST_LISTENERS:
            raise unavailable("Too many listen already; ask /v1/parking/zones instead.")
        return StreamingResponse(_events(services), media_type=EVENT_STREAM, headers=NOT_KEPT)

    return routes


async def _events(services: Services) -> AsyncIterator[bytes]:
    with services.feed.listen() as listener:
        async for event in listener.events():
            yield event
