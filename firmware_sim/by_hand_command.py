"""The command `passerelle devices simulate`: one serial sensor without hardware, moved by hand.

In come a model, a path and Enters, out come real bytes on a pseudo-terminal of that name, until Ctrl-C. Mistakes end it
with exit status 2, what fails at run time with 1.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.by_hand import SCENES, Scene
from firmware_sim.links.pty import READ_SIZE, SerialPeer

FAILED, MISUSED = 1, 2


def simulate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=f"One of {', '.join(SCENES)}.")],
    port: Annotated[Path, typer.Argument(metavar="PORT", help="The serial port to be made; it goes at the end.")],
) -> None:
    """Be one sensor on a serial port of its own, moved by hand, until Ctrl-C.

    Enter lets something happen before it: a car comes or goes, somebody walks by. What is true is printed, to be held
    against what the gateway and the platform say.

    Examples:

        passerelle devices simulate benewake-tf-luna bay

        passerelle devices simulate hlk-ld2450 /tmp/passage
    """
    if model not in SCENES:
        raise _failed(f"MODEL {model!r}: one of {', '.join(SCENES)} expected", MISUSED)
    if port.exists() and not port.is_symlink():
        raise _failed(f"PORT {port}: there is a file of that name; another name expected", MISUSED)
    try:
        wire = SerialPeer(port)
    except OSError as error:
        raise _failed(f"PORT {port} cannot be made: {error.strerror}", FAILED) from error
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with closing(wire), suppress(KeyboardInterrupt):
        wire.only_speak()
        scene = SCENES[model]()
        typer.echo(f"{model} speaks on {port}. Enter: {scene.enter}. Ctrl-C: unplugged.")
        _speak(scene, wire, lambda: datetime.now(UTC))


def _speak(scene: Scene, wire: SerialPeer, clock: Callable[[], datetime]) -> None:
    watched = [sys.stdin.fileno()]
    due_s = time.monotonic()
    while True:
        ready, _, _ = select.select(watched, [], [], max(0, due_s - time.monotonic()))
        if not ready:
            wire.send(scene.frame(clock()))
            due_s += scene.every.total_seconds()
        elif typed := os.read(watched[0], READ_SIZE):
            for _ in range(typed.count(b"\n")):
                typer.echo(f"{clock():%H:%M:%S} UTC {scene.happen(clock())}")
        else:
            watched.clear()


def _failed(message: str, status: int) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(status)
