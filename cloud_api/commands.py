"""The command `passerelle api`: reads its options, opens the store, and serves until it is told to stop.

Mistakes in options and files end it with exit status 2, what fails at run time with 1, each in one line that says
what to do.
"""

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from cloud_api.exits import FAILURE, end, mistakes_in_words
from cloud_api.provisioning.broker_rules import ADMIN
from cloud_api.rate_limits import Limits, Rate
from cloud_api.retention import parse_policy
from cloud_api.scopes import Scope
from cloud_api.settings import (
    IGN_PLAN,
    Broker,
    ConfigError,
    Credit,
    Enrolment,
    SchoolZone,
    Settings,
    SigningAuthority,
    Tiles,
)
from cloud_api.stores.address import SqliteAddress, parse_store_url
from passerelle_log import LogFormat, set_up_log

if TYPE_CHECKING:
    from cloud_api.app import Api

app = typer.Typer(no_args_is_help=True)

PORTS = {"mqtt": 1883, "mqtts": 8883}
TILE_SERVER = re.compile(r"https?://(?P<host>[a-z0-9.-]+)(:\d+)?/")
"""It becomes part of the page's security policy, so it holds nothing else."""
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?")
BURST_S = 10
"""So many seconds' requests may come at once."""
TILE_FIELDS = ("{z}", "{x}", "{y}")


@app.callback()
def cloud() -> None:
    """The city's platform."""


@app.command()
def api(
    store: Annotated[
        str, typer.Option(help="Where history is kept: sqlite:///FILE or influxdb://USER@HOST:PORT/DATABASE.")
    ],
    broker: Annotated[str, typer.Option(help="The MQTT 5 broker: mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS.")],
    port: Annotated[int, typer.Option(help="TCP port to serve on; 0 takes a free one.", min=0, max=65_535)] = 8000,
    host: Annotated[str, typer.Option(help="Address to serve on; 0.0.0.0 for all.")] = "127.0.0.1",
    password_file: Annotated[Path | None, typer.Option(help="A file that holds the broker's password alone.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="Certificates (PEM) to check the broker's against.")] = None,
    registry: Annotated[
        str | None,
        typer.Option(
            help="Where places are kept: a file, sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE "
            "[default: registry.db beside the store]."
        ),
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="File for device health and quarantine [default: beside the store].")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="The town's time zone.")] = "Europe/Paris",
    school_zone: Annotated[
        SchoolZone | None,
        typer.Option(help="Whose school holidays forecasts know: the town's group of académies [default: none]."),
    ] = None,
    title: Annotated[str, typer.Option(help="What the town calls this service.")] = "Passerelle",
    town: Annotated[
        str | None, typer.Option(help="The town's name, for those who read many [default: the title].")
    ] = None,
    worker: Annotated[str, typer.Option(help="This process's name in the broker's log.")] = "1",
    feeds: Annotated[
        Path | None, typer.Option(help="Others' car parks, and the State's traffic orders (TOML, see docs/feeds.md).")
    ] = None,
    calendar: Annotated[
        Path | None, typer.Option(help="The office's markets and events, for reports (TOML, see docs/indicators.md).")
    ] = None,
    flows_by_key: Annotated[
        bool, typer.Option("--flows-by-key", help="People counts only for holders of a key (passerelle key create).")
    ] = False,
    gateway_broker: Annotated[
        str | None,
        typer.Option(help="The broker as gateways reach it, where they enrol themselves: mqtts://HOST[:PORT]."),
    ] = None,
    gateway_ca_file: Annotated[
        Path | None, typer.Option(help="Certificates (PEM) that gateways check the broker's against [default: any].")
    ] = None,
    broker_admin_password_file: Annotated[
        Path | None, typer.Option(help="The broker's admin password, with which gateways are let in (broker init).")
    ] = None,
    gateway_signing_ca_file: Annotated[
        Path | None, typer.Option(help="The authority (PEM) that signs gateways' certificates, where they need any.")
    ] = None,
    gateway_signing_key_file: Annotated[Path | None, typer.Option(help="That authority's private key (PEM).")] = None,
    enrol_over_plain_http: Annotated[
        bool, typer.Option("--enrol-over-plain-http", help="Tell gateways their passwords over HTTP without TLS too.")
    ] = False,
    origin: Annotated[
        list[str] | None, typer.Option(help="A site whose pages may ask from browsers: https://HOST; '*' is all.")
    ] = None,
    per_second: Annotated[
        float, typer.Option(help="Requests a second that one address may ask for in the long run.", min=0.1)
    ] = Limits().address.per_s,
    proxy: Annotated[
        list[str] | None,
        typer.Option(help="A proxy in front, whose word for who asks is believed [default: 127.0.0.1]."),
    ] = None,
    tiles: Annotated[
        str, typer.Option(help="The map's background: ign, none, or https://HOST/… with {z}, {x} and {y}.")
    ] = "ign",
    keep_raw: Annotated[
        str, typer.Option(help="Months after which of counts only hourly sums are kept, or 'ever'.")
    ] = "13",
    keep_hours: Annotated[str, typer.Option(help="Months after which hourly sums go too, or 'ever'.")] = "ever",
    tiles_credit: Annotated[str, typer.Option(help="Whom the page thanks for a background of your own.")] = "",
    log_format: Annotated[LogFormat, typer.Option(help="Lines for people, or a JSON object a line.")] = LogFormat.TEXT,
) -> None:
    """Serve the town's API and take in what its gateways send.

    Places come into the registry by `passerelle places import`; what changes there is served within seconds.

    Examples:

    passerelle api --store sqlite:///history.db --broker mqtt://127.0.0.1

    passerelle api --registry postgresql://passerelle@db.example/town?password_file=registry-password
    --store influxdb://passerelle@db.example:8086/town?password_file=db-password
    --broker mqtts://api@broker.example --password-file broker-password
    """
    set_up_log("INFO", log_format, "%(levelname)s %(name)s: %(message)s")
    with mistakes_in_words():
        own_broker = parse_broker(broker, password_file, ca_file)
        policy = parse_policy(keep_raw, keep_hours)
        settings = Settings(
            broker=own_broker,
            ledger=ledger or ledger_beside(store),
            store_file=file_of(store),
            time_zone=parse_zone(time_zone),
            school_zone=school_zone,
            title=title,
            town=town,
            worker=worker,
            everyone_may=frozenset() if flows_by_key else frozenset({Scope.READ_FLOWS}),
            origins=parse_origins(origin or ()),
            limits=Limits(address=Rate(per_s=per_second, burst=round(per_second * BURST_S) or 1)),
            proxies=tuple(proxy or ("127.0.0.1",)),
            keep_raw=policy.raw,
            keep_hours=policy.hours,
            tiles=parse_tiles(tiles, tiles_credit),
            enrolment=parse_enrolment(
                own_broker,
                broker_admin_password_file,
                gateway_broker,
                gateway_ca_file,
                parse_authority(gateway_signing_ca_file, gateway_signing_key_file),
                over_plain_http=enrol_over_plain_http,
            ),
        )
        _serve(settings, registry or registry_beside(store), store, host, port, feeds, calendar)


