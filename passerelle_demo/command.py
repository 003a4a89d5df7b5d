"""`passerelle demo`: its options, and what keeps it from running in words."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cloud_api.registry.errors import RegistryError
from cloud_api.server import listen
from cloud_api.stores.base import StoreError
from edge.outbox import OutboxError
from firmware_sim.broker import BrokerError, Product, running_broker
from passerelle_demo.folder import DemoError, Files
from passerelle_demo.running import run
from passerelle_demo.terminal import console

HOST = "127.0.0.1"
FAILED = 1


def demo(
    port: Annotated[int, typer.Option(help="TCP port of the page and the API.", min=1, max=65_535)] = 8000,
    data: Annotated[Path, typer.Option(help="Folder for everything the demo keeps; delete it to begin anew.")] = Path(
        "demo-data"
    ),
    seed: Annotated[
        int, typer.Option(help="Which town: keys, passages and drivers. A folder keeps the town it began with.", min=0)
    ] = 1,
    speed: Annotated[float, typer.Option(help="Simulated seconds per second.", min=0.1, max=60)] = 10,
    days: Annotated[int, typer.Option(help="Days of history to prepare at the first start.", min=0, max=60)] = 2,
    broker: Annotated[
        Product, typer.Option(help="Broker to run; auto takes mosquitto where it is installed.")
    ] = Product.AUTO,
) -> None:
    """Start a small town on simulated sensors, a gateway, a broker, the API and its page; Ctrl-C stops everything.

    A second start goes on with the data of the first.

    Examples:

        passerelle demo

        passerelle demo --port 8080 --speed 1 --days 7 --data /tmp/town
    """
    files = Files(data.resolve())
    failures: list[Exception] = []
    try:
        with files.held(), _listening(port) as listener, running_broker(files.folder / "broker", broker) as running:
            logging.basicConfig(
                filename=files.log, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
            )
            asyncio.run(run(files, listener, running, seed=seed, speed=speed, days=days))
    except* (DemoError, BrokerError, StoreError, RegistryError, OutboxError, OSError) as group:
        failures.extend(group.exceptions)
    if failures:
        console.print("[red]The demo cannot run:[/red]", escape(str(failures[0])))
        raise typer.Exit(FAILED)


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    try:
        listener = listen(HOST, port)
    except OSError as error:
        raise OSError(f"port {port} is taken ({error.strerror}); choose another with --port") from error
    with listener:
        yield listener
