"""The gateway: wires links, intake, outbox and publisher; starts and stops them; reports how they do.

In comes a `GatewayConfig`, later a changed one; out go facts, through the outbox. A link that fails is restarted alone,
with back-off, while the others count on; an acknowledgement is given only for what is durable.
"""

import asyncio
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import msgspec

from edge import messages
from edge.clock import Clock, to_datetime
from edge.config import GatewayConfig, LinkConfig, limits_of, refused_devices
from edge.drivers.links.base import Arrival, Inbox, Link, Refused, Report, Stranger
from edge.drivers.links.ble import BleConfig, BleLink
from edge.drivers.links.chirpstack import ChirpStackConfig, ChirpStackLink
from edge.drivers.links.modbus import ModbusConfig, ModbusLink
from edge.drivers.links.rak3172 import Rak3172Config, Rak3172Link
from edge.drivers.links.serial_port import SerialConfig, SerialLink
from edge.drivers.links.things_stack import ThingsStackLink, TtsConfig
from edge.errands import Errands
from edge.intake import Batch, Intake
from edge.link_runner import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, LinkRunner
from edge.messages import (
    AnyMessage,
    Command,
    Desired,
    DeviceSettings,
    Heard,
    LinkHealth,
    Models,
    RefusedSetting,
    Reported,
    Status,
)
from edge.outbox import Outbox, OutboxError
from edge.outbox_keeper import OutboxKeeper
from edge.publisher import Publisher
from edge.readings import Frame
from edge.recognition import known_models

log = logging.getLogger(__name__)

T = TypeVar("T")

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
DESIRED = "desired"
RUNS = "runs"
"""The setting that is kept while the gateway runs, and emptied when it has ended in good order."""


