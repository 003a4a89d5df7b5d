"""The office's events over HTTP: named, corrected, withdrawn, never deleted. For holders of the scope `report`.

The same events as those of `passerelle event` and of the office's page; those of the calendar's file are in the file.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final, TypeVar

import msgspec
from fastapi import APIRouter, Path, Query, Request
from msgspec import Struct
from starlette.responses import Response

from cloud_api.access import caller_of, needs
from cloud_api.event_writing import Writer, find_event, new_event_id, withdraw_event, write_event
from cloud_api.openapi import JSON, Responses, answer, key_refusals, parameter, refusal
from cloud_api.problems import FieldError, invalid, not_found, unavailable
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.office_events import EditedMeanwhileError
from cloud_api.reports.asking import AskError
from cloud_api.reports.named_events import EventChange, EventTexts, NamedEvent, named_events, texts_of
from cloud_api.routes.changing import body_of, changed_meanwhile, etag, precondition_needed, takes, version_seen
from cloud_api.scopes import Scope
from cloud_api.services import Services

Answer = TypeVar("Answer")

PATH: Final = "/v1/events"
KEY: Final = "3f0a5c2d9b1e4477"
ONE: Final = f"{PATH}/{KEY}"
AWAY: Final = "The registry cannot be reached at the moment; try again in a minute."
FIELDS: Final = {"start": "from", "end": "to", "place": "places"}
"""What a caller calls them."""


class EventView(Struct, frozen=True, kw_only=True):
    """One event, and who wrote it down last."""

    id: str
    edition: int
    """Its ETag: to be named by whoever changes it."""
    withdrawn: bool
    """Reports made from now on do not know it; those as of an earlier date do."""
    who: str
    at: datetime
    """When this edition was written; reports as of this moment and later know it so."""
    event: EventTexts


class EventList(Struct, frozen=True):
    """Events, the last to begin at the front."""

    events: tuple[EventView, ...]


EXAMPLE_NEW: Final = EventTexts(
    name="Marché de Noël",
    start="2026-11-27",
    end="2026-12-24",
    opens="10:00",
    closes="20:00",
    places=("rue-haute",),
    kind="market",
)
EXAMPLE_CHANGE: Final = EventChange(end="2026-12-31")
EXAMPLE: Final = EventView(
    id=KEY,
    edition=12,
    withdrawn=False,
    who="Claire Martin",
    at=datetime(2026, 11, 20, 9, 41, 12, tzinfo=UTC),
    event=EXAMPLE_NEW,
)
ANSWERS: Final = (EXAMPLE, EventList((EXAMPLE,)), EXAMPLE_NEW, EXAMPLE_CHANGE)
EventPath = Annotated[
    str,
    Path(max_length=16, description="As the list names it.", openapi_examples=parameter(KEY, "A Christmas market")),
]


def router(services: Services) -> APIRouter:
    """The routes `/v1/events` and `…/{event}`."""
    routes = APIRouter(
        prefix=PATH, tags=["reports"], default_response_class=Response, dependencies=[needs(Scope.REPORT)]
    )
    events = services.registry_store.office_events
    unknown = refusal(not_found("event", KEY), ONE)
    changes = {
        **unknown,
        **refusal(changed_meanwhile(str(EditedMeanwhileError(KEY, 12, 13))), ONE),
        **refusal(precondition_needed(), ONE),
    }

    def by(request: Request) -> Writer:
        return Writer(caller_of(request).who, services.clock())

    @routes.get(
        "", summary="Events", responses={**answer(ANSWERS[1], "The last to begin at the front"), **_refusals(PATH)}
    )
    async def list_events(
        withdrawn: Annotated[
            bool, Query(description="Those that were withdrawn too.", openapi_examples=parameter(True, "All"))
        ] = False,
    ) -> Response:
        """The events that the office named."""
        known = named_events(await _in_thread(events.all))
        found = EventList(tuple(_view(each) for each in known if withdrawn or not each.withdrawn))
        return Response(msgspec.json.encode(found), media_type=JSON)

    @routes.post(
        "",
        summary="Name an event",
        status_code=HTTPStatus.CREATED,
        responses={**answer(EXAMPLE, "It is written down", status=HTTPStatus.CREATED), **_refusals(PATH)},
        openapi_extra=takes(EXAMPLE_NEW),
    )
    async def name_event(request: Request) -> Response:
        """Reports made from now on know it: they measure it, and leave its days out of what others are held against.

        Days and times are the town's. Without `to` it lasts for one day; without times for the whole day; a `closes`
        before `opens` is past midnight. Without `places` it is all over the town.
        """
        texts, key = await body_of(request, EventTexts), new_event_id()
        await _in_thread(lambda: write_event(events, key, texts, services.registry.counters, seen=0, by=by(request)))
        return await _told(key, HTTPStatus.CREATED)

    @routes.get(
        "/{event}", summary="An event", responses={**answer(EXAMPLE, "With its ETag"), **unknown, **_refusals(ONE)}
    )
    async def show_event(event: EventPath) -> Response:
        """One event, withdrawn or not; its ETag is the edition that a change names in `If-Match`."""
        return await _told(event)

    @routes.patch(
        "/{event}",
        summary="Correct an event",
        responses={**answer(EXAMPLE, "As it is written now"), **changes, **_refusals(ONE)},
        openapi_extra=takes(EXAMPLE_CHANGE),
    )
    async def correct_event(event: EventPath, request: Request) -> Response:
        """What is null, or not named, stays. A report as of an earlier date knows it as it was.

        An event that was withdrawn is one again.
        """
        change, known, seen = await body_of(request, EventChange), await _known(event), version_seen(request)
        texts, places = change.made(known.event), services.registry.counters
        await _in_thread(lambda: write_event(events, event, texts, places, seen=seen, by=by(request)))
        return await _told(event)

    @routes.delete(
        "/{event}",
        summary="Withdraw an event",
        responses={**answer(EXAMPLE, "As it is kept"), **changes, **_refusals(ONE)},
    )
    async def withdraw(event: EventPath, request: Request) -> Response:
        """It is kept and marked: reports made from now on do not know it, those as of an earlier date do."""
        await _known(event)
        seen = version_seen(request)
        await _in_thread(lambda: withdraw_event(events, event, seen=seen, by=by(request)))
        return await _told(event)

    async def _known(event: str) -> NamedEvent:
        found = await _in_thread(lambda: find_event(events, event))
        if found is None:
            raise not_found("event", event)
        return found

    async def _told(event: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
        found = _view(await _known(event))
        headers = {**etag(found.edition), "Location": f"{PATH}/{event}"}
        return Response(msgspec.json.encode(found), status, headers=headers, media_type=JSON)

    return routes


async def _in_thread(work: Callable[[], Answer]) -> Answer:
    """What blocks on the registry. Raises `ProblemError`."""
    with _as_problems():
        return await asyncio.to_thread(work)


@contextmanager
def _as_problems() -> Iterator[None]:
    try:
        yield
    except AskError as error:
        raise invalid([FieldError(field=FIELDS.get(error.field, error.field), reason=error.cause.en)]) from error
    except EditedMeanwhileError as error:
        raise changed_meanwhile(str(error)) from error
    except RegistryError as error:
        raise unavailable(AWAY) from error


def _view(its: NamedEvent) -> EventView:
    return EventView(
        id=its.id, edition=its.edition, withdrawn=its.withdrawn, who=its.who, at=its.at, event=texts_of(its.event)
    )


def _refusals(path: str) -> Responses:
    wrong = FieldError(field="from", reason="'samedi': a day (2026-11-27) expected")
    return {
        **key_refusals(Scope.REPORT, path),
        **refusal(invalid([wrong]), path),
        **refusal(unavailable(AWAY), path),
    }
