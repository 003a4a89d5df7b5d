"""The gateway: wires links, intake, outbox and publisher; starts and stops them; reports how they do.

In comes a `GatewayConfig`, later a changed one; out go facts, through the outbox. A link that fails is restarted alone,
with back-off, while the others count on; an acknowledgement is given only for what is durable.
"""

import asyncio
import logging
import shutil
from collections import Counter
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import NamedTuple

from edge.clock import Clock, to_datetime
from edge.config import GatewayConfig, limits_of
from edge.desired import DesiredDevices
from edge.drivers.links.base import Arrival, Refused, Report, Stranger
from edge.errands import Errands
from edge.intake import Batch, Intake
from edge.link_runner import LinkRunner
from edge.messages import CLOCK_TRUSTED, AnyMessage, Command, Desired, Heard, LinkHealth, Models, Status
from edge.outbox import Outbox, OutboxError
from edge.outbox_keeper import OutboxKeeper
from edge.persisting import Persisting
from edge.publisher import Publisher
from edge.readings import Frame
from edge.recognition import known_models
from edge.renewal import Renewal, let_in
from edge.running_links import RunningLinks

log = logging.getLogger(__name__)

INBOX = 1_000
"""Arrivals that wait for the intake at most; then the links wait."""
RELEASED_AT_ONCE = 1_000
"""Observations that waited for the time, dated in one commit; what comes meanwhile waits behind them."""
BATCH = 500
"""Arrivals in one durable commit at most."""
TICK_S = 1.0
STATUS_EVERY_TICKS = 30
FAREWELL_S = 2.5
"""So long all together the links may close and the publisher may empty the outbox when the gateway stops."""
RUNS = "runs"
"""The setting that is kept while the gateway runs, and emptied when it has ended in good order."""


class _OnDisk(NamedTuple):
    """What of the status only the disk can tell."""

    queued: int
    free_bytes: int | None
    size_bytes: int | None