def parse_broker(
    url: str, password_file: Path | None = None, ca_file: Path | None = None, *, option: str = "--broker"
) -> Broker:
    """The broker at an address such as `mqtts://user@host:8883`; `option` is who gave it. Raises `ConfigError`."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ConfigError(f"{option} {url!r}: mqtt://[USER@]HOST[:PORT] or mqtts://[USER@]HOST[:PORT] expected")
    if parts.password is not None:
        raise ConfigError(f"{option}: a password here is seen by everyone on this machine; use --password-file")
    if password_file is not None and parts.username is None:
        raise ConfigError("--password-file: a user is expected too, in --broker mqtt://USER@HOST")
    return Broker(
        host=parts.hostname,
        port=_port(parts, option) or PORTS[parts.scheme],
        username=parts.username,
        password_file=password_file,
        tls=parts.scheme == "mqtts",
        ca_file=ca_file,
    )


def parse_enrolment(
    broker: Broker,
    admin_password_file: Path | None,
    url: str | None,
    ca_file: Path | None,
    authority: SigningAuthority | None,
    *,
    over_plain_http: bool,
) -> Enrolment | None:
    """How gateways enrol themselves; None where neither of the two is given that they need. Raises `ConfigError`."""
    if admin_password_file is None and url is None:
        return None
    if admin_password_file is None or url is None:
        raise ConfigError("--broker-admin-password-file and --gateway-broker belong together: give both or neither")
    reached = parse_broker(url, ca_file=ca_file, option="--gateway-broker")
    if reached.username is not None:
        raise ConfigError("--gateway-broker: no user expected: each gateway is given its own")
    return Enrolment(
        administrator=replace(broker, username=ADMIN, password_file=admin_password_file),
        broker=reached,
        over_plain_http=over_plain_http,
        authority=authority,
    )


def parse_authority(certificate_file: Path | None, key_file: Path | None) -> SigningAuthority | None:
    """The authority that signs gateways' certificates; None where there is none. Raises `ConfigError`."""
    if certificate_file is None and key_file is None:
        return None
    if certificate_file is None or key_file is None:
        raise ConfigError(
            "--gateway-signing-ca-file and --gateway-signing-key-file belong together: give both or neither"
        )
    return SigningAuthority(certificate_file=certificate_file, key_file=key_file)


