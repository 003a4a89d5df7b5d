"""The page at `/bureau/events`: name an event, correct it, withdraw it. Nothing is ever deleted.

In comes a form, out comes the list with what was written; a form that cannot be an event comes back as it was typed,
with what was expected at its field.
"""

import asyncio
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from msgspec import Struct
from msgspec.structs import replace
from starlette.datastructures import FormData
from starlette.responses import Response

from cloud_api.access import caller_of
from cloud_api.event_writing import Writer, new_event_id, withdraw_event, write_event
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.office_events import EditedMeanwhileError
from cloud_api.reports.asking import AskError
from cloud_api.reports.named_events import EventTexts, NamedEvent, named_events, texts_of
from cloud_api.reports.report import Language
from cloud_api.web.office.asked import LONGEST_TEXT, MOST_PLACES
from cloud_api.web.office.desk import PATH, Desk, chosen_language, words_for
from cloud_api.web.office.events_shown import events_shown
from cloud_api.web.technician.room import require_own_page

EVENTS: Final = f"{PATH}/events"
ID: Final = re.compile("[0-9a-f]{16}")
EDITION: Final = re.compile("[0-9]{1,18}")
TYPED: Final = ("name", "start", "end", "opens", "closes", "kind")
WITHDRAW: Final = "withdraw"


class Draft(Struct, frozen=True, kw_only=True):
    """The form: an event that is new or known, and what is wrong with it."""

    id: str
    """Drawn when the form is shown: what is sent twice is one event."""
    edition: int = 0
    """The newest that was seen; 0 for a new event."""
    texts: EventTexts = EventTexts()
    field: str | None = None
    mistake: str | None = None
    status: HTTPStatus = HTTPStatus.OK


def add_routes(routes: APIRouter, desk: Desk) -> None:
    """The routes at `/bureau/events`."""

    @routes.get(EVENTS)
    async def show(request: Request) -> Response:
        return desk.refusal(request) or await _page(desk, request)

    @routes.post(EVENTS)
    async def write(request: Request) -> Response:
        require_own_page(request)
        return desk.refusal(request) or await _write(desk, request, await request.form())


async def _page(desk: Desk, request: Request, draft: Draft | None = None) -> Response:
    services, words = desk.services, words_for(request)
    try:
        written = await asyncio.to_thread(services.registry_store.office_events.all)
    except RegistryError:
        return desk.page(request, "away.html", HTTPStatus.SERVICE_UNAVAILABLE)
    draft = draft or _draft(named_events(written), request.query_params.get("event", ""))
    return desk.page(
        request,
        "events.html",
        draft.status,
        draft=draft,
        events=await asyncio.to_thread(events_shown, services, written, words.lang),
        counters=[(each.id, each.name) for each in services.registry.counters.values()],
        done=request.query_params.get("done", ""),
    )


async def _write(desk: Desk, request: Request, form: FormData) -> Response:
    services, draft, language = desk.services, _typed(form), chosen_language(request)
    events, by = services.registry_store.office_events, Writer(caller_of(request).who, services.clock())
    try:
        if form.get("do") == WITHDRAW:
            await asyncio.to_thread(withdraw_event, events, draft.id, seen=draft.edition, by=by)
        else:
            counters = services.registry.counters
            await asyncio.to_thread(write_event, events, draft.id, draft.texts, counters, seen=draft.edition, by=by)
    except AskError as error:
        reason = error.cause.fr if language is Language.FRENCH else error.cause.en
        wrong = replace(draft, field=error.field, mistake=reason, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        return await _page(desk, request, wrong)
    except EditedMeanwhileError:
        late = replace(draft, mistake=words_for(request).event_meanwhile, status=HTTPStatus.CONFLICT)
        return await _page(desk, request, late)
    except RegistryError:
        return desk.page(request, "away.html", HTTPStatus.SERVICE_UNAVAILABLE)
    return desk.go(request, f"{EVENTS.strip('/')}?language={language.value}&done={draft.id}#event-{draft.id}")


def _draft(known: Sequence[NamedEvent], event: str) -> Draft:
    """The form for an event that is to be corrected; an empty one for a new event."""
    for each in known:
        if each.id == event:
            return Draft(id=each.id, edition=each.edition, texts=texts_of(each.event))
    return Draft(id=new_event_id())


def _typed(form: FormData) -> Draft:
    event, edition = str(form.get("event", "")), str(form.get("edition", ""))
    said = {name: str(form.get(name, "")).strip()[: LONGEST_TEXT + 1] for name in TYPED}
    places = tuple(str(place) for place in form.getlist("place") if place)[:MOST_PLACES]
    return Draft(
        id=event if ID.fullmatch(event) else new_event_id(),
        edition=int(edition) if EDITION.fullmatch(edition) else 0,
        texts=EventTexts(**said, places=places),
    )
