"""The command `passerelle device import`: a delivery's list of sensors, all of it or nothing."""

from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from cloud_api.exits import USAGE, end
from cloud_api.provisioning.delivery import DeliveryError, read_delivery
from cloud_api.settings import ConfigError
from cloud_api.shell import DryRun, RegistryUrl, act, opened, this_version

LARGEST_BYTES: Final = 5_000_000
SHOWN: Final = 50
"""Mistakes told one by one."""


def import_delivery(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a line of column names, UTF-8.")],
    registry: RegistryUrl,
    gateway: Annotated[str | None, typer.Option(help="For lines that name none [default: the store room].")] = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Adopt the devices of a delivery. Every line is checked before anything is written; then all, or none.

    Columns: address (or devEUI), model; and as needed label, gateway, link, nwk_skey, app_skey, key. Commas or
    semicolons. Keys are kept with the registry and shown nowhere.

    Examples:

        passerelle device import delivery.csv --gateway halles --registry registry.db --dry-run

        passerelle device import delivery.csv --registry registry.db
    """
    with opened(registry) as store:
        town = store.snapshot()
        text = _text(file)
        try:
            delivery = read_delivery(text, town, this_version(context, town), gateway=gateway)
        except DeliveryError as error:
            _end_with(error, file)
    act(context, registry, lambda _now: delivery.plan, dry_run=dry_run, keys=delivery.keys)
    typer.echo(f"devices in {file}: {len(delivery.plan.entries)}, with keys: {len(delivery.keys)}")


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise ConfigError(f"{file}: at most {LARGEST_BYTES} bytes expected")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: byte {error.start} is not UTF-8; save it as CSV UTF-8") from error


def _end_with(error: DeliveryError, file: Path) -> NoReturn:
    for mistake in error.mistakes[:SHOWN]:
        typer.echo(f"{file}, {mistake}", err=True)
    end(USAGE, f"{file}: mistakes: {len(error.mistakes)}; nothing is written. Mend them and run it again.")
