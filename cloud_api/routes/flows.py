"""Flows: the counters of a town, and the hours of one of them. Read only."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from msgspec import Struct
from starlette.responses import Response

from cloud_api import examples
from cloud_api.access import needs
from cloud_api.counters import CounterView, counter_views
from cloud_api.flow_watch import TTL_S, CountersNow, FlowsNowAnswer, counter_now
from cloud_api.flows import hourly_flows
from cloud_api.openapi import JSON, answer, key_refusals, parameter, refusal, text_answer
from cloud_api.periods import LONGEST, Period, PeriodError, parse_period
from cloud_api.problems import FieldError, invalid, not_found, unavailable
from cloud_api.routes.event_stream import EVENT_STREAM, LAST_EVENT_PARAMETER, full, named_parameter, unknown
from cloud_api.scopes import Scope
from cloud_api.services import Services


class CountersAnswer(Struct, frozen=True):
    """The counters of a town."""

    counters: tuple[CounterView, ...]


COUNTERS_EXAMPLE = CountersAnswer((examples.COUNTER,))
NOW_EXAMPLE = FlowsNowAnswer(
    last_updated=examples.NOW,
    ttl=TTL_S,
    data=CountersNow((counter_now(examples.COUNTER, examples.LAST_HOUR),)),
)
ANSWERS = (COUNTERS_EXAMPLE, NOW_EXAMPLE, examples.HOURLY)
STREAM_EXAMPLE = (
    f"id: 5d0c11aa-7\nevent: snapshot\ndata: {msgspec.json.encode(NOW_EXAMPLE).decode()}\n\n"
    f"id: 5d0c11aa-8\nevent: counter\ndata: {msgspec.json.encode(NOW_EXAMPLE.data.counters[0]).decode()}\n\n"
    ": still here\n\n"
)
KEPT = {"cache-control": f"max-age={TTL_S}"}
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
            **key_refusals(Scope.READ_FLOWS, PATH),
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
            told = await services.flows.answer()
        except TimeoutError as error:
            raise unavailable(NO_HISTORY) from error
        return Response(msgspec.json.encode(told), media_type=JSON, headers=KEPT)

    @routes.get(
        "/stream",
        summary="Counters as they change",
        responses={
            **text_answer(EVENT_STREAM, STREAM_EXAMPLE, "Server-sent events, for as long as the caller stays"),
            **refusal(unknown("counters", "rue-haut"), "/v1/flows/stream"),
            **refusal(full("/v1/flows/now"), "/v1/flows/stream"),
        },
        openapi_extra={"parameters": [named_parameter("counters", "rue-haute,venelle"), LAST_EVENT_PARAMETER]},
    )
    async def stream() -> None:
        """One `snapshot` event (as `/v1/flows/now`), then twice a minute a `counter` event for each that changed.

        A caller that comes back with its `Last-Event-ID` gets what it missed, of each counter the newest. A comment
        comes every 30 s when nothing else does.
        """

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
