"""Counters as open data: the three files of the Schéma comptage mobilités. Open as people counts are; read only."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from cloud_api import examples
from cloud_api.access import needs
from cloud_api.flows import hourly_flows_of
from cloud_api.formats import comptage
from cloud_api.formats.picture import town_of
from cloud_api.openapi import key_refusals, parameter, refusal, text_answer
from cloud_api.periods import Period
from cloud_api.problems import FieldError, invalid, unavailable
from cloud_api.registry import Counter, Installation, Registry
from cloud_api.routes.flows import NO_HISTORY, WRONG_PERIOD, period_of
from cloud_api.routes.parking import KEPT, UNCHANGED
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.shelf import Shelf

LONGEST: Final = timedelta(days=93)
"""A quarter: so much of every counter is told at once."""
AT_ONCE: Final = timedelta(days=7)
"""So much is read from the store, and held, at a time."""
EVER: Final = Period(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
PATH: Final = "/opendata/comptage/measure.csv"
SITES_EXAMPLE: Final = comptage.write_sites([examples.STREET]).decode()
CHANNELS_EXAMPLE: Final = comptage.write_channels(examples.TOWN, [(examples.STREET, [examples.SERVING])]).decode()
MEASURES_EXAMPLE: Final = comptage.write_measures([examples.HOURLY], head=True).decode()
ANSWERS: Final = ()


def router(services: Services) -> APIRouter:
    """The routes under `/opendata/comptage`."""
    routes = APIRouter(
        prefix="/opendata/comptage",
        tags=["other tongues"],
        default_response_class=Response,
        dependencies=[needs(Scope.READ_FLOWS)],
        responses={
            **key_refusals(Scope.READ_FLOWS, PATH),
        },
    )

    shelf, turn = Shelf(), asyncio.Lock()

    @routes.get(
        "/site.csv",
        summary="Comptage mobilités: sites",
        responses={**text_answer(comptage.MEDIA_TYPE, SITES_EXAMPLE, "A line for each counter"), **UNCHANGED},
    )
    async def sites() -> Response:
        """Where people are counted."""
        counters = services.registry.counters.values()
        return shelf.give("site", services.places.revision, comptage.MEDIA_TYPE, lambda: comptage.write_sites(counters))

    @routes.get(
        "/channel.csv",
        summary="Comptage mobilités: channels",
        responses={
            **text_answer(comptage.MEDIA_TYPE, CHANNELS_EXAMPLE, "A line for each direction of each counter"),
            **UNCHANGED,
        },
    )
    async def channels() -> Response:
        """What is counted in which direction, since when. A counter that nothing ever served has none."""
        registry = services.registry
        served = ((counter, _ever_serving(registry, counter)) for counter in registry.counters.values())
        town = town_of(services.settings)
        return shelf.give(
            "channel", services.places.revision, comptage.MEDIA_TYPE, lambda: comptage.write_channels(town, served)
        )

    @routes.get(
        "/measure.csv",
        summary="Comptage mobilités: measures",
        responses={
            **text_answer(comptage.MEDIA_TYPE, MEASURES_EXAMPLE, "A line for each hour of each direction"),
            **refusal(invalid([WRONG_PERIOD]), PATH),
            **refusal(unavailable(NO_HISTORY), PATH),
        },
    )
    async def measures(
        start: Annotated[
            str,
            Query(
                alias="from",
                max_length=40,
                description="A local date, or a time with its offset.",
                openapi_examples=parameter("2026-10-01", "Local midnight"),
            ),
        ],
        end: Annotated[
            str,
            Query(
                alias="to",
                max_length=40,
                description=f"The end, not included, at most {LONGEST.days} days later.",
                openapi_examples=parameter("2027-01-01", "The midnight that ends the quarter"),
            ),
        ],
    ) -> StreamingResponse:
        """Every hour of every counter, hour by hour. 0 is nobody; empty is unknown. Ends short only with an error."""
        period = period_of(start, end, services)
        if period.end - period.start > LONGEST:
            raise invalid([FieldError(field="to", reason=f"at most {LONGEST.days} days after `from` expected")])
        pieces = _measures(services, period, turn)
        first = await anext(pieces)
        return StreamingResponse(_joined(first, pieces), media_type=comptage.MEDIA_TYPE, headers=KEPT)

    return routes


def _ever_serving(registry: Registry, counter: Counter) -> Sequence[Installation]:
    return registry.installations_of(counter.id, EVER.start, EVER.end)


async def _measures(services: Services, period: Period, turn: asyncio.Lock) -> AsyncGenerator[bytes, None]:
    """The file in pieces, one being made at a time whoever asks: they are work. Raises `StoreError`."""
    registry = services.registry
    for piece in _pieces(period):
        async with turn:
            lines = await asyncio.to_thread(_lines, services, registry, piece, head=piece.start == period.start)
        yield lines


def _lines(services: Services, registry: Registry, piece: Period, *, head: bool) -> bytes:
    counters = list(registry.counters.values())
    flows = hourly_flows_of(registry, services.store, counters, piece, services.settings.time_zone)
    return comptage.write_measures(flows, head=head)


async def _joined(first: bytes, others: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(others):
        yield first
        async for each in others:
            yield each


def _pieces(period: Period) -> Iterator[Period]:
    start = period.start
    while start < period.end:
        end = min(start + AT_ONCE, period.end)
        yield Period(start, end)
        start = end
