"""The API of one town: puts ingest, the present and the routes together, starts them and ends them.

In come settings, a store, a registry and a clock; out comes an ASGI application. It keeps nothing outside itself, so
several may live in one process. Store and registry belong to the caller, who closes them afterwards.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_api.access import Access, bad_key, too_many
from cloud_api.bodies import BoundedBodies
from cloud_api.engine import put_together
from cloud_api.feeds.settings import LotFeed, OrderFeed
from cloud_api.head import HeadAsGet
from cloud_api.hot import HotRoutes
from cloud_api.openapi import DescribedApi, refusal
from cloud_api.problems import install_problems
from cloud_api.registry.store import RegistryStore
from cloud_api.reports.making import Source
from cloud_api.routes import (
    acceptances,
    closures,
    comptage,
    datex2,
    device_deeds,
    devices,
    enrolments,
    errands,
    events,
    flows,
    forecast,
    heard,
    installations,
    invitations,
    nearby,
    ngsi_ld,
    open_data,
    operation,
    parkapi,
    parking,
    reports,
    spaces,
    status,
    visits,
)
from cloud_api.routes import gateways as gateways_resource
from cloud_api.routes.hot_routes import hot_routes
from cloud_api.services import Services
from cloud_api.settings import Settings
from cloud_api.stores.base import Store

RESOURCES: Final = (
    parking,
    nearby,
    spaces,
    forecast,
    flows,
    parkapi,
    ngsi_ld,
    datex2,
    open_data,
    comptage,
    enrolments,
    gateways_resource,
    devices,
    device_deeds,
    installations,
    invitations,
    closures,
    heard,
    errands,
    reports,
    events,
    acceptances,
    visits,
    status,
    operation,
)
PAGES: Final = "cloud_api.web.routes"
DESCRIPTION: Final = "Free parking spaces now, people counted hour by hour. What is not known is null, never 0."


class Api(DescribedApi):
    """The ASGI application, and the parts that pages may ask."""

    def __init__(self, services: Services, in_front: Sequence[Middleware], **settings: Any) -> None:
        """`in_front`: what a request passes before the framework sees it, outermost first."""
        self.services = services
        super().__init__(answers=tuple(each for resource in RESOURCES for each in resource.ANSWERS), **settings)
        self._front: ASGIApp = super().__call__
        for kind, arguments, named in reversed(in_front):
            self._front = kind(self._front, *arguments, **named)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a hot route costs nothing of the framework's."""
        await self._front(scope, receive, send)

    def end_streams(self) -> None:
        """Let the listeners of the stream go, so that a server that stops need not wait for them."""
        self.services.end_streams()


def create_app(
    settings: Settings,
    *,
    store: Store,
    registry: RegistryStore,
    clock: Callable[[], datetime],
    feeds: Sequence[LotFeed] = (),
    orders: Sequence[OrderFeed] = (),
    reports_from: Source | None = None,
) -> Api:
    """One town's API; connects to the broker when it is started. `clock` tells the time now, UTC.

    `reports_from`: where the processes that make reports find the town; None makes none.

    Raises `ConfigError` when the broker's credentials cannot be read, `StoreError` when the ledger or the archive
    of forecasts cannot be opened, `RegistryError` when the registry cannot be read.
    """
    engine = put_together(
        settings, store=store, registry=registry, clock=clock, feeds=feeds, orders=orders, reports_from=reports_from
    )
    api = Api(
        engine.services,
        _in_front(engine.services),
        title=settings.title,
        description=DESCRIPTION,
        version="1",
        lifespan=lambda _app: engine.running(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        responses={**refusal(bad_key(), "/v1"), **refusal(too_many(3), "/v1")},
    )
    api.add_middleware(HeadAsGet)
    install_problems(api)
    for resource in RESOURCES:
        api.include_router(resource.router(engine.services))
    _mount_pages(api)
    return api


def _in_front(services: Services) -> list[Middleware]:
    """Who asks, from which site, with how much, and whether it is one of the hot routes."""
    settings = services.settings
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.origins,
        allow_methods=("GET", "HEAD"),
        allow_headers=("Authorization", "Last-Event-ID"),
        expose_headers=("ETag", "Retry-After"),
        max_age=3600,
    )
    return [
        *([cors] if settings.origins else []),
        Middleware(Access, keyring=services.keyring, everyone_may=settings.everyone_may, limits=settings.limits),
        Middleware(BoundedBodies),
        Middleware(HotRoutes, routes=hot_routes(services)),
    ]


def _mount_pages(api: Api) -> None:
    """Add the pages, where this installation has them: `mount(api, services)` of their module."""
    if find_spec(PAGES) is not None:
        import_module(PAGES).mount(api, api.services)
