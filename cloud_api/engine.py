"""What works behind the routes of one town's API: put together once, run side by side, ended in order.

In come settings, a store, a registry and a clock; out come the `Services` that routes answer from. It hears the broker,
asks the feeds, learns from the past, forecasts, and tells gateways what they are to do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

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
from cloud_api.ingest import Ingest
from cloud_api.keyring import Keyring
from cloud_api.learner import Learner
from cloud_api.ledger import Ledger
from cloud_api.live import Live
from cloud_api.metrics import Metrics
from cloud_api.provisioning.certificates import open_authority
from cloud_api.provisioning.configurator import Configurator
from cloud_api.provisioning.enrolment import Enroller
from cloud_api.provisioning.floods import Floods
from cloud_api.provisioning.gateways import Gateways
from cloud_api.provisioning.renewals import Renewals
from cloud_api.provisioning.signing import open_signer
from cloud_api.registry.current import read_current
from cloud_api.registry.store import RegistryStore
from cloud_api.reloading import reload_registry
from cloud_api.reporter import Reporter
from cloud_api.reports.making import Source
from cloud_api.retention import Policy, keep_to
from cloud_api.services import Services
from cloud_api.settings import Settings
from cloud_api.stores.base import Store
from cloud_api.stores.lasting import LastingStore
from cloud_api.town_status import StatusNow

Work = Coroutine[None, None, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The parts of one town's API that work by themselves, and the services that they keep."""

    services: Services
    ingest: Ingest
    follower: Follower
    learner: Learner
    configurator: Configurator
    neighbours: Neighbours
    orders: Sequence[OrderFeed]
    archive: Archive

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All of it works for the length of an `async with`; then ledger and archive are closed."""
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(each) for each in self._works()]
            self.ingest.start()
            try:
                yield
            finally:
                self.services.end_streams()
                await asyncio.to_thread(self.ingest.stop)
                for task in working:
                    task.cancel()
        self.services.ledger.close()
        self.archive.close()

    def _works(self) -> tuple[Work, ...]:
        its, settings, clock = self.services, self.services.settings, self.services.clock
        feeds = its.metrics.feeds
        return (
            self.follower.run(),
            self.configurator.run(),
            self._recall_and_learn(),
            its.feed.keep_beating(),
            poll_all(self.neighbours, metrics=feeds, clock=clock, news=self._touch_zones_of),
            poll_orders(self.orders, its.registry_store, zone=settings.time_zone, metrics=feeds, clock=clock),
            keep_counts(its.store, its.places, its.live, its.feed, clock),
            its.flows.run(),
            its.forecaster.run(),
            self._follow_the_registry(),
            its.keyring.watch(),
            its.status.keep_looking(),
            *_retention(settings, its.store, clock),
            *(() if its.enroller is None else (its.enroller.watch(),)),
        )

    async def _recall_and_learn(self) -> None:
        """First what was so last, then what the past teaches about it."""
        await self.follower.recall(self.services.store, self.services.ledger)
        await self.learner.run()

    async def _follow_the_registry(self) -> None:
        its = self.services
        await reload_registry(
            its.registry_store,
            its.places,
            live=its.live,
            feed=its.feed,
            recall=lambda: self.follower.recall_newcomers(its.store, its.ledger),
            clock=its.clock,
        )

    def _touch_zones_of(self, feed: str) -> None:
        self.services.feed.touch(zones_fed_by(self.services.registry, feed))


def put_together(
    settings: Settings,
    *,
    store: Store,
    registry: RegistryStore,
    clock: Callable[[], datetime],
    feeds: Sequence[LotFeed],
    orders: Sequence[OrderFeed],
    reports_from: Source | None,
) -> Engine:
    """The engine of one town; nothing of it works yet. Raises as `create_app` does."""
    neighbours = Neighbours(feeds, settings.time_zone)
    places = read_current(registry)
    live, metrics, ledger = Live(places, neighbours, settings.time_zone), Metrics(), Ledger(settings.ledger)
    feed = ZoneFeed(live, places, clock())
    ingest = Ingest(
        settings.broker,
        worker=settings.worker,
        store=store,
        ledger=ledger,
        metrics=metrics,
        clock=clock,
        share=settings.floods.share,
    )
    enroller = _enroller(settings, registry, clock, ingest)
    follower = Follower(settings.broker, worker=settings.worker, live=live, feed=feed, metrics=metrics, clock=clock)
    watch = Watch(
        settings=settings,
        live=live,
        places=places,
        connections={"ingest": lambda: ingest.problem, "live": lambda: follower.problem},
        ingest=metrics.ingest,
        held_off_until=dict if enroller is None else enroller.held_off_until,
        clock=clock,
    )
    status = StatusNow(watch, store=store, ledger=ledger, registry=registry)
    metrics.watch(watch, feed, lambda: status.kept)
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
        status=status,
        clock=clock,
        reporter=None if reports_from is None else Reporter(reports_from, places, registry.office_events, clock),
        problems=lambda: [problem for problem in (ingest.problem, follower.problem) if problem],
    )
    return Engine(
        services=services,
        ingest=ingest,
        follower=follower,
        learner=learner,
        configurator=configurator,
        neighbours=neighbours,
        orders=orders,
        archive=archive,
    )


def _enroller(
    settings: Settings, registry: RegistryStore, clock: Callable[[], datetime], ingest: Ingest
) -> Enroller | None:
    if settings.enrolment is None:
        return None
    return Enroller(settings.enrolment, registry.invitations, clock, ingest.let_go, Floods(settings.floods))


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


def _retention(settings: Settings, store: Store, clock: Callable[[], datetime]) -> tuple[Work, ...]:
    if not isinstance(store, LastingStore):
        return ()
    return (keep_to(Policy(settings.keep_raw, settings.keep_hours), store, clock),)
