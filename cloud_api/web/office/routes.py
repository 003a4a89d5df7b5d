"""The office's pages at `/bureau`: choose, see, compare, name events, share, download. Whole without JavaScript.

In comes an address, which is the report's for ever; out comes HTML with the report as the maker of reports wrote it
out. Only for people and keys with the scope `report`.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from cloud_api.registry import Registry
from cloud_api.registry.errors import RegistryError
from cloud_api.reports.asking import AskError
from cloud_api.reports.charts import locale
from cloud_api.reports.formats import Format
from cloud_api.reports.report import Kind, Language
from cloud_api.services import Services
from cloud_api.stores.base import StoreError
from cloud_api.web.office import explorer, naming
from cloud_api.web.office.asked import Chosen, chosen
from cloud_api.web.office.desk import PATH, Desk, chosen_language
from cloud_api.web.office.events_shown import event_names
from cloud_api.web.office.explorer import script_name
from cloud_api.web.office.words import words_in
from cloud_api.web.technician.room import require_own_page
from cloud_api.web.technician.signing_in import signed_out

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
    """Add the pages to an application; `assets` is where scripts and styles are, from the root."""
    app.include_router(router(services, assets=assets, headers=headers))


def router(services: Services, *, assets: str, headers: dict[str, str]) -> APIRouter:
    """The routes under `/bureau`."""
    routes = APIRouter(include_in_schema=False, default_response_class=Response)
    desk = Desk(services, assets, headers)

    @routes.get(PATH)
    async def office(request: Request) -> Response:
        refused = desk.refusal(request)
        if refused is not None:
            return refused
        today = services.clock().astimezone(services.settings.time_zone).date()
        query = request.query_params
        wish = chosen(query, query.getlist("place"), today, chosen_language(request))
        shown, script = await _shown(services, wish), script_name()
        return desk.page(
            request,
            "office.html",
            shown.status,
            wish=wish,
            places=_places(services.registry),
            events=await asyncio.to_thread(event_names, services),
            shown=shown,
            downloads=DOWNLOADS,
            explorer=None if script is None else f"{PATH.strip('/')}/{script}",
            locale=_locale(wish.language),
        )

    @routes.post(f"{PATH}/sign-out")
    async def sign_out(request: Request) -> Response:
        require_own_page(request)
        return await signed_out(services, request, desk.go(request, PATH.strip("/")))

    naming.add_routes(routes, desk)
    explorer.add_routes(routes, PATH)
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
    except (StoreError, RegistryError):
        return Shown(mistake=words.away, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return Shown(report=msgspec.json.decode(file))


def _locale(language: Language) -> dict[str, Any]:
    """How axes are written, as `vega-embed` wants it."""
    known = locale(language)
    return {"formatLocale": known.get("format_locale"), "timeFormatLocale": known.get("time_format_locale")}


def _places(registry: Registry) -> dict[Kind, list[tuple[str, str]]]:
    """What can be chosen for each subject: id and name."""
    counters = [(each.id, each.name) for each in registry.counters.values()]
    zones = [(each.id, each.name) for each in registry.zones.values() if registry.spaces_of(each.id)]
    return {Kind.FLOWS: counters, Kind.PARKING: zones, Kind.EVENT: counters}