class Gateway:
    """Guards one invariant: a source is acknowledged only after what came of it is durable."""

    def __init__(self, config: GatewayConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._outbox = Outbox(config.gateway.data / "outbox.db", config.gateway.name)
        self.intake = Intake(
            config.gateway.name, self._outbox.epoch, clock, config.gateway.interval_s, self._outbox.load_states()
        )
        renewal = Renewal(config.broker, config.gateway.data, let_in(config.gateway.name))
        self._publisher = Publisher(
            renewal.present, self._outbox, on_connected=self._introduce, on_message=self._receive
        )
        self._errands = Errands(
            self,
            clock,
            self._outbox.epoch,
            explain=self.intake.explain,
            tell=self._publisher.tell,
            renewal=renewal,
        )
        self._keeper = OutboxKeeper(self._outbox, clock, limits_of(config.gateway))
        self._persist = Persisting()
        self._devices = DesiredDevices(self._outbox, self.intake)
        self._counters: Counter[str] = Counter()
        self._links = RunningLinks(self._queue, clock, self.intake, self._counters)
        self._inbox: asyncio.Queue[tuple[LinkRunner, Arrival]] = asyncio.Queue(INBOX)
        self._group = asyncio.TaskGroup()
        self._turn = asyncio.Lock()
        self._started = asyncio.Event()
        self._stopping = asyncio.Event()
        self._looks = 0
        self._started_ms = clock.monotonic_ms()
        self._released = 0
        self._trusted_at_once = clock.utc_ms(self._started_ms) is not None
        self._devices.adopt_last_good(config.device)

    async def run(self) -> None:
        """Read, aggregate and publish until `stop`; then settle what arrived and take leave of the broker."""
        async with self._group:
            serving = [
                self._group.create_task(task)
                for task in (
                    *(self._publisher.run(), self._work(), self._tick()),
                    self._keeper.run(self._persist, self._publisher.wake),
                )
            ]
            await self._links.exchange(self._config.link, self._group)
            self._started.set()
            serving.append(self._group.create_task(self._say_what_was_found()))
            await self._stopping.wait()
            deadline = asyncio.get_running_loop().time() + FAREWELL_S
            await self._links.close()
            await self._drain(deadline)
            for task in serving:
                task.cancel()
        self._end_in_good_order()

    def stop(self) -> None:
        """End `run`, within seconds."""
        self._stopping.set()

    async def apply(self, config: GatewayConfig) -> None:
        """Put a changed configuration in force without a restart: links that changed are opened anew, devices replaced.

        The gateway's own name, data folder, interval and broker stay: they need a restart, and the log says so.
        """
        if (config.gateway, config.broker) != (self._config.gateway, self._config.broker):
            log.warning("changes of [gateway] and [broker] take effect at the next start")
        await self._links.exchange(config.link, self._group)
        self._config = config
        self._devices.configure(config.device)

    @property
    def name(self) -> str:
        """The gateway's name."""
        return self._outbox.gateway

    @property
    def is_connected(self) -> bool:
        """Whether the city's broker is there."""
        return self._publisher.connected

    @property
    def adopted(self) -> int:
        """How many devices it reads."""
        return len(self.intake.devices)

    @property
    def progress(self) -> int:
        """Grows every second in which intake and outbox work, and with every commit that a disk refuses: when it stands
        still for longer than `LONGEST_BACKOFF_S`, the gateway hangs."""
        return self._looks + self._persist.refusals

    async def recalibrate(self, device: str) -> str | None:
        """Let a sensor learn its empty state anew; why it cannot, or None."""
        async with self._turn:
            batch = await self._new_batch()
            problem = self.intake.recalibrate(batch, device)
            await self._commit(batch)
        return problem

    async def restart_link(self, name: str) -> str | None:
        """Close a link and open it again; why that cannot be, or None."""
        return await self._links.restart(name, self._group)

    async def started(self) -> None:
        """Return when every link has been started, be it open by then or not."""
        await self._started.wait()

    async def listening(self) -> None:
        """Return when every link has been opened."""
        await self._started.wait()
        for runner in self._links:
            await runner.link.opened.wait()

    def links(self) -> tuple[LinkHealth, ...]:
        """How each link does, now."""
        return tuple(runner.health() for runner in self._links)

    def status(self) -> Status:
        """How the gateway does, now. Waits for the disk; raises `OutboxError`."""
        return self._status(self._look_at_disk())

    async def current_status(self) -> Status:
        """The same, while everything else goes on."""
        return self._status(await asyncio.to_thread(self._look_at_disk))

    def _look_at_disk(self) -> _OnDisk:
        """Nothing is said of a disk that cannot be asked."""
        queued = len(self._outbox)
        try:
            usage = shutil.disk_usage(self._config.gateway.data)
        except OSError:
            return _OnDisk(queued, None, None)
        return _OnDisk(queued, usage.free, usage.total)

    def _status(self, disk: _OnDisk) -> Status:
        now_ms = self._clock.utc_ms(self._clock.monotonic_ms())
        return Status(
            gateway=self._outbox.gateway,
            epoch=self._outbox.epoch,
            online=not self._stopping.is_set(),
            at=None if now_ms is None else to_datetime(now_ms),
            version=version("passerelle"),
            clock=CLOCK_TRUSTED if now_ms is not None else "not synchronised: counts wait for the time",
            queued=disk.queued,
            disk_free_bytes=disk.free_bytes,
            disk_size_bytes=disk.size_bytes,
            links=self.links(),
            counters=dict(self._counted()),
        )

    async def _say_what_was_found(self) -> None:
        """One line on what the last life left; from now on only a good end counts as one."""
        runs = await self._persist(partial(self._outbox.recall, RUNS))
        last_stop = {None: "never, this is the first start", b"": "in good order"}.get(runs, "uncleanly")
        await self._persist(partial(self._outbox.remember, RUNS, self.name.encode()))
        log.info(
            "gateway runs name=%s links=%d devices=%d; found %d messages queued, %d observations waiting for the time;"
            " last stopped: %s",
            *(self.name, len(self.links()), self.adopted, await self._persist(self._outbox.__len__)),
            *(await self._persist(self._outbox.count_waiting), last_stop),
        )

    def _end_in_good_order(self) -> None:
        try:
            self._outbox.remember(RUNS, b"")
        except OutboxError as error:
            log.warning("the next start will call this end unclean: %s", error)
        self._outbox.close()

    async def _queue(self, runner: LinkRunner, arrival: Arrival) -> None:
        await self._inbox.put((runner, arrival))

    async def _work(self) -> None:
        loop, next_commit = asyncio.get_running_loop(), 0.0
        while True:
            arrivals = [await self._inbox.get()]
            await asyncio.sleep(max(next_commit - loop.time(), 0))
            next_commit = loop.time() + self._config.gateway.commit_ms / 1000
            await self._settle(arrivals + self._waiting_arrivals())

    def _waiting_arrivals(self) -> list[tuple[LinkRunner, Arrival]]:
        return [self._inbox.get_nowait() for _ in range(min(self._inbox.qsize(), BATCH - 1))]

    async def _settle(self, arrivals: Sequence[tuple[LinkRunner, Arrival]]) -> None:
        """Make what arrived durable, then acknowledge it. A cancellation in between acknowledges nothing."""
        async with self._turn:
            batch = await self._new_batch()
            for runner, arrival in arrivals:
                self._take(batch, runner, arrival)
            await self._commit(batch)
        for _, arrival in arrivals:
            arrival.acknowledge()
            self._inbox.task_done()

    def _take(self, batch: Batch, runner: LinkRunner, arrival: Arrival) -> None:
        self._errands.see(runner.link.name, arrival.item)
        if isinstance(arrival.item, Refused):
            runner.refusals.note(runner.link.name, arrival.item)
            return
        runner.frames += isinstance(arrival.item, Frame)
        self._log_stranger(runner, arrival.item)
        refused = self.intake.take(batch, runner.link.name, arrival.item)
        if refused is not None:
            runner.refusals.note(runner.link.name, refused)

    def _log_stranger(self, runner: LinkRunner, item: Frame | Report | Stranger) -> None:
        """What a device sends that nobody adopted, for who wants to know why it is not read."""
        if not isinstance(item, Report) and self.intake.settings(item.device) is None:
            data = item.payload if isinstance(item, Frame) else item.data
            log.debug("not adopted link=%s device=%s bytes=%s", runner.link.name, item.device, data.hex())

    async def _commit(self, batch: Batch) -> None:
        """Commit, however long the disk refuses: meanwhile the links wait, and nothing is acknowledged."""
        if not self.intake.finish(batch):
            return
        commit = partial(self._outbox.commit, batch.states, batch.outgoing, waiting=batch.waiting, waited=batch.waited)
        await self._persist(commit)
        self.intake.committed(batch)
        self._publisher.wake()

    async def _tick(self) -> None:
        ticks = 0
        headlines = None
        while True:
            await self._devices.keep(self._persist, self._publisher.tell)
            await self._close_due()
            self._tell_strangers()
            self._errands.end_due()
            news = self._headlines()
            if ticks % STATUS_EVERY_TICKS == 0 or news != headlines:
                self._publisher.tell(self._status(await self._persist(self._look_at_disk)))
                headlines = news
            ticks += 1
            self._looks += 1
            await asyncio.sleep(TICK_S)

    def _headlines(self) -> tuple[object, ...]:
        """What of the status is told as soon as it changes: how links do, and what was counted for the first time."""
        links = tuple((runner.link.name, runner.state, frozenset(runner.refusals.by_name)) for runner in self._links)
        return links, frozenset(self._counted()), self._clock.utc_ms(0) is None

    def _counted(self) -> Counter[str]:
        own = self._counters + Counter(commit_failed=self._persist.refusals)
        return own + self.intake.counters + self._publisher.counters + self._keeper.counters

    async def _close_due(self) -> None:
        """Date all that waited for the time, while arrivals have their turn in between; then close what is due."""
        while self.intake.can_release:
            async with self._turn:
                await self._commit(await self._new_batch())
            self._looks += 1
        async with self._turn:
            batch = await self._new_batch()
            self.intake.close_due(batch)
            await self._commit(batch)

    async def _new_batch(self) -> Batch:
        """An empty batch, or one that begins with what waited for the time."""
        batch = Batch()
        if self.intake.can_release:
            waited = await self._persist(partial(self._outbox.waiting, RELEASED_AT_ONCE))
            self.intake.release(batch, waited, more=len(waited) == RELEASED_AT_ONCE)
            self._released += len(waited)
            if not self.intake.can_release:
                self._say_that_the_time_is_known()
        return batch

    def _say_that_the_time_is_known(self) -> None:
        untrusted_s = (self._clock.monotonic_ms() - self._started_ms) / 1000
        if not self._trusted_at_once or self._released:
            log.info(
                "the clock is trusted, %.0f s after the start; %d observations that waited are dated",
                untrusted_s,
                self._released,
            )
        self._released = 0

    def _tell_strangers(self) -> None:
        """While the broker is away they are kept: a sensor that speaks once a day is not told to nobody."""
        devices = self.intake.strangers() if self.is_connected else ()
        if devices:
            self._publisher.tell(Heard(gateway=self._outbox.gateway, epoch=self._outbox.epoch, devices=devices))

    async def _drain(self, deadline: float) -> None:
        """What arrived before the links stopped is settled; the publisher may send it until the loop's `deadline`."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._inbox.join()
                await self._devices.keep(self._persist, self._publisher.tell)
                await self._close_due()
                await self._publisher.drained()
        except (TimeoutError, OutboxError):
            log.info("the outbox keeps what was not confirmed until the next start")

    def _introduce(self) -> list[AnyMessage]:
        models = Models(
            gateway=self._outbox.gateway,
            epoch=self._outbox.epoch,
            version=version("passerelle"),
            models=known_models(),
        )
        try:
            return [self.status(), models, self._devices.reported]
        except OutboxError as error:
            log.warning("no status at this connection: %s", error)
            return [models, self._devices.reported]

    def _receive(self, message: AnyMessage) -> None:
        if isinstance(message, Desired):
            self._devices.desire(message)
        elif isinstance(message, Command):
            self._group.create_task(self._errands.run(message))
