"""A gateway as a service: run from its file, told what to do by signals. SIGTERM and SIGINT stop it, SIGHUP reloads.

In comes a path, out comes None or what went wrong in words; systemd hears how it does. A file with a mistake never
replaces the last good one, and a gateway that makes no progress never tells the watchdog that it does.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from threading import Timer

from edge.clock import SystemClock
from edge.config import ConfigError, GatewayConfig, load
from edge.exits import FAILED, MISUSED, failed
from edge.gateway import Gateway
from edge.health import Health, health_file
from edge.health import write as write_health
from edge.link_runner import UP
from edge.lock_file import locked
from edge.messages import Status
from edge.notify import READY, STOPPING, WATCHDOG, Notifier, notifier, status
from edge.outbox import OutboxError
from passerelle_log import LogFormat, set_up_log

log = logging.getLogger(__name__)

TELL_EVERY_S = 30.0
"""How often systemd hears how the gateway does, unless its watchdog wants to hear sooner."""
STOP_WITHIN_S = 4.0
"""After so long a stopped gateway ends whatever still waits in a thread (a dead peer, a driver): all is durable."""


def main() -> None:
    """`python -m edge.service FILE LEVEL FORMAT`, as `passerelle edge` starts it: until it is told to stop."""
    path, level, log_format = Path(sys.argv[1]), sys.argv[2], LogFormat(sys.argv[3])
    mistake = check_configuration(path)
    if mistake is not None:
        raise failed(mistake, MISUSED)
    set_up_log(level, log_format, "%(asctime)s %(levelname)s %(name)s %(message)s")
    failure = run_service(path)
    if failure is not None:
        raise failed(failure, FAILED)


def check_configuration(path: Path) -> str | None:
    """What is wrong with the file, in one line; None when it is good."""
    try:
        load(path)
    except ConfigError as error:
        return f"ConfigError: {error}"
    return None


def run_service(path: Path) -> str | None:
    """Run the gateway until it is told to stop; None, or why it could not start or go on."""
    failures: list[str] = []
    try:
        config = load(path)
        with _alone_in(config.gateway.data):
            asyncio.run(_run(path, config))
    except* (ConfigError, OutboxError) as group:
        failures = [f"{type(error).__name__}: {error}" for error in _flat(group)]
    return failures[0] if failures else None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """No other gateway runs on this data folder for the length of a `with`. Raises `OutboxError`."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / "lock"))
        except BlockingIOError as error:
            advice = "stop that one first, or give this gateway a data folder of its own"
            raise OutboxError(folder, "another gateway runs on this data folder", advice=advice) from error
        except OSError as error:
            advice = "check the disk (full, read-only, worn out) and who owns the folder"
            raise OutboxError(folder, str(error), advice=advice) from error
        yield


def _flat(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _flat(error)
        else:
            yield error


async def _run(path: Path, config: GatewayConfig) -> None:
    gateway = Gateway(config, SystemClock(config.gateway.clock))
    systemd = notifier(os.environ)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, _stop, gateway, systemd)
    wanted = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, wanted.set)
    async with asyncio.TaskGroup() as tasks:
        serving = [
            tasks.create_task(_reload(gateway, path, wanted)),
            tasks.create_task(report_to(systemd, gateway, health_file(os.environ))),
        ]
        await gateway.run()
        for task in serving:
            task.cancel()


def _stop(gateway: Gateway, systemd: Notifier) -> None:
    systemd.tell(STOPPING, status("stopping: what arrived is made durable and sent"))
    gateway.stop()
    last_resort = Timer(STOP_WITHIN_S, _leave)
    last_resort.daemon = True
    last_resort.start()


def _leave() -> None:
    log.error("not everything has closed within %g s; leaving without it, the outbox keeps all", STOP_WITHIN_S)
    os._exit(0)


async def report_to(systemd: Notifier, gateway: Gateway, health: Path | None = None) -> None:
    """Tell systemd that the gateway runs, then how it does, until cancelled; the watchdog only while it progresses.

    `health` is the file that says the same on this machine.
    """
    await gateway.started()
    systemd.tell(READY)
    every_s = min(TELL_EVERY_S, (systemd.watchdog_s or 2 * TELL_EVERY_S) / 2)
    seen = -1
    while systemd.address is not None:
        if gateway.progress != seen:
            seen = gateway.progress
            systemd.tell(WATCHDOG)
        systemd.tell(status(await _how_it_does(gateway, health)))
        await asyncio.sleep(every_s)


async def _how_it_does(gateway: Gateway, file: Path | None) -> str:
    """In one line, and in the file."""
    try:
        told, trouble = await gateway.current_status(), ""
    except OutboxError as error:
        told, trouble = None, str(error)
    health = Health(
        pid=os.getpid(),
        version=version("passerelle"),
        progress=gateway.progress,
        broker=gateway.is_connected,
        links=tuple(link.name for link in gateway.links() if link.state == UP),
        devices=gateway.adopted,
        trouble=trouble,
    )
    await asyncio.to_thread(write_health, file, health)
    return trouble if told is None else in_one_line(told)


def in_one_line(told: Status) -> str:
    """How a gateway does, for `systemctl status`."""
    links = ", ".join(f"{link.name} {link.state.split(':')[0]}" for link in told.links) or "no links"
    return f"{links}; not confirmed as stored: {told.queued}; clock {told.clock}"


async def _reload(gateway: Gateway, path: Path, wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            config = load(path)
        except ConfigError as error:
            log.warning("configuration not applied, the last good one stays: %s", error)
            continue
        await gateway.apply(config)
        log.info("configuration applied file=%s", path)


if __name__ == "__main__":
    main()
