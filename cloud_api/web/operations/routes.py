"""The page at `/operations`: is all well, and if not, what to do first. Whole without JavaScript.

In comes the town's status, which `passerelle status` shows too, out goes HTML that nobody keeps; `?part=now` is what of
it changes, with a tag: who has it already is told so. Only for people and keys with the scope `provision`.
"""

from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from cloud_api.access import caller_of
from cloud_api.prepared import Prepared
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.shelf import Ready
from cloud_api.web.operations.lines import shown
from cloud_api.web.operations.words import FRENCH, words_in

PATH: Final = "/operations"
HTML: Final = "text/html; charset=utf-8"
NOT_KEPT: Final = "no-store"


def mount(app: FastAPI, services: Services, *, assets: str, headers: dict[str, str]) -> None:
    """Add the page to an application; `assets` is where scripts and styles are, from the root."""
    app.include_router(router(services, assets=assets, headers=headers))


def router(services: Services, *, assets: str, headers: dict[str, str]) -> APIRouter:
    """The route `/operations`."""
    routes = APIRouter(include_in_schema=False, default_response_class=Response)
    environment = Environment(
        loader=PackageLoader("cloud_api.web.operations"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def write(template: str, lang: str, **more: Any) -> str:
        settings, words = services.settings, words_in(lang)
        return environment.get_template(template).render(settings=settings, assets=assets, words=words, **more)

    @routes.get(PATH)
    async def operations(request: Request, lang: str = FRENCH.lang, part: str = "") -> Response:
        caller = caller_of(request)
        if not caller.may(Scope.PROVISION):
            status = HTTPStatus.FORBIDDEN if caller.by_key else HTTPStatus.UNAUTHORIZED
            door = write("door.html", lang, known=caller.by_key)
            return Response(door, status, headers={**headers, "Cache-Control": NOT_KEPT}, media_type=HTML)
        now = shown(await services.status.look(), words_in(lang), services.settings.time_zone)
        text = write("now.html" if part else "operations.html", lang, who=caller.who, now=now)
        return Ready(Prepared(text.encode(), media_type=HTML, cache_control=NOT_KEPT, headers=headers))

    return routes
