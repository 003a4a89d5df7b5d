"""Parking now: zones, one zone with its spaces, and the stream of what changes. Public, read only."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from cloud_api import examples
from cloud_api.envelope import Envelope
from cloud_api.feed import CACHE_CONTROL, TTL_S
from cloud_api.openapi import JSON, Responses, answer, parameter, refusal, text_answer
from cloud_api.problems import FieldError, invalid, not_found
from cloud_api.routes.event_stream import EVENT_STREAM, LAST_EVENT_PARAMETER, full, named_parameter, unknown
from cloud_api.services import Services
from cloud_api.shelf import Shelf
from cloud_api.zones import ZoneDetail

KEPT = {"cache-control": CACHE_CONTROL}


class ZoneAnswer(Envelope, frozen=True, kw_only=True):
    """One zone in the same envelope as all of them."""

    data: ZoneDetail


ZONE_EXAMPLE = ZoneAnswer(last_updated=examples.NOW, ttl=TTL_S, data=examples.ZONE_DETAIL)
ANSWERS = (examples.ZONES, ZONE_EXAMPLE)
UNCHANGED: Responses = {304: {"description": "The caller has it already (`If-None-Match`)", "content": {}}}
STREAM_EXAMPLE = (
    f"id: 9f3a6b01-41\nevent: snapshot\ndata: {msgspec.json.encode(examples.ZONES).decode()}\n\n"
    f"id: 9f3a6b01-42\nevent: zone\ndata: {msgspec.json.encode(examples.ZONE).decode()}\n\n"
    ": still here\n\n"
)


def router(services: Services) -> APIRouter:
    """The routes under `/v1/parking`."""
    routes = APIRouter(prefix="/v1/parking", tags=["parking"], default_response_class=Response)
    shelf = Shelf()

    @routes.get(
        "/zones",
        summary="All zones now",
        responses={**answer(examples.ZONES, "All zones, as of now"), **UNCHANGED},
    )
    async def zones() -> None:
        """How many spaces are free for whom, how many nobody knows, and how old the news is. What is not known is null.

        A zone's own figures are those of all its spaces for cars, whoever may use them; a driver without a badge or a
        plug to charge reads `public` among its `audiences`. Compressed where the caller reads gzip or brotli.
        """

    @routes.get(
        "/zones/{id}",
        summary="One zone now, with its spaces",
        responses={
            **answer(ZONE_EXAMPLE, "The zone and its spaces, as of now"),
            **UNCHANGED,
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
        detail = services.feed.details().get(zone_id)
        if detail is None:
            raise not_found("zone", zone_id)
        body = ZoneAnswer(last_updated=services.feed.stamped_at, ttl=TTL_S, data=detail)
        return shelf.give(zone_id, services.feed.edition, JSON, lambda: msgspec.json.encode(body))

    @routes.get(
        "/stream",
        summary="Zones as they change",
        responses={
            **text_answer(EVENT_STREAM, STREAM_EXAMPLE, "Server-sent events, for as long as the caller stays"),
            **refusal(unknown("zones", "place-du-marcher"), "/v1/parking/stream"),
            **refusal(full("/v1/parking/zones"), "/v1/parking/stream"),
        },
        openapi_extra={"parameters": [named_parameter("zones", "place-du-marche,gare"), LAST_EVENT_PARAMETER]},
    )
    async def stream() -> None:
        """One `snapshot` event (as `/v1/parking/zones`), then a `zone` event for each zone that looks different.

        A caller that comes back with its `Last-Event-ID` gets what it missed, of each zone the newest; where that is
        too long ago, a fresh snapshot. A caller that falls behind gets the newest of each zone. A comment comes every
        15 s when nothing else does.
        """

    return routes
