"""The page at `/operations`: is all well, and if not, what to do first. Whole without JavaScript.

In comes the town's status, which `passerelle status` shows too, out goes HTML that nobody keeps; `?part=now` is what of
it changes, with a tag: who has it already is told so; it is written once for each status, however many look. Only for
people and keys with the scope `provision`.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from cloud_api.access import caller_of
from cloud_api.prepared import Prepared
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.shelf import Ready
from cloud_api.town_status import TownStatus
from cloud_api.web.operations.lines import shown
from cloud_api.web.operations.words import FRENCH, Words, words_in
from cloud_api.web.templating import templates_of

PATH: Final = "/operations"
HTML: Final = "text/html; charset=utf-8"
NOT_KEPT: Final = "no-store"


def mount(app: FastAPI, services: Services, *, assets: str, headers: dict[str, str]) -> None:
    """Add the page to an application; `assets` is where scripts and styles are, from the root."""
    app.include_router(router(services, assets=assets, headers=headers))


def router(services: Services, *, assets: str, headers: dict[str, str]) -> APIRouter:
    """The route `/operations`."""
    routes = APIRouter(include_in_schema=False, default_response_class=Response)
    environment = templates_of("cloud_api.web.operations")
    private = {**headers, "Cache-Control": NOT_KEPT}
    written: dict[str, tuple[TownStatus, Prepared]] = {}
    """By language, what changes, as of the last status that it was written of."""

    def write(template: str, words: Words, **more: Any) -> str:
        found = environment.get_template(template)
        return found.render(settings=services.settings, assets=assets, words=words, **more)

    async def changing(words: Words) -> Prepared:
        told = await services.status.look()
        of, part = written.get(words.lang, (None, None))
        if part is None or of is not told:
            text = await tell("now.html", words, told)
            part = Prepared(text.encode(), media_type=HTML, cache_control=NOT_KEPT, headers=headers)
            written[words.lang] = told, part
        return part

    async def tell(template: str, words: Words, told: TownStatus, **more: Any) -> str:
        rows = shown(told, words, services.settings.time_zone)
        return await asyncio.to_thread(write, template, words, now=rows, **more)

    @routes.get(PATH)
    async def operations(request: Request, lang: str = FRENCH.lang, part: str = "") -> Response:
        caller, words = caller_of(request), words_in(lang)
        if not caller.may(Scope.PROVISION):
            status = HTTPStatus.FORBIDDEN if caller.by_key else HTTPStatus.UNAUTHORIZED
            return HTMLResponse(write("door.html", words, known=caller.by_key), status, headers=private)
        if part:
            return Ready(await changing(words))
        page = await tell("operations.html", words, await services.status.look(), who=caller.who)
        return HTMLResponse(page, headers=private)

    return routes