def parse_tiles(text: str, credit: str = "") -> Tiles | None:
    """The map's background: `ign`, `none`, or the address of a tile server. Raises `ConfigError`."""
    if text in {"ign", "none"}:
        return IGN_PLAN if text == "ign" else None
    server = TILE_SERVER.match(text)
    if server is None or any(field not in text for field in TILE_FIELDS):
        raise ConfigError(f"--tiles {text!r}: ign, none, or https://HOST/… with {', '.join(TILE_FIELDS)} expected")
    return Tiles(url=text, credit=Credit(credit or f"© {server['host']}", server[0]))


def parse_origins(texts: Sequence[str]) -> tuple[str, ...]:
    """Sites as browsers name them. Raises `ConfigError`."""
    for text in texts:
        if text != "*" and not ORIGIN.fullmatch(text):
            raise ConfigError(f"--origin {text!r}: https://HOST[:PORT] without a path, or '*', expected")
    return tuple(texts)


def file_of(store: str) -> Path | None:
    """The file of a store that is one; None for a store elsewhere. Raises `StoreUrlError`."""
    address = parse_store_url(store)
    return address.path if isinstance(address, SqliteAddress) else None


def ledger_beside(store: str) -> Path:
    """`NAME.ledger.db` beside an SQLite store's file; in the current folder for a store elsewhere."""
    file = file_of(store)
    return Path("passerelle.ledger.db") if file is None else file.with_suffix(".ledger.db")


def registry_beside(store: str) -> str:
    """`registry.db` beside an SQLite store's file; in the current folder for a store elsewhere."""
    file = file_of(store)
    return "registry.db" if file is None else str(file.with_name("registry.db"))


def _port(parts: SplitResult, option: str) -> int | None:
    try:
        return parts.port
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of a name. Raises `ConfigError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"--time-zone {name!r}: a name such as Europe/Paris expected") from error


def _serve(
    settings: Settings,
    registry_url: str,
    store_url: str,
    host: str,
    port: int,
    feeds: Path | None,
    calendar: Path | None,
) -> None:
    from cloud_api.app import create_app
    from cloud_api.feeds.settings import FeedsFile, load_feeds
    from cloud_api.registry.store import open_registry
    from cloud_api.reports.making import Source
    from cloud_api.stores import open_store

    read = FeedsFile() if feeds is None else load_feeds(feeds)
    with (
        _listening(host, port) as listener,
        closing(open_store(store_url)) as store,
        closing(open_registry(registry_url)) as registry,
    ):
        api = create_app(
            settings,
            store=store,
            registry=registry,
            clock=lambda: datetime.now(UTC),
            feeds=read.feed,
            orders=read.orders,
            reports_from=Source(
                store=store_url,
                name=settings.town or settings.title,
                time_zone=settings.time_zone.key,
                school_zone=settings.school_zone,
                calendar=None if calendar is None else str(calendar),
            ),
        )
        if not registry.revision():
            typer.echo("The registry holds no places yet: passerelle places import FILE --registry …", err=True)
        _run(api, listener)


def _run(api: "Api", listener: socket.socket) -> None:
    from cloud_api.server import ApiServer

    host, port = listener.getsockname()[:2]
    typer.echo(f"Serving http://{host}:{port}/ (Ctrl-C stops it)")
    server = ApiServer(api)
    server.run(sockets=[listener])
    if server.failed:
        end(FAILURE, "a part of the API failed, the log says which; start it again")


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    from cloud_api.server import listen

    try:
        listener = listen(host, port)
    except OSError as error:
        end(FAILURE, f"cannot serve on {host} port {port}: {error.strerror or error}; choose another with --port")
    with listener:
        yield listener
