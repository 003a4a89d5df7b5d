"""Flows: the counters of a town, and the hours of one of them. Read only."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.responses import Response

from cloud_api import examples
from cloud_api.counters import CounterView, counter_views
from cloud_api.flows import hourly_flows
from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.periods import LONGEST, Period, PeriodError, parse_period
from cloud_api.problems import FieldError, invalid, not_found, unavailable
from cloud_api.services import Services


class CountersAnswer(Struct, frozen=True):
    """The counters of a town."""

    counters: tuple[CounterView, ...]


COUNTERS_EXAMPLE = CountersAnswer((examples.COUNTER,))
ANSWERS = (COUNTERS_EXAMPLE, examples.HOURLY)
PATH = "/v1/flows/hourly"
WRONG_PERIOD = FieldError(field="to", reason="a time after `from` expected")


def router(services: Services) -> APIRouter:
    """The routes under `/v1/flows`."""
    routes = APIRouter(prefix="/v1/flows", tags=["flows"], default_response_class=Response)

    @routes.get(
        "/counters",
        summary="All counters",
        responses=answer(COUNTERS_EXAMPLE, "All counters, and whether they can be believed now"),
    )
    async def counters() -> Response:
        """Where people are counted, which way is which, and whether each counter can be believed now."""
        views = counter_views(services.live, services.registry, services.clock())
        return Response(msgspec.json.encode(CountersAnswer(tuple(views))), media_type=JSON)

    @routes.get(
        "/hourly",
        summary="A counter hour by hour",
        responses={
            **answer(examples.HOURLY, "Every local hour of the period, and their sum"),
            **refusal(not_found("counter", "rue-haut"), PATH),
            **refusal(invalid([WRONG_PERIOD]), PATH),
            **refusal(unavailable("The history cannot be read at the moment; try again in a minute."), PATH),
        },
    )
    def hourly(
        counter: Annotated[
            str,
            Query(max_length=63, description="A counter's id.", openapi_examples=parameter("rue-haute", "A street")),
        ],
        start: Annotated[
            str,
            Query(
                alias="from",
                max_length=40,
                description="A local date, or a time with its offset (RFC 3339; in a URL its `+` is written `%2B`).",
                openapi_examples=parameter("2026-11-21", "Local midnight"),
            ),
        ],
        end: Annotated[
            str,
            Query(
                alias="to",
                max_length=40,
                description=f"The end, not included, at most {LONGEST.days} days later; one day ends on the next.",
                openapi_examples=parameter("2026-11-22", "The midnight that ends the day"),
            ),
        ],
    ) -> Response:
        """Every local hour, labelled with its offset: a day has 23, 24 or 25. What nobody measured is null, never 0."""
        registry = services.registry
        place = registry.counters.get(counter)
        if place is None:
            raise not_found("counter", counter)
        zone = services.settings.time_zone
        flows = hourly_flows(registry, services.store, place, _period(start, end, services), zone)
        return Response(msgspec.json.encode(flows), media_type=JSON)

    return routes


def _period(start: str, end: str, services: Services) -> Period:
    try:
        return parse_period(start, end, services.settings.time_zone)
    except PeriodError as error:
        raise invalid([FieldError(field=error.field, reason=error.reason)]) from error