def _disk_under(folder: Path) -> tuple[int, int] | tuple[None, None]:
    """Bytes free and in all on the disk of a folder; nothing where it cannot be asked."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None, None
    return usage.free, usage.total


def open_link(config: LinkConfig, clock: Clock, intake: Intake) -> Link:
    """The link that a configuration section describes."""
    match config:
        case SerialConfig():
            return SerialLink(config, clock)
        case Rak3172Config():
            return Rak3172Link(config, clock, intake)
        case ChirpStackConfig():
            return ChirpStackLink(config, clock)
        case TtsConfig():
            return ThingsStackLink(config, clock)
        case BleConfig():
            return BleLink(config, clock, intake)
        case ModbusConfig():
            return ModbusLink(config, clock, intake)


class Gateway:
    """Guards one invariant: a source is acknowledged only after what came of it is durable."""

    def __init__(self, config: GatewayConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._outbox = Outbox(config.gateway.data / "outbox.db", config.gateway.name)
        self.intake = Intake(
            config.gateway.name, self._outbox.epoch, clock, config.gateway.interval_s, self._outbox.load_states()
        )
        self._publisher = Publisher(config.broker, self._outbox, on_connected=self._introduce, on_message=self._receive)
        self._errands = Errands(self, clock, self._outbox.epoch, explain=self.intake.explain, tell=self._publisher.tell)
        self._keeper = OutboxKeeper(self._outbox, clock, limits_of(config.gateway))
        self._inbox: asyncio.Queue[tuple[LinkRunner, Arrival]] = asyncio.Queue(INBOX)
        self._turn = asyncio.Lock()
        self._runners: dict[str, LinkRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._started = asyncio.Event()
        self._stopping = asyncio.Event()
        self._counters: Counter[str] = Counter()
        self._unkept: Desired | None = None
        self.progress = 0
        """Grows every second in which intake and outbox work, and with every commit that a disk refuses: when it stands
        still for longer than `LONGEST_BACKOFF_S`, the gateway hangs."""
        self._started_ms = clock.monotonic_ms()
        self._released = 0
        self._trusted_at_once = clock.utc_ms(self._started_ms) is not None
        self._reported = Reported(gateway=self._outbox.gateway, epoch=self._outbox.epoch, revision=0)
        self._adopt_last_good()

    async def run(self) -> None:
        """Read, aggregate and publish until `stop`; then settle what arrived and take leave of the broker."""
        async with asyncio.TaskGroup() as self._group:
            serving = [
                self._group.create_task(task)
                for task in (
                    *(self._publisher.run(), self._work(), self._tick()),
                    self._keeper.run(self._persist, self._publisher.wake),
                )
            ]
            self._start_links(self._config.link)
            self._started.set()
            serving.append(self._group.create_task(self._say_what_was_found()))
            await self._stopping.wait()
            deadline = asyncio.get_running_loop().time() + FAREWELL_S
            await self._stop_links(list(self._runners))
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
        known = {link.name: link for link in self._config.link}
        wanted = {link.name: link for link in config.link}
        await self._stop_links([name for name, link in known.items() if wanted.get(name) != link])
        self._start_links([link for name, link in wanted.items() if known.get(name) != link])
        self._config = config
        self._adopt(self._reported.revision, config.device)

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

    async def recalibrate(self, device: str) -> str | None:
        """Let a sensor learn its empty state anew; why it cannot, or None."""
        async with self._turn:
            batch = await self._new_batch()
            problem = self.intake.recalibrate(batch, device)
            await self._commit(batch)
        return problem

    async def restart_link(self, name: str) -> str | None:
        """Close a link and open it again; why that cannot be, or None."""
        config = next((link for link in self._config.link if link.name == name), None)
        if config is None:
            return f"no link {name!r}; expected {' or '.join(self._runners) or 'none: this gateway has no links'}"
        if name not in self._tasks:
            return "it is being opened again already"
        await self._stop_links([name])
        self._start_links([config])
        return None

    async def started(self) -> None:
        """Return when every link has been started, be it open by then or not."""
        await self._started.wait()

    async def listening(self) -> None:
        """Return when every link has been opened."""
        await self._started.wait()
        for runner in list(self._runners.values()):
            await runner.link.opened.wait()

    def links(self) -> tuple[LinkHealth, ...]:
        """How each link does, now."""
        return tuple(runner.health() for runner in self._runners.values())

    def status(self) -> Status:
        """How the gateway does, now."""
        now_ms = self._clock.utc_ms(self._clock.monotonic_ms())
        free, size = _disk_under(self._config.gateway.data)
        return Status(
            gateway=self._outbox.gateway,
            epoch=self._outbox.epoch,
            online=not self._stopping.is_set(),
            at=None if now_ms is None else to_datetime(now_ms),
            version=version("passerelle"),
            clock="trusted" if now_ms is not None else "not synchronised: counts wait for the time",
            queued=len(self._outbox),
            disk_free_bytes=free,
            disk_size_bytes=size,
            links=self.links(),
            counters=dict(self._counted()),
        )

    def _start_links(self, configs: Sequence[LinkConfig]) -> None:
        for config in configs:
            runner = LinkRunner(open_link(config, self._clock, self.intake), self._counters)
            self._runners[config.name] = runner
            self._tasks[config.name] = self._group.create_task(runner.run(self._inbox_of(runner)))

    async def _stop_links(self, names: Sequence[str]) -> None:
        """End links. Each runner sees to it that one which cannot close holds nobody up for long."""
        tasks = [self._tasks.pop(name) for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for name in names:
            del self._runners[name]

    async def _say_what_was_found(self) -> None:
        """One line on what the last life left; from now on only a good end counts as one."""
        runs = await self._persist(partial(self._outbox.recall, RUNS))
        last_stop = {None: "never, this is the first start", b"": "in good order"}.get(runs, "uncleanly")
        await self._persist(partial(self._outbox.remember, RUNS, self.name.encode()))
        log.info(
            "gateway runs name=%s links=%d devices=%d; found %d messages queued, %d observations waiting for the time;"
            " last stopped: %s",
            *(self.name, len(self._runners), len(self.intake.devices), await self._persist(self._outbox.__len__)),
            *(await self._persist(self._outbox.count_waiting), last_stop),
        )

    def _end_in_good_order(self) -> None:
        try:
            self._outbox.remember(RUNS, b"")
        except OutboxError as error:
            log.warning("the next start will call this end unclean: %s", error)
        self._outbox.close()

    def _inbox_of(self, runner: LinkRunner) -> Inbox:
        async def put(arrival: Arrival) -> None:
            await self._inbox.put((runner, arrival))

        return put

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

    async def _persist(self, operate: Callable[[], T]) -> T:
        """What `operate` gives, tried for as long as the disk refuses; one line says when the outbox works again."""
        backoff_s, attempts = FIRST_BACKOFF_S, 1
        while True:
            try:
                result = await asyncio.to_thread(operate)
                break
            except OutboxError as error:
                self._counters["commit_failed"] += 1
                self.progress += 1
                log.critical("cannot use the outbox: %s; again in %.0f s", error, backoff_s)
                await asyncio.sleep(backoff_s)
                backoff_s, attempts = min(2 * backoff_s, LONGEST_BACKOFF_S), attempts + 1
        if attempts > 1:
            log.warning("the outbox works again after %d attempts", attempts)
        return result

    async def _tick(self) -> None:
        ticks = 0
        headlines = None
        while True:
            await self._keep_desired()
            await self._close_due()
            self._tell_strangers()
            self._errands.end_due()
            news = self._headlines()
            if ticks % STATUS_EVERY_TICKS == 0 or news != headlines:
                self._publisher.tell(await self._persist(self.status))
                headlines = news
            ticks += 1
            self.progress += 1
            await asyncio.sleep(TICK_S)

    def _headlines(self) -> tuple[object, ...]:
        """What of the status is told as soon as it changes: how links do, and what was counted for the first time."""
        links = tuple(
            (runner.link.name, runner.state, frozenset(runner.refusals.by_name)) for runner in self._runners.values()
        )
        return links, frozenset(self._counted()), self._clock.utc_ms(0) is None

    def _counted(self) -> Counter[str]:
        return self._counters + self.intake.counters + self._publisher.counters + self._keeper.counters

    async def _close_due(self) -> None:
        """Date all that waited for the time, while arrivals have their turn in between; then close what is due."""
        while self.intake.can_release:
            async with self._turn:
                await self._commit(await self._new_batch())
            self.progress += 1
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
        devices = self.intake.strangers()
        if devices:
            heard = Heard(gateway=self._outbox.gateway, epoch=self._outbox.epoch, devices=devices[: messages.MAX_BATCH])
            self._publisher.tell(heard)

    async def _drain(self, deadline: float) -> None:
        """What arrived before the links stopped is settled; the publisher may send it until the loop's `deadline`."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._inbox.join()
                await self._keep_desired()
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
            return [self.status(), models, self._reported]
        except OutboxError as error:
            log.warning("no status at this connection: %s", error)
            return [models, self._reported]

    def _receive(self, message: AnyMessage) -> None:
        if isinstance(message, Desired):
            self._desire(message)
        elif isinstance(message, Command):
            self._group.create_task(self._errands.run(message))

    def _desire(self, desired: Desired) -> None:
        """Put the cloud's devices in force; they are kept by the next tick, and reported then."""
        known = self._reported
        self._adopt(desired.revision, desired.devices)
        if self._reported != known:
            log.info(
                "configuration applied revision=%d devices=%d refused=%d",
                *(desired.revision, len(self._reported.devices), len(self._reported.refused)),
            )
        self._unkept = desired

    async def _keep_desired(self) -> None:
        """Keep the devices in force for the next start, then report them."""
        desired, self._unkept = self._unkept, None
        if desired is None:
            return
        await self._persist(partial(self._outbox.remember, DESIRED, msgspec.json.encode(desired)))
        self._publisher.tell(self._reported)

    def _adopt_last_good(self) -> None:
        remembered = self._outbox.recall(DESIRED)
        desired = None if remembered is None else msgspec.json.decode(remembered, type=Desired)
        if desired is None:
            self._adopt(0, self._config.device)
        else:
            self._adopt(desired.revision, desired.devices)

    def _adopt(self, revision: int, devices: tuple[DeviceSettings, ...]) -> None:
        """Adopt what can be adopted; a device that cannot is refused with its reason and disturbs no other."""
        refused = refused_devices(devices)
        self.intake.adopt(_without(devices, refused))
        for setting in refused:
            log.error("device refused address=%s: %s", setting.where, setting.reason)
        self._reported = Reported(
            gateway=self._outbox.gateway,
            epoch=self._outbox.epoch,
            revision=revision,
            devices=self.intake.devices,
            refused=tuple(refused),
        )


def _without(devices: tuple[DeviceSettings, ...], refused: Sequence[RefusedSetting]) -> list[DeviceSettings]:
    names = {setting.where for setting in refused}
    return [device for device in devices if device.address not in names]
