"""The command `passerelle device stickers`: a sheet to print, with a QR code for each sensor."""

from pathlib import Path
from typing import Annotated

import typer

from cloud_api.people_commands import checked_url
from cloud_api.provisioning.stickers import sticker_sheet
from cloud_api.settings import ConfigError
from cloud_api.shell import RegistryUrl, opened

LABELS = 24
"""On a sheet."""


def print_stickers(
    registry: RegistryUrl,
    url: Annotated[str, typer.Option(help="Where the town's pages are, as telephones reach them.")],
    address: Annotated[
        list[str] | None, typer.Argument(metavar="[ADDRESS]…", help="Which devices [default: all in service].")
    ] = None,
    gateway: Annotated[str | None, typer.Option(help="Only those of a gateway.")] = None,
    skip: Annotated[
        int, typer.Option(help="So many labels of the first sheet are used already.", min=0, max=LABELS - 1)
    ] = 0,
    title: Annotated[str, typer.Option(help="What stands on every sticker.")] = "Passerelle",
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path("stickers.pdf"),
) -> None:
    """Make a sheet of stickers (A4, 3 by 8 labels of 70 by 37 mm); each leads a telephone to its sensor's page.

    Examples:

        passerelle device stickers --url https://parking.ma-ville.fr --registry registry.db

        passerelle device stickers 0004a30b00ff0001 --skip 5 --url https://parking.ma-ville.fr --registry registry.db
    """
    with opened(registry) as store:
        platform = checked_url(url)
        known = store.snapshot().devices
        unknown = [each for each in address or () if each not in known]
        if unknown:
            raise ConfigError(f"{', '.join(unknown)}: not adopted here; `passerelle device list` names all devices")
        wanted = [known[each] for each in address] if address else [each for each in known.values() if not each.retired]
        wanted = [each for each in wanted if gateway is None or each.gateway == gateway]
        if not wanted:
            raise ConfigError("no device is meant; adopt some first, or name others")
        try:
            output.write_bytes(sticker_sheet(wanted, platform, skip=skip, title=title))
        except OSError as error:
            raise ConfigError(f"--output {output}: {error.strerror}") from error
    typer.echo(f"{output}: {len(wanted)} stickers")
