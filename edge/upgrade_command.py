"""The commands `passerelle edge upgrade` and `passerelle edge back`: another version takes over, or all is as before.

In comes a wheel or a version, out come lines that say what is done, and exit status 1 with the reason when the version
before runs again.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated
from zipfile import is_zipfile

import typer

from edge.exits import FAILED, MISUSED, failed
from edge.upgrade import WATCH_S, Machine, UpgradeError, take_over
from edge.upgrade import upgrade as run_upgrade

ENDED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A terminal that goes away must not leave a new version unwatched: the upgrade then goes back."""

Config = Annotated[Path, typer.Option("--config", "-c", help="The gateway's configuration file.")]
Watch = Annotated[
    float, typer.Option("--watch", min=5, help="Seconds that the new version is watched; below 60 they prove little.")
]
CONFIG = Path("/etc/passerelle/gateway.toml")


def upgrade(
    wanted: Annotated[str, typer.Argument(metavar="WHEEL|VERSION", help="A wheel file, or a version.")],
    wheels: Annotated[
        Path | None, typer.Option(help="Take every package from this folder: no network is asked.", file_okay=False)
    ] = None,
    config: Config = CONFIG,
    watch: Watch = WATCH_S,
) -> None:
    """Install another version beside this one; it is kept if it does as well as this one, else this one goes on.

    Open intervals and the queue stay, whichever way it ends. Run it as root.

    Examples:

        passerelle edge upgrade /media/stick/passerelle-0.2.0-py3-none-any.whl --wheels /media/stick

        passerelle edge upgrade 0.2.0
    """
    if not wanted.endswith(".whl"):
        wanted = f"passerelle=={wanted}"
    elif not Path(wanted).is_file():
        raise failed(f"WHEEL: there is no file {wanted}", MISUSED)
    elif not is_zipfile(wanted):
        raise failed(f"WHEEL: {wanted} is torn, or no wheel: copy it again", MISUSED)
    else:
        wanted = str(Path(wanted).resolve())
    if wheels is not None and not wheels.is_dir():
        raise failed(f"--wheels: there is no folder {wheels}", MISUSED)
    _run(config, wheels, lambda machine: run_upgrade(machine, wanted, watch, _say))


def back(config: Config = CONFIG, watch: Watch = WATCH_S) -> None:
    """Return to the version in the other folder, with all that was counted, queued and open.

    Examples:

        passerelle edge back
    """
    _run(config, None, lambda machine: take_over(machine, watch, _say))


def _run(config: Path, wheels: Path | None, change: Callable[[Machine], None]) -> None:
    from edge.config import ConfigError, load
    from edge.lock_file import locked
    from edge.upgrade_machine import PiMachine

    programs = Path(sys.prefix).parent
    if not (programs / "current").is_symlink():
        raise failed(f"{sys.prefix} is no folder of deploy/edge/install: only what that installs is upgraded", MISUSED)
    os.umask(0o022)
    try:
        machine = PiMachine(programs, config.resolve(), load(config), None if wheels is None else wheels.resolve())
        with locked(programs / "upgrade.lock"), _interrupted_by(*ENDED_BY):
            change(machine)
    except BlockingIOError:
        raise failed("another upgrade is under way", FAILED) from None
    except (ConfigError, UpgradeError, OSError) as error:
        raise failed(f"{type(error).__name__}: {error}", FAILED) from error


@contextmanager
def _interrupted_by(*numbers: signal.Signals) -> Iterator[None]:
    """The first of these signals raises `KeyboardInterrupt`; going back then, nothing interrupts."""
    before = {number: signal.getsignal(number) for number in numbers}

    def interrupt(_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    """On a terminal that may have gone away."""
    with suppress(OSError):
        typer.echo(line)
