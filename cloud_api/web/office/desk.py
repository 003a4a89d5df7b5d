"""What the office's pages share: who is let in, in which language, how a page is written.

In come a request and what a template shows, out comes HTML that nobody keeps. Addresses are relative: the pages may be
served under any path.
"""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cloud_api.access import caller_of
from cloud_api.reports.report import Language
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.web.office.asked import language_of
from cloud_api.web.office.words import Words, words_in
from cloud_api.web.technician.room import LANGUAGE, up_from
from cloud_api.web.templating import templates_of

PATH: Final = "/bureau"


class Desk:
    """Writes pages for those who may make reports."""

    def __init__(self, services: Services, assets: str, headers: dict[str, str]) -> None:
        """`assets`: where scripts and styles are, from the root; `headers`: what browsers are told to allow."""
        self.services = services
        self._assets = assets
        self._headers = {**headers, "Cache-Control": "no-store"}
        self._environment = templates_of("cloud_api.web.office")

    def refusal(self, request: Request) -> Response | None:
        """What somebody sees who may make no reports; None for whoever may."""
        caller = caller_of(request)
        if caller.may(Scope.REPORT):
            return None
        status = HTTPStatus.FORBIDDEN if caller.by_key else HTTPStatus.UNAUTHORIZED
        return self.page(request, "door.html", status, known=caller.by_key)

    def page(self, request: Request, template: str, status: HTTPStatus = HTTPStatus.OK, **shown: Any) -> Response:
        """A page."""
        up, caller, words = up_from(request), caller_of(request), words_for(request)
        text = self._environment.get_template(template).render(
            words=words,
            settings=self.services.settings,
            up=up,
            home=up + PATH.strip("/"),
            assets=up + self._assets,
            who=caller.who if caller.may(Scope.REPORT) else None,
            signed_in=caller.person is not None,
            here=request.scope["path"].rpartition("/")[2],
            other_language=_other_language(request, words),
            **shown,
        )
        return HTMLResponse(text, status, headers=self._headers)

    def go(self, request: Request, path: str) -> Response:
        """On to another of our pages, named from the root."""
        return RedirectResponse(up_from(request) + path, HTTPStatus.SEE_OTHER, headers={"Cache-Control": "no-store"})


def words_for(request: Request) -> Words:
    """The words that somebody chose."""
    return words_in(chosen_language(request))


def chosen_language(request: Request) -> Language:
    """The language that the address names, or else the one that was chosen on another of our pages."""
    return language_of(request.query_params, request.cookies.get(LANGUAGE, ""))


def _other_language(request: Request, words: Words) -> str:
    """The same page in the other language."""
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in {"language", "lang"}]
    here = request.scope["path"].rpartition("/")[2]
    return f"{here}?{urlencode([*pairs, ('language', words.switch_lang.value)])}"
