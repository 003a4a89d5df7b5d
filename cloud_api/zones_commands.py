"""The command `passerelle zones`: says how many cars are in a car park that is counted at its entrances.

In come places, a store and what somebody saw; out come lines for a person and an exit status. Each correction is a
fact of its own in the store; nothing that was counted is changed.
"""

import getpass
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cloud_api.entrances import CorrectionError, correct
from cloud_api.existing import existing_registry, existing_store
from cloud_api.exits import mistakes_in_words
from cloud_api.stores.base import EARLIEST, Correction, CorrectionCause

zones = typer.Typer(
    help="Car parks counted at their entrances: correct, history.", no_args_is_help=True, rich_markup_mode="markdown"
)

RegistryUrl = Annotated[str, typer.Option("--registry", help="As `passerelle api` takes it: a file or postgresql://….")]
StoreUrl = Annotated[str, typer.Option("--store", help="As `passerelle api` takes it: sqlite:///FILE or influxdb://….")]
ZoneName = Annotated[str, typer.Argument(metavar="ZONE", help="The zone's id.")]


@zones.command("correct")
def correct_zone(
    zone: ZoneName,
    occupied: Annotated[int, typer.Option(help="Cars inside now.")],
    registry: RegistryUrl,
    store: StoreUrl,
    why: Annotated[str, typer.Option(help="What was seen (`counted on foot`).")],
    by: Annotated[str, typer.Option(help="Who says so.", default_factory=getpass.getuser)],
) -> None:
    """Say how many cars are inside now; counting goes on from there.

    Examples:

        passerelle zones correct parking-gare --occupied 0 --why 'empty after closing' --registry registry.db
        --store sqlite:///history.db
    """
    with (
        mistakes_in_words(misuses=(CorrectionError,)),
        closing(existing_registry(registry)) as places,
        existing_store(store) as opened,
    ):
        fact = correct(
            opened,
            places.snapshot(),
            zone,
            occupied=occupied,
            cause=CorrectionCause.MANUAL,
            note=f"{by}: {why}",
            now=datetime.now(UTC),
        )
    typer.echo(_in_words(fact))


@zones.command()
def history(zone: ZoneName, store: StoreUrl) -> None:
    """List what was ever said of a car park, oldest first.

    Examples:

        passerelle zones history parking-gare --store sqlite:///history.db
    """
    with mistakes_in_words(), existing_store(store) as opened:
        facts = opened.corrections(zone, EARLIEST, datetime.now(UTC) + timedelta(days=1))
    for fact in facts:
        typer.echo(_in_words(fact))
    typer.echo(f"corrections of {zone}: {len(facts)}")


def _in_words(fact: Correction) -> str:
    counted = "" if fact.counted is None else f", counted {fact.counted}"
    note = f" ({fact.note})" if fact.note else ""
    return f"{fact.at:%Y-%m-%d %H:%M:%SZ}  {fact.place}: {fact.occupied} cars{counted}, {fact.cause.value}{note}"
