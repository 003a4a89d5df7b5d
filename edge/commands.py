"""The command `passerelle edge`: runs a gateway from its configuration file, checks the file, enrols and upgrades it.

In comes a path, out comes an exit status, and what is wrong in words. A gateway that runs takes the place of this
process: what reads command lines takes 20 MB, and would stay for years.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.enrol_command import enrol
from edge.exits import MISUSED, failed
from edge.upgrade_command import back, upgrade
from passerelle_log import LogFormat

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

edge_app = typer.Typer(help="Run a gateway: read sensors, aggregate, publish.", rich_markup_mode="markdown")
edge_app.command()(enrol)
edge_app.command()(upgrade)
edge_app.command()(back)


@edge_app.callback(invoke_without_command=True)
def edge(
    context: typer.Context,
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file (TOML).")] = Path(
        "/etc/passerelle/gateway.toml"
    ),
    check: Annotated[bool, typer.Option("--check", help="Only check the configuration, then stop.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    log_format: Annotated[LogFormat, typer.Option(help="Lines for people, or a JSON object a line.")] = LogFormat.TEXT,
) -> None:
    """Run a gateway from its configuration file until it is told to stop.

    SIGHUP reads the file again; when it has a mistake, the last good configuration stays in force.

    Examples:

        passerelle edge --config gateway.toml

        passerelle edge --config gateway.toml --check
    """
    if context.invoked_subcommand is not None:
        return
    if log_level.upper() not in LOG_LEVELS:
        raise failed(f"--log-level: expected one of {', '.join(LOG_LEVELS).lower()}, got {log_level!r}", MISUSED)
    if check:
        _check(config)
    else:
        arguments = (str(config), log_level.upper(), log_format.value)
        os.execv(sys.executable, [sys.executable, "-P", "-m", "edge.service", *arguments])


def _check(config: Path) -> None:
    from edge.service import check_configuration

    mistake = check_configuration(config)
    if mistake is not None:
        raise failed(mistake, MISUSED)
    typer.echo(f"{config}: good")
