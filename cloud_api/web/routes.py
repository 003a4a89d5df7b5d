"""The page at `/` and its assets: what the town's people see. Server-rendered, whole without JavaScript.

In come the services of one town, out goes HTML with headers that let in our own files and the map's tiles only.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, FastAPI
from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import structs
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cloud_api.counters import CounterView, counter_views
from cloud_api.forecast.arrival import Arrival
from cloud_api.services import Services
from cloud_api.settings import Tiles
from cloud_api.web.assets import NOSNIFF, accepts_gzip, load_assets, pack, send_asset
from cloud_api.web.bars import CounterCard, chart
from cloud_api.web.cards import age, summary, zone_card
from cloud_api.web.recent import Flows, RecentFlows
from cloud_api.web.words import FRENCH, Words, words_in

STREAM: Final = "v1/parking/stream"
"""Where the page listens, relative to itself: it may be served under any path."""


def mount(app: FastAPI, services: Services) -> None:
    """Add the page and its assets to an application."""
    app.include_router(router(services))


def router(services: Services) -> APIRouter:
    """The routes `/` and `/static/…`."""
    routes = APIRouter(include_in_schema=False, default_response_class=Response)
    assets = load_assets()
    template = _environment().get_template("page.html")
    recent = RecentFlows(services.settings, services.places, services.store)
    headers = page_headers(services.settings.tiles)

    @routes.get("/")
    async def page(request: Request, lang: str = FRENCH.lang) -> Response:
        now = services.clock().astimezone(services.settings.time_zone)
        words = words_in(lang)
        zones = services.feed.look(now).data.zones
        counters = counter_views(services.live, services.registry, now)
        flows = await recent.at(now) if counters else {}
        text = template.render(
            words=words,
            catalogue=msgspec.json.encode(words).decode(),
            settings=services.settings,
            stream=STREAM,
            now=now,
            summary=summary(zones, words),
            zones=[zone_card(zone, words, now, _arrival(services, zone.id, now)) for zone in zones],
            counters=[_counter_card(view, flows, words, now) for view in counters],
            history_away=flows is None,
        )
        if accepts_gzip(request):
            return HTMLResponse(pack(text.encode()), headers={**headers, "Content-Encoding": "gzip"})
        return HTMLResponse(text, headers=headers)

    @routes.get("/static/{path:path}")
    async def static(request: Request, path: str) -> Response:
        if path not in assets:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return send_asset(request, assets[path])

    return routes


def page_headers(tiles: Tiles | None) -> dict[str, str]:
    """What browsers are told to allow: our own files, and the map's tiles.

    Leaflet lets go of a tile by giving it an empty `data:` picture; tile servers ask to be told the page's origin.
    """
    pictures = ["'self'", "data:", *([] if tiles is None else [_origin(tiles.url)])]
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"img-src {' '.join(pictures)}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return {
        **NOSNIFF,
        "Content-Security-Policy": policy,
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cloud_api.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _arrival(services: Services, zone: str, now: datetime) -> Arrival | None:
    """What can be said of an arrival in half an hour, its time by the clocks of the town."""
    told = services.forecaster.soon(zone, now)
    return None if told is None else structs.replace(told, at=told.at.astimezone(services.settings.time_zone))


def _counter_card(view: CounterView, flows: Flows | None, words: Words, now: datetime) -> CounterCard:
    return CounterCard(
        view=view,
        trust_name=words.trust[view.trust].name,
        age=age(view.measured_at, words, now),
        cause="" if view.cause is None else words.cause(view.cause),
        chart=None if flows is None else chart(flows[view.id], words, now),
    )
