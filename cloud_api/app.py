"""The API of one town: puts ingest, the present and the routes together, starts them and ends them.

In come settings, a store, a registry and a clock; out comes an ASGI application. It keeps nothing outside itself, so
several may live in one process. Store and registry belong to the caller, who closes them afterwards.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_api.access import Access, bad_key, too_many
from cloud_api.entrances import keep_counts
from cloud_api.feed import ZoneFeed
from cloud_api.feeds.neighbours import Neighbours
from cloud_api.feeds.orders_poller import poll_orders
from cloud_api.feeds.poller import poll_all, zones_fed_by
from cloud_api.feeds.settings import LotFeed, OrderFeed
from cloud_api.flow_watch import FlowWatch
from cloud_api.follower import Follower
from cloud_api.forecast.archive import Archive
from cloud_api.forecaster import Forecaster
from cloud_api.glance import Watch
from cloud_api.head import HeadAsGet
from cloud_api.hot import HotRoutes
from cloud_api.ingest import Ingest
from cloud_api.keyring import Keyring
from cloud_api.learner import Learner
from cloud_api.ledger import Ledger
from cloud_api.live import Live
from cloud_api.metrics import Metrics
from cloud_api.openapi import DescribedApi, refusal
from cloud_api.problems import install_problems
from cloud_api.provisioning.certificates import open_authority
from cloud_api.provisioning.configurator import Configurator
from cloud_api.provisioning.enrolment import Enroller
from cloud_api.provisioning.gateways import Gateways
from cloud_api.provisioning.renewals import Renewals
from cloud_api.provisioning.signing import open_signer
from cloud_api.registry.current import read_current
from cloud_api.registry.store import RegistryStore
from cloud_api.reloading import reload_registry
from cloud_api.reporter import Reporter
from cloud_api.reports.making import Source
from cloud_api.retention import Policy, keep_to
from cloud_api.routes import (
    acceptances,
    closures,
    comptage,
    datex2,
    device_deeds,
    devices,
    enrolments,
    errands,
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
from cloud_api.stores.lasting import LastingStore
from cloud_api.town_status import StatusNow

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
        self.services.feed.end()
        self.services.flows.stream.end()


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
    neighbours = Neighbours(feeds, settings.time_zone)
    places = read_current(registry)
    live, metrics, ledger = Live(places, neighbours, settings.time_zone), Metrics(), Ledger(settings.ledger)
    feed = ZoneFeed(live, places, clock())
    ingest = Ingest(settings.broker, worker=settings.worker, store=store, ledger=ledger, metrics=metrics, clock=clock)
    follower = Follower(settings.broker, worker=settings.worker, live=live, feed=feed, metrics=metrics, clock=clock)
    watch = Watch(
        settings=settings,
        live=live,
        places=places,
        connections={"ingest": lambda: ingest.problem, "live": lambda: follower.problem},
        ingest=metrics.ingest,
        clock=clock,
    )
    metrics.watch(watch, feed)
    learner = Learner(settings, store=store, registry=places, live=live, feed=feed, clock=clock)
    keyring = Keyring(registry.keys, clock)
    gateways = _gateways_of(ledger)
    configurator = Configurator(
        settings.broker,
        worker=settings.worker,
        places=places,
        keys=registry.radio_keys,
        gateways=gateways,
        metrics=metrics,
        renewals=_renewals(settings, registry, clock),
    )
    enroller = (
        None if settings.enrolment is None else Enroller(settings.enrolment, registry.invitations, clock, ingest.let_go)
    )
    flow_watch = FlowWatch(settings, store=store, places=places, live=live, clock=clock)
    archive = Archive(settings.forecasts)
    forecaster = Forecaster(settings, store=store, registry=places, feed=feed, archive=archive, clock=clock)
    services = Services(
        settings=settings,
        store=store,
        places=places,
        registry_store=registry,
        keyring=keyring,
        live=live,
        feed=feed,
        flows=flow_watch,
        forecaster=forecaster,
        gateways=gateways,
        errands=configurator.errands,
        ledger=ledger,
        signer=open_signer(settings.signing_key),
        enroller=enroller,
        metrics=metrics,
        watch=watch,
        status=StatusNow(watch, store=store, ledger=ledger, registry=registry),
        clock=clock,
        reporter=None if reports_from is None else Reporter(reports_from, places, registry.office_events, clock),
        problems=lambda: [problem for problem in (ingest.problem, follower.problem) if problem],
    )

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        background = (
            follower.run(),
            configurator.run(),
            _recall_and_learn(follower, learner, store, ledger),
            feed.keep_beating(),
            poll_all(
                neighbours,
                metrics=metrics.feeds,
                clock=clock,
                news=lambda name: feed.touch(zones_fed_by(places.now, name)),
            ),
            poll_orders(orders, registry, zone=settings.time_zone, metrics=metrics.feeds, clock=clock),
            keep_counts(store, places, live, feed, clock),
            flow_watch.run(),
            forecaster.run(),
            reload_registry(
                registry,
                places,
                live=live,
                feed=feed,
                recall=lambda: follower.recall_newcomers(store, ledger),
                clock=clock,
            ),
            keyring.watch(),
            *_retention(settings, store, clock),
            *(() if enroller is None else (enroller.watch(),)),
        )
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(each) for each in background]
            ingest.start()
            try:
                yield
            finally:
                api.end_streams()
                await asyncio.to_thread(ingest.stop)
                for task in started:
                    task.cancel()
        ledger.close()
        archive.close()

    api = Api(
        services,
        _in_front(settings, keyring, services),
        title=settings.title,
        description=DESCRIPTION,
        version="1",
        lifespan=running,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        responses={**refusal(bad_key(), "/v1"), **refusal(too_many(3), "/v1")},
    )
    api.add_middleware(HeadAsGet)
    install_problems(api)
    for resource in RESOURCES:
        api.include_router(resource.router(services))
    _mount_pages(api)
    return api


def _in_front(settings: Settings, keyring: Keyring, services: Services) -> list[Middleware]:
    """Who asks, from which site, and whether it is one of the hot routes."""
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
        Middleware(Access, keyring=keyring, everyone_may=settings.everyone_may, limits=settings.limits),
        Middleware(HotRoutes, routes=hot_routes(services)),
    ]


def _renewals(settings: Settings, registry: RegistryStore, clock: Callable[[], datetime]) -> Renewals | None:
    if settings.enrolment is None or settings.enrolment.authority is None:
        return None
    return Renewals(open_authority(settings.enrolment.authority), registry.invitations, clock)


def _gateways_of(ledger: Ledger) -> Gateways:
    """Those who were heard before this start are still to be adopted. Raises `StoreError`."""
    gateways = Gateways()
    for gateway, device in ledger.heard():
        gateways.remember(gateway, device)
    return gateways


def _retention(
    settings: Settings, store: Store, clock: Callable[[], datetime]
) -> tuple[Coroutine[None, None, None], ...]:
    if not isinstance(store, LastingStore):
        return ()
    return (keep_to(Policy(settings.keep_raw, settings.keep_hours), store, clock),)


async def _recall_and_learn(follower: Follower, learner: Learner, store: Store, ledger: Ledger) -> None:
    """First what was so last, then what the past teaches about it."""
    await follower.recall(store, ledger)
    await learner.run()


def _mount_pages(api: Api) -> None:
    """Add the pages, where this installation has them: `mount(api, services)` of their module."""
    if find_spec(PAGES) is not None:
        import_module(PAGES).mount(api, api.services)
