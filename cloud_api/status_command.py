"""The command `passerelle status`: a town at one glance in the terminal, asked of its API over HTTP.

In come an address and a key's file, out come a few tables, or the API's own JSON; exit status 1 when something wants
attention or nothing can be learnt.
"""

import ssl
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final

import httpx
import msgspec
import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from cloud_api.concerns import NOT_BELIEVED, Concern
from cloud_api.exits import FAILURE, USAGE, end
from cloud_api.glance import GatewayGlance, Glance
from cloud_api.pulse import IngestGlance
from cloud_api.sensor_glance import SensorKind
from cloud_api.town_status import TownStatus
from cloud_api.trust import Trust, lasting

PATH: Final = "/v1/status"
PATIENCE_S: Final = 20.0


def status(
    url: Annotated[str, typer.Option(help="Where the town's API is served: https://HOST.")],
    key_file: Annotated[
        Path | None, typer.Option(help="A file that holds a key alone (passerelle key create --scope provision).")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates (PEM) to check the town's against [default: the system's].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's answer, for programs.")] = False,
) -> None:
    """Show a whole town at one glance: gateways, sensors, store, and what wants attention.

    Ends with 1 when something does.

    Examples:

        passerelle status --url https://parking.town.example --key-file operator.key

        passerelle status --url https://10.0.0.5 --key-file operator.key --ca-file ca.pem --json
    """
    body = _ask(url, key_file, ca_file)
    try:
        told = msgspec.json.decode(body, type=TownStatus)
    except msgspec.MsgspecError as error:
        end(FAILURE, f"{url}{PATH}: not the answer of a Passerelle of this version: {error}")
    if as_json:
        typer.echo(body.decode())
    else:
        _show(told)
    if told.attention:
        raise typer.Exit(FAILURE)


def _ask(url: str, key_file: Path | None, ca_file: Path | None) -> bytes:
    if not url.startswith(("http://", "https://")):
        end(USAGE, f"--url {url!r}: https://HOST[:PORT] expected")
    headers = {} if key_file is None else {"Authorization": f"Bearer {_key(key_file)}"}
    trusted = _trusted(ca_file)
    try:
        answer = httpx.get(url.rstrip("/") + PATH, headers=headers, timeout=PATIENCE_S, verify=trusted)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            advice = "check the clock, and give --ca-file where the town has its own authority"
            end(FAILURE, f"the certificate of {url} is not believed: {error}; {advice}")
        end(FAILURE, f"{url} does not answer: {error}")
    if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        end(USAGE, f"{url} wants a key that may provision: --key-file FILE (passerelle key create --scope provision)")
    if answer.status_code != HTTPStatus.OK:
        end(FAILURE, f"{url}{PATH} answers {answer.status_code} {answer.reason_phrase}")
    return answer.content


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        end(USAGE, f"--ca-file {ca_file}: certificates (PEM) expected: {error}")


def _key(file: Path) -> str:
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        end(USAGE, f"--key-file {file}: {error}")
    if len(text.split()) != 1:
        end(USAGE, f"--key-file {file}: one key alone expected")
    return text


def _show(told: TownStatus) -> None:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    glance = told.glance
    console.print(Text(f"{told.town}, {glance.at:%Y-%m-%d %H:%M:%SZ}", style="bold"))
    for part in (_gateways(glance), _sensors(glance), _platform(told)):
        console.print()
        console.print(part)
    console.print()
    if not told.attention:
        console.print(Text("all is well", style="green"))
        return
    console.print(Text(f"{len(told.attention)} to look at", style="bold red"))
    for each in told.attention:
        console.print(f"- {line_of(each, glance)}")


def line_of(concern: Concern, glance: Glance) -> str:
    """What is wrong, and for how long."""
    said = f"{concern.about.en}: {concern.text.en}"
    return said if concern.since is None else f"{said}, for {lasting(glance.at - concern.since).en}"


def _gateways(glance: Glance) -> RenderableType:
    table = Table("gateway", "label", "", "last heard", "waiting", "links down", box=None, pad_edge=False)
    for each in glance.gateways:
        state = Text("on line", style="green") if each.online else Text("OFF LINE", style="red")
        table.add_row(each.name, each.label, state, _heard(each, glance), str(each.queued), ", ".join(each.links_down))
    return table if glance.gateways else "no gateways yet; passerelle gateway add makes one"


def _heard(gateway: GatewayGlance, glance: Glance) -> str:
    return "never" if gateway.told_at is None else f"{lasting(glance.at - gateway.told_at).en} ago"


def _ago(ingest: IngestGlance, glance: Glance) -> str:
    at = ingest.last_commit_at
    return "never" if at is None else f"{lasting(glance.at - at).en} ago"


def _sensors(glance: Glance) -> Table:
    counts = {(each.kind, each.trust): each.sensors for each in glance.sensors.tallies}
    shown = [trust for trust in Trust if any((kind, trust) in counts for kind in SensorKind)]
    table = Table("sensors of", *shown, box=None, pad_edge=False)
    for kind in SensorKind:
        cells = (_count(counts.get((kind, trust), 0), trust) for trust in shown)
        table.add_row(f"{kind}s", *cells)
    return table


def _count(sensors: int, trust: Trust) -> Text:
    return Text(str(sensors), style="red" if sensors and trust in NOT_BELIEVED else "")


def _platform(told: TownStatus) -> Table:
    table = Table("platform", "", box=None, pad_edge=False)
    for name, words in _lines(told):
        table.add_row(name, words)
    return table


def _lines(told: TownStatus) -> Iterator[tuple[str, str]]:
    glance = told.glance
    kept, ingest = told.kept, glance.ingest
    yield "store", kept.store_problem or "answers"
    yield "quarantine", "not known" if kept.quarantined is None else f"{kept.quarantined} waiting"
    yield f"ingest, worker {ingest.worker}", f"{ingest.facts_per_minute:g} facts a minute, last {_ago(ingest, glance)}"
    yield "backup", "none" if kept.backup is None else f"{kept.backup.file}, {kept.backup.at:%Y-%m-%d %H:%MZ}"
    for disk in glance.disks:
        yield f"disk of the {disk.file}", f"{disk.free_bytes / 1e9:.1f} GB of {disk.size_bytes / 1e9:.1f} GB free"
    for each in glance.connections:
        yield f"broker, {each.name}", each.problem or "connected"
    for certificate in glance.certificates:
        yield f"certificate {certificate.name}", f"until {certificate.ends_at:%Y-%m-%d}"
