"""A gateway for tests, on a data folder and a real broker, with a clock turned by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from edge.clock import Clock
from edge.config import GatewayConfig, GatewaySection, LinkConfig
from edge.gateway import Gateway
from edge.messages import DeviceSettings, GatewayName
from edge.publisher import BrokerConfig
from tests.broker import Mosquitto

NAME = GatewayName("mairie")


def configuration(
    folder: Path, broker: Mosquitto, links: tuple[LinkConfig, ...] = (), devices: tuple[DeviceSettings, ...] = ()
) -> GatewayConfig:
    """What its file would say."""
    return GatewayConfig(
        gateway=GatewaySection(name=NAME, data=folder),
        broker=BrokerConfig(host=broker.host, port=broker.port),
        link=links,
        device=devices,
    )


def gateway_at(folder: Path, broker: Mosquitto, clock: Clock) -> Gateway:
    """One without links and devices."""
    return Gateway(configuration(folder, broker), clock)


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[None]:
    """It runs for the length of a `with`; what ended it before is raised at the end."""
    task = asyncio.create_task(gateway.run())
    try:
        await gateway.started()
        yield
    finally:
        gateway.stop()
        await task
