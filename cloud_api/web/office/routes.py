"""The page at `/bureau`: choose, see, compare, share, download. Whole without JavaScript.

In comes an address, which is the report's for ever; out comes HTML with the report as the maker of reports wrote it
out. Only for people and keys with the scope `report`.
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, FastAPI, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from cloud_api.access import caller_of
from cloud_api.registry import Registry
from cloud_api.registry.files.draft import PlacesError
from cloud_api.reports.asking import AskError
from cloud_api.reports.calendar import load_calendar
from cloud_api.reports.formats import Format
from cloud_api.reports.report import Kind, Language
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.stores.base import StoreError
from cloud_api.web.office.asked import Chosen, chosen
from cloud_api.web.office.words import words_in

PATH: Final = "/bureau"
DOWNLOADS: Final = (Format.PDF, Format.XLSX, Format.CSV, Format.OPEN, Format.PARQUET)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish: a report, or why there is none."""

    report: dict[str, Any] | None = None
    """As `cloud_api.reports.pdf.written_out` writes it."""
    field: str | None = None
    """Which field is to be corrected."""
    mistake: str | None = None
    status: HTTPStatus = HTTPStatus.OK


def mount(app: FastAPI, services: Services, *, assets: str, headers: dict[str, str]) -> None:
    """Add the page to an application; `assets` is where scripts and styles are, from the root."""
    app.include_router(router(services, assets=assets, headers=headers))


def router(services: Services, *, assets: str, headers: dict[str, str]) -> APIRouter:
    """The route `/bureau`."""
    routes = APIRouter(include_in_schema=False, default_response_class=Response)
    environment = Environment(
        loader=PackageLoader("cloud_api.web.office"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    private = {**headers, "Cache-Control": "no-store"}

    def write(template: str, wish: Chosen, status: HTTPStatus, **shown: Any) -> Response:
        text = environment.get_template(template).render(
            words=words_in(wish.language), settings=services.settings, assets=assets, wish=wish, **shown
        )
        return HTMLResponse(text, status, headers=private)

    @routes.get(PATH)
    async def office(request: Request) -> Response:
        today = services.clock().astimezone(services.settings.time_zone).date()
        wish = chosen(request.query_params, request.query_params.getlist("place"), today)
        caller = caller_of(request)
        if not caller.may(Scope.REPORT):
            status = HTTPStatus.FORBIDDEN if caller.by_key else HTTPStatus.UNAUTHORIZED
            return write("door.html", wish, status, known=caller.by_key)
        shown = await _shown(services, wish)
        return write(
            "office.html",
            wish,
            shown.status,
            who=caller.who,
            places=_places(services.registry),
            events=await asyncio.to_thread(_events, services),
            shown=shown,
            downloads=DOWNLOADS,
            other_language=_other_language(request, wish),
        )

    return routes


async def _shown(services: Services, wish: Chosen) -> Shown:
    words = words_in(wish.language)
    if not wish.sent:
        return Shown()
    if services.reporter is None:
        return Shown(mistake=words.away, status=HTTPStatus.SERVICE_UNAVAILABLE)
    try:
        file = await services.reporter.file(wish.texts, Format.WRITTEN)
    except AskError as error:
        reason = error.cause.fr if wish.language is Language.FRENCH else error.cause.en
        return Shown(field=error.field, mistake=reason, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except StoreError:
        return Shown(mistake=words.away, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return Shown(report=msgspec.json.decode(file))


def _places(registry: Registry) -> dict[Kind, list[tuple[str, str]]]:
    """What can be chosen for each subject: id and name."""
    counters = [(each.id, each.name) for each in registry.counters.values()]
    zones = [(each.id, each.name) for each in registry.zones.values() if registry.spaces_of(each.id)]
    return {Kind.FLOWS: counters, Kind.PARKING: zones, Kind.EVENT: counters}


def _events(services: Services) -> Sequence[str]:
    """The events of the office's calendar; none where it cannot be read: the report says what is wrong with it."""
    reporter = services.reporter
    if reporter is None or reporter.source.calendar is None:
        return ()
    try:
        return [each.name for each in load_calendar(Path(reporter.source.calendar)).events]
    except PlacesError:
        return ()


def _other_language(request: Request, wish: Chosen) -> str:
    """The same page in the other language."""
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "language"]
    return "bureau?" + urlencode([*pairs, ("language", words_in(wish.language).switch_lang.value)])
