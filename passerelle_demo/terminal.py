"""What a person reads while the demo runs."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from firmware_sim.broker import RunningBroker
from firmware_sim.history import History
from firmware_sim.live import Peer
from firmware_sim.town import Link
from passerelle_demo.folder import Files

console = Console(soft_wrap=True)


def say_what_to_open(
    files: Files,
    listener: socket.socket,
    broker: RunningBroker,
    peers: Mapping[Link, Peer],
    speed: float,
    *,
    sign_in: str,
) -> None:
    """The addresses of all that there is, with the secret that signs in."""
    host, port = listener.getsockname()
    address = f"http://{host}:{port}"
    console.print("\n[bold]Saint-Aubin-sur-Passerelle is alive.[/bold] Its people, drivers and sensors are simulated;")
    console.print(
        f"bytes, links ({', '.join(sorted(peers))}) and broker are real. A second here is {speed:g} s there.\n"
    )
    console.print(f"  Page    {address}/")
    console.print(f"  Sign in {address}/technician/sign-in/{sign_in}", soft_wrap=True)
    console.print(f"          once; then {address}/technician (sensors), {address}/bureau (reports)")
    console.print(f"          and {address}/operations (is all well?)")
    console.print(f"  API     {address}/v1/parking/zones    {address}/v1/flows/counters    {address}/metrics")
    console.print(f"          {address}/v1/parking/zones/place-du-marche/forecast?in=15,30,60")
    console.print(f"  Broker  {broker.product} on {broker.host}:{broker.port}, topics passerelle/#")
    console.print(f"  Data    {files.folder} (delete it to begin anew); log in {files.log.name}\n")
    console.print("Ctrl-C stops everything.")


@contextmanager
def progress_of(history: History) -> Iterator[tuple[Progress, TaskID]]:
    """A bar for the length of a `with`, in simulated seconds told."""
    columns = (
        TextColumn("Preparing history"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield progress, progress.add_task("history", total=history.total_s)
