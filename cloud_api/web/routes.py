"""The page at `/`, its manifest and its assets: what the town's people see. Whole without JavaScript.

In come the services of one town, out goes HTML with headers that let in our own files and the map's tiles only. A page
is written once a second at most, however many ask for it; what changes meanwhile comes by the stream.
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cloud_api.prepared import Prepared
from cloud_api.services import Services
from cloud_api.settings import Tiles
from cloud_api.shelf import Ready, Shelf
from cloud_api.web.asked import Asked, audience_of
from cloud_api.web.assets import ASK_AGAIN, NOSNIFF, Assets
from cloud_api.web.french import FRENCH
from cloud_api.web.languages import words_in
from cloud_api.web.manifest import MANIFEST_TYPE, manifest
from cloud_api.web.office import routes as office
from cloud_api.web.operations import routes as operations
from cloud_api.web.page import Page
from cloud_api.web.recent import RecentFlows
from cloud_api.web.technician import routes as technician

HTML: Final = "text/html; charset=utf-8"


def mount(app: FastAPI, services: Services) -> None:
    """Add the pages and their assets to an application."""
    assets = Assets()
    app.include_router(router(services, assets))
    headers = page_headers(services.settings.tiles)
    technician.mount(app, services, assets=f"static/{assets.edition}", headers=headers)
    office.mount(app, services, assets=f"static/{assets.edition}", headers=headers)
    operations.mount(app, services, assets=f"static/{assets.edition}", headers=headers)


def router(services: Services, assets: Assets) -> APIRouter:
    """The routes `/`, `/manifest.webmanifest` and `/static/…`."""
    routes = APIRouter(include_in_schema=False, default_response_class=Response)
    at = f"static/{assets.edition}"
    page = Page(services, at)
    shelf = Shelf()
    recent = RecentFlows(services.settings, services.places, services.store)
    headers = page_headers(services.settings.tiles)

    @routes.get("/")
    async def show(lang: str = FRENCH.lang, audience: str = "", near: str = "") -> Response:
        now = services.clock().astimezone(services.settings.time_zone)
        asked = Asked(words_in(lang), audience_of(audience), page.start(near))
        flows = await recent.at(now) if page.shows_people and services.registry.counters else {}
        name, version = asked.address, (int(now.timestamp()), services.registry, flows is None)
        found = shelf.find(name, version)
        if found is not None:
            return found
        text = page.write(asked, flows, now).encode()
        return shelf.put(name, version, Prepared(text, media_type=HTML, cache_control=ASK_AGAIN, headers=headers))

    @routes.get("/manifest.webmanifest")
    async def app_manifest(lang: str = FRENCH.lang) -> Response:
        body = manifest(services.settings, words_in(lang), at)
        return Ready(Prepared(body, media_type=MANIFEST_TYPE, cache_control=ASK_AGAIN, headers=NOSNIFF))

    @routes.get("/static/{path:path}")
    async def static(path: str) -> Response:
        edition, _, name = path.partition("/")
        found = assets.find(edition, name)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return found

    return routes


def page_headers(tiles: Tiles | None) -> dict[str, str]:
    """What browsers are told to allow: our own files, and the map's tiles.

    Leaflet lets go of a tile by giving it an empty `data:` picture; tile servers ask to be told the page's origin.
    """
    pictures = ["'self'", "data:", *([] if tiles is None else [_origin(tiles.url)])]
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; manifest-src 'self'; "
        f"img-src {' '.join(pictures)}; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )
    return {
        **NOSNIFF,
        "Content-Security-Policy": policy,
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), geolocation=(self), microphone=()",
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
