"""Flows: the counters of a town, and the hours of one of them. Read only."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from msgspec import Struct, structs
from starlette.responses import Response

from cloud_api import examples
from cloud_api.access import key_needed, needs, scope_missing
from cloud_api.counters import CounterView, counter_views
from cloud_api.feed import TTL_S, VERSION
from cloud_api.flows import hourly_flows
from cloud_api.flows_now import UNKNOWN, LastHour
from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.periods import LONGEST, Period, PeriodError, parse_period
from cloud_api.problems import FieldError, invalid, not_found, unavailable
from cloud_api.scopes import Scope
from cloud_api.services import Services


class CountersAnswer(Struct, frozen=True):
    """The counters of a town."""

    counters: tuple[CounterView, ...]


class CounterNow(CounterView, frozen=True, kw_only=True):
    """One counter now, and what it counted in the last hour."""

    last_hour: LastHour


class CountersNow(Struct, frozen=True):
    """The counters of a town now."""

    counters: tuple[CounterNow, ...]


class FlowsNowAnswer(Struct, frozen=True, kw_only=True):
    """All counters in the envelope of the parking answers."""

    last_updated: datetime
    """As of when the figures are, UTC."""
    ttl: int
    """How long this answer may be kept, in seconds."""
    version: str
    data: CountersNow


def counter_now(view: CounterView, last_hour: LastHour) -> CounterNow:
    """A counter with its last hour."""
    return CounterNow(**structs.asdict(view), last_hour=last_hour)


COUNTERS_EXAMPLE = CountersAnswer((examples.COUNTER,))
NOW_EXAMPLE = FlowsNowAnswer(
    last_updated=examples.NOW,
    ttl=TTL_S,
    version=VERSION,
    data=CountersNow((counter_now(examples.COUNTER, examples.LAST_HOUR),)),
)
ANSWERS = (COUNTERS_EXAMPLE, NOW_EXAMPLE, examples.HOURLY)
NO_HISTORY = "The history cannot be read at the moment; try again in a minute."
PATH = "/v1/flows/hourly"
WRONG_PERIOD = FieldError(field="to", reason="a time after `from` expected")


def router(services: Services) -> APIRouter:
    """The routes under `/v1/flows`."""
    routes = APIRouter(
        prefix="/v1/flows",
        tags=["flows"],
        default_response_class=Response,
        dependencies=[needs(Scope.READ_FLOWS)],
        responses={
            **refusal(key_needed(Scope.READ_FLOWS), PATH),
            **refusal(scope_missing(Scope.READ_FLOWS), PATH),
        },
    )

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
        "/now",
        summary="The last hour of all counters",
        responses={
            **answer(NOW_EXAMPLE, "All counters, and their last hour against what is usual"),
            **refusal(unavailable(NO_HISTORY), "/v1/flows/now"),
        },
    )
    async def flows_now() -> Response:
        """What each counter counted in the last hour it has told of, against the same hour of past days of its kind.

        The same weekday, a public holiday being a Sunday; at most the last eight of them. As usual is what lies between
        the quietest tenth and the busiest tenth of them.
        """
        try:
            hours = await services.flows.hours()
        except TimeoutError as error:
            raise unavailable(NO_HISTORY) from error
        now = services.clock()
        views = counter_views(services.live, services.registry, now)
        counters = CountersNow(tuple(counter_now(view, hours.get(view.id, UNKNOWN)) for view in views))
        body = FlowsNowAnswer(last_updated=now, ttl=TTL_S, version=VERSION, data=counters)
        return Response(msgspec.json.encode(body), media_type=JSON)

    @routes.get(
        "/hourly",
        summary="A counter hour by hour",
        responses={
            **answer(examples.HOURLY, "Every local hour of the period, and their sum"),
            **refusal(not_found("counter", "rue-haut"), PATH),
            **refusal(invalid([WRONG_PERIOD]), PATH),
            **refusal(unavailable(NO_HISTORY), PATH),
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
        flows = hourly_flows(registry, services.store, place, period_of(start, end, services), zone)
        return Response(msgspec.json.encode(flows), media_type=JSON)

    return routes


def period_of(start: str, end: str, services: Services) -> Period:
    """The hours that a caller asks for. Raises `ProblemError`."""
    try:
        return parse_period(start, end, services.settings.time_zone)
    except PeriodError as error:
        raise invalid([FieldError(field=error.field, reason=error.reason)]) from error
