"""The commands `passerelle backup` and `passerelle restore`: all that the API keeps into one file, and back.

In come the addresses that `passerelle api` takes, out come a file or files, lines for a person, and an exit status.
"""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.filesize import decimal

from cloud_api.backup.archive import BackupError, Manifest
from cloud_api.backup.influx_tools import DEFAULT_RPC
from cloud_api.backup.restoring import restore_backup
from cloud_api.backup.taking import Kept, take_backup
from cloud_api.commands import ledger_beside, registry_beside
from cloud_api.exits import mistakes_in_words
from cloud_api.progress import told_progress
from cloud_api.registry.backups import LastBackup, note_backup
from cloud_api.settings import Settings
from cloud_api.stores.address import parse_store_url

app = typer.Typer()

StoreUrl = Annotated[
    str, typer.Option("--store", help="The API's store: sqlite:///FILE or influxdb://USER@HOST:PORT/DATABASE.")
]
RegistryUrl = Annotated[
    str | None, typer.Option("--registry", help="As `passerelle api` takes it [default: registry.db beside the store].")
]
LedgerFile = Annotated[
    Path | None, typer.Option("--ledger", help="As `passerelle api` takes it [default: beside the store].")
]
Rpc = Annotated[
    str, typer.Option("--influx-rpc", help="Where InfluxDB 1.x listens for its backup tool (its `bind-address`).")
]
WithoutStore = Annotated[bool, typer.Option("--without-store", help="Leave history out.")]

DATED: Final = "passerelle-%Y%m%dT%H%M%SZ.zip"


@app.command()
def backup(
    to: Annotated[Path, typer.Option(help="A file that is not there yet; in a folder, one named by date and time.")],
    store: StoreUrl,
    registry: RegistryUrl = None,
    ledger: LedgerFile = None,
    influx_rpc: Rpc = DEFAULT_RPC,
    without_store: WithoutStore = False,
) -> None:
    """Copy all that the API keeps into one file, while it runs: registry and keys, history, ledger, forecasts.

    Everything that gateways were told is stored before it began is in it. Broker, certificates and password files
    are not.

    Examples:

    passerelle backup --to /var/backups/passerelle --store sqlite:////var/lib/passerelle/history.db

    passerelle backup --to town.zip --store influxdb://passerelle@127.0.0.1/town?password_file=db-password
    --registry postgresql://passerelle@db.example/town?password_file=registry-password
    """
    now = datetime.now(UTC)
    with mistakes_in_words(failures=(BackupError,)), told_progress() as progress:
        kept = _kept(store, registry, ledger, influx_rpc, without_store=without_store)
        file = to / now.strftime(DATED) if to.is_dir() else to
        manifest = take_backup(kept, file, clock=lambda: datetime.now(UTC), progress=progress)
        made = LastBackup(at=manifest.began, file=file.name, size_bytes=file.stat().st_size, store=manifest.store)
        note_backup(kept.registry, made, by=f"passerelle backup ({getpass.getuser()})")
    typer.echo(f"{file} ({decimal(file.stat().st_size)}) holds all that was answered for before {_at(manifest.began)}")
    _tell(manifest)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `passerelle backup` wrote.")],
    store: StoreUrl,
    registry: RegistryUrl = None,
    ledger: LedgerFile = None,
    influx_rpc: Rpc = DEFAULT_RPC,
    without_store: WithoutStore = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Set files aside that hold something (NAME.before-restore).")
    ] = False,
) -> None:
    """Put a backup back where the API will look, after every sum in it was verified: all of it, or nothing.

    The API must not run meanwhile. A registry may go from SQLite to PostgreSQL and back; a store stays what it was.

    Examples:

    passerelle restore passerelle-20261127T020000Z.zip --store sqlite:////var/lib/passerelle/history.db

    passerelle restore town.zip --store influxdb://passerelle@127.0.0.1/town?password_file=db-password
    --registry postgresql://passerelle@db.example/town?password_file=registry-password
    """
    with mistakes_in_words(failures=(BackupError,)), told_progress() as progress:
        kept = _kept(store, registry, ledger, influx_rpc, without_store=without_store)
        manifest = restore_backup(file, kept, replace=replace, progress=progress)
    typer.echo(f"restored as of {_at(manifest.began)}; what gateways were told is stored since then is gone")
    _tell(manifest)


def _kept(store: str, registry: str | None, ledger: Path | None, rpc: str, *, without_store: bool) -> Kept:
    address = parse_store_url(store)
    settings = Settings(ledger=ledger or ledger_beside(store))
    return Kept(
        registry=registry or registry_beside(store),
        ledger=settings.ledger,
        forecasts=settings.forecasts,
        signing_key=settings.signing_key,
        store=None if without_store else address,
        rpc=rpc,
    )


def _tell(manifest: Manifest) -> None:
    part = manifest.registry
    typer.echo(f"  registry: revision {part.revision}, {part.rows} rows (tables {part.version})")
    typer.echo(f"  history: {manifest.store}")
    for member in manifest.members:
        typer.echo(f"  {member.name:<14} {decimal(member.bytes):>9}  sha256 {member.sha256}")


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"
