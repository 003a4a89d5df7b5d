"""The pages at `/technician`, put together; whatever goes wrong on one of them is said by a page."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cloud_api.problems import ProblemError
from cloud_api.registry.errors import RegistryError
from cloud_api.services import Services
from cloud_api.web.technician import (
    adopting,
    closing,
    device_actions,
    device_page,
    home,
    photographing,
    placing,
    signing_in,
    testing,
    visiting,
)
from cloud_api.web.technician.english import ENGLISH
from cloud_api.web.technician.french import FRENCH
from cloud_api.web.technician.room import HOME, LANGUAGE, Room, SignInNeededError

PARTS: Final = (
    signing_in,
    home,
    adopting,
    placing,
    device_page,
    device_actions,
    closing,
    photographing,
    testing,
    visiting,
)
YEAR_S: Final = 31_536_000
LANGUAGES: Final = (FRENCH.lang, ENGLISH.lang)


def mount(app: FastAPI, services: Services, *, assets: str, headers: dict[str, str]) -> None:
    """Add the technicians' pages to an application; `assets` is where scripts and styles are, from the root."""
    room = Room(services, assets, headers)
    routes = APIRouter(prefix=f"/{HOME}", include_in_schema=False, route_class=_told_by_pages(room))
    for part in PARTS:
        part.add_routes(routes, room)
    _add_language(routes, room)
    app.include_router(routes)


def _told_by_pages(room: Room) -> type[APIRoute]:
    class ToldByPages(APIRoute):
        """A route whose errors are pages too."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def answer_by_page(request: Request) -> Response:
                try:
                    return await answer(request)
                except SignInNeededError:
                    return signing_in.door(room, request)
                except RegistryError:
                    return _trouble(room, request, "registry_away", HTTPStatus.SERVICE_UNAVAILABLE)
                except ProblemError as problem:
                    return _trouble(room, request, problem.name, problem.status)
                except HTTPException as error:
                    status = HTTPStatus(error.status_code)
                    return _trouble(room, request, status.phrase.lower().replace(" ", "-"), status)

            return answer_by_page

    return ToldByPages


def _trouble(room: Room, request: Request, name: str, status: HTTPStatus) -> Response:
    return room.page(request, "trouble.html", status=status, trouble=name)


def _add_language(routes: APIRouter, room: Room) -> None:
    @routes.post("/language")
    async def language(request: Request) -> Response:
        form: Any = await request.form()
        answer = room.go(request, HOME)
        secure = request.url.scheme == "https"
        lang = next((each for each in LANGUAGES if each == form.get("lang")), FRENCH.lang)
        answer.set_cookie(LANGUAGE, lang, max_age=YEAR_S, httponly=True, secure=secure, samesite="strict")
        return answer
