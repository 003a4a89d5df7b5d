"""The command `passerelle doctor`: examines a gateway and tells a technician what is wrong and what to do.

In comes a configuration file, out come one line for each thing that was looked at, and exit status 1 when something
must be mended.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from edge.exits import FAILED
from edge.findings import Finding, Verdict
from edge.tables import print_table

STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "bold red"}


def doctor(
    config: Annotated[Path, typer.Option("--config", "-c", help="The gateway's configuration file.")] = Path(
        "/etc/passerelle/gateway.toml"
    ),
) -> None:
    """Examine this gateway: clock, disk, outbox, ports, Bluetooth, brokers, devices.

    It changes nothing and disturbs no gateway at work. Exit status 1 when something is wrong.

    Examples:

        passerelle doctor --config gateway.toml

        sudo -u passerelle passerelle doctor
    """
    from edge.doctor import examine

    findings = show(examine(config, datetime.now(UTC)))
    verdicts = Counter(finding.verdict for finding in findings)
    typer.echo(f"{verdicts[Verdict.WRONG]} wrong, {verdicts[Verdict.WARNING]} to look at, {verdicts[Verdict.OK]} ok")
    if verdicts[Verdict.WRONG]:
        raise typer.Exit(FAILED)


def show(findings: Iterable[Finding]) -> list[Finding]:
    """Print findings: as a table on a terminal, elsewhere as plain lines, each as soon as it is found."""
    if sys.stdout.isatty():
        found = list(findings)
        print_table(table(found))
        return found
    found = []
    for finding in findings:
        advice = f" -> {finding.advice}" if finding.advice else ""
        typer.echo(f"{finding.verdict:<7}  {finding.what}: {finding.says}{advice}")
        found.append(finding)
    return found


def table(findings: list[Finding]) -> Table:
    """One line a finding."""
    lines = Table("", "what", box=None, pad_edge=False)
    for column in ("found", "what to do"):
        lines.add_column(column, overflow="fold")
    for finding in findings:
        verdict = Text(finding.verdict, style=STYLES[finding.verdict])
        lines.add_row(verdict, Text(finding.what), Text(finding.says), Text(finding.advice))
    return lines
