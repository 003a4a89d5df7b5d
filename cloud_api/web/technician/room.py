"""What all of the technicians' pages share: who is let in, how a page is written, what browsers are told to allow.

In come a request and what a template shows, out comes HTML that nobody keeps. Addresses are relative: the pages may be
served under any path.
"""

from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cloud_api.access import CALLER, Caller, is_from_here, other_site
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.web.technician.english import ENGLISH
from cloud_api.web.technician.french import FRENCH
from cloud_api.web.technician.words import Words
from cloud_api.web.templating import templates_of

HOME: Final = "technician"
LANGUAGE: Final = "passerelle-lang"
"""The cookie that holds the language."""


class SignInNeededError(Exception):
    """Somebody who is not signed in as a technician asks for a page."""


class Room:
    """Writes pages for those who may see them."""

    def __init__(self, services: Services, assets: str, headers: dict[str, str]) -> None:
        """`assets`: where scripts and styles are, from the root; `headers`: what browsers are told to allow."""
        self.services = services
        self._assets = assets
        self._headers = {**headers, "Cache-Control": "no-store"}
        self._environment = templates_of("cloud_api.web.technician")

    def admit(self, request: Request) -> Caller:
        """Who asks. Raises `SignInNeededError` where that is nobody who may provision."""
        caller: Caller = request.scope[CALLER]
        if not caller.may(Scope.PROVISION):
            raise SignInNeededError
        return caller

    def admit_change(self, request: Request) -> Caller:
        """Who changes something, from one of our pages. Raises `SignInNeededError`, `ProblemError`."""
        require_own_page(request)
        return self.admit(request)

    def page(self, request: Request, template: str, *, status: HTTPStatus = HTTPStatus.OK, **shown: Any) -> Response:
        """A page, or a part of one."""
        caller: Caller = request.scope[CALLER]
        text = self._environment.get_template(template).render(
            words=words_for(request),
            settings=self.services.settings,
            up=up_from(request),
            home=up_from(request) + HOME,
            assets=up_from(request) + self._assets,
            who=caller.who if caller.may(Scope.PROVISION) else None,
            **shown,
        )
        return HTMLResponse(text, status, headers=self._headers)

    def go(self, request: Request, path: str) -> Response:
        """On to another of our pages, named from the root."""
        headers = {"Cache-Control": "no-store"}
        return RedirectResponse(up_from(request) + path, HTTPStatus.SEE_OTHER, headers=headers)


def words_for(request: Request) -> Words:
    """The words that somebody chose; French otherwise."""
    return ENGLISH if request.cookies.get(LANGUAGE) == ENGLISH.lang else FRENCH


def up_from(request: Request) -> str:
    """The way from a page to the root, relative."""
    inside = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return "../" * (inside.count("/") - 1) or "./"


def require_own_page(request: Request) -> None:
    """Go on only where a page of ours asks. Raises `ProblemError`."""
    if not is_from_here(request.scope):
        raise other_site()
