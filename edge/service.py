"""A gateway as a service: run from its file, told what to do by signals. SIGTERM and SIGINT stop it, SIGHUP reloads.

In comes a path, out comes None or what went wrong in words. A file with a mistake never replaces the last good one.
"""

import asyncio
import logging
import signal
from pathlib import Path

from edge.clock import SystemClock
from edge.config import ConfigError, GatewayConfig, load
from edge.gateway import Gateway
from edge.outbox import OutboxError

log = logging.getLogger(__name__)


def check_configuration(path: Path) -> str | None:
    """What is wrong with the file, in one line; None when it is good."""
    try:
        load(path)
    except ConfigError as error:
        return f"ConfigError: {error}"
    return None


def run_service(path: Path) -> str | None:
    """Run the gateway until it is told to stop; None, or why it could not start."""
    try:
        asyncio.run(_run(path, load(path)))
    except (ConfigError, OutboxError) as error:
        return f"{type(error).__name__}: {error}"
    return None


async def _run(path: Path, config: GatewayConfig) -> None:
    gateway = Gateway(config, SystemClock(config.gateway.clock))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, gateway.stop)
    wanted = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, wanted.set)
    async with asyncio.TaskGroup() as tasks:
        reloading = tasks.create_task(_reload(gateway, path, wanted))
        await gateway.run()
        reloading.cancel()


async def _reload(gateway: Gateway, path: Path, wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            config = load(path)
        except ConfigError as error:
            log.error("configuration not applied, the last good one stays: %s", error)  # noqa: TRY400 - one line
            continue
        await gateway.apply(config)
        log.info("configuration applied file=%s", path)
