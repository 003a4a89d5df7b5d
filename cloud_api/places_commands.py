"""The command `passerelle places`: a town's places from files into the registry, and out again.

In come files and a registry, out come lines for a person and an exit status. A file with any mistake changes nothing.
"""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from cloud_api.existing import existing_registry
from cloud_api.exits import USAGE, end, mistakes_in_words
from cloud_api.registry.files.difference import Difference, difference, fields_that_differ
from cloud_api.registry.files.draft import PlacesError
from cloud_api.registry.files.formats import Format, format_of, left_out, read, write
from cloud_api.registry.kinds import KINDS, key_of, kind_of
from cloud_api.registry.registry import Registry
from cloud_api.registry.store import open_registry

SHOWN: Final = 50
"""Mistakes, and changes of a sort, told one by one."""

WIDTH: Final = 100
"""Of the summary, in characters."""

places = typer.Typer(
    help="A town's places: import, export, check. See docs/places.md.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

RegistryUrl = Annotated[
    str, typer.Option("--registry", help="The registry: a file, sqlite:///FILE or postgresql://USER@HOST/DATABASE.")
]
Tongue = Annotated[Format | None, typer.Option("--format", help="How the file is written [default: as its name says].")]
ReadFile = Annotated[Path, typer.Argument(help="The places: .toml, .geojson, or .csv as in the national base (BNLS).")]


@places.callback()
def commands() -> None:
    """A town's places (zones, spaces, counters, closures): import, export, check. See docs/places.md."""


@places.command("import")
def import_places(
    file: ReadFile,
    registry: RegistryUrl,
    tongue: Tongue = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove the places of the file's kinds that it does not name.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, and change nothing.")] = False,
) -> None:
    """Add what is new and change what differs; what the file does not name stays.

    A running API shows it within seconds. Importing the same file again changes nothing.

    Examples:

        passerelle places import places.toml --registry registry.db --dry-run

        passerelle places import car-parks.csv --registry postgresql://passerelle@db.example/town

        passerelle places import town.geojson --registry registry.db --prune
    """
    with _mistakes_in_words(), closing(open_registry(registry)) as store:
        known = store.snapshot()
        found = _difference(file, tongue or format_of(file), known, prune=prune)
        by, now = f"places import ({getpass.getuser()})", datetime.now(UTC)
        change = store.rehearse if dry_run else store.merge
        change([*found.added, *(after for _, after in found.changed)], gone=found.removed, by=by, at=now)
    _tell(found, done=not dry_run)


@places.command("export")
def export_places(
    file: Annotated[Path, typer.Argument(help="Where to write: .toml, .geojson, or .csv as in the national base.")],
    registry: RegistryUrl,
    tongue: Tongue = None,
) -> None:
    """Write the registry's places into a file, and say what its format cannot carry.

    TOML carries everything; GeoJSON zones, spaces, counters and closures; CSV the car parks of the national base.

    Examples:

        passerelle places export town.geojson --registry registry.db

        passerelle places export 213500000_parkings.csv --registry registry.db --format bnls
    """
    with _mistakes_in_words(), closing(existing_registry(registry)) as store:
        known, said = store.snapshot(), tongue or format_of(file)
        write(file, said, known)
    typer.echo(f"wrote {file}")
    for what, count in left_out(said, known).items():
        typer.echo(f"{said.value} does not carry: {what} ({count})", err=True)


@places.command()
def check(
    file: ReadFile,
    registry: Annotated[
        str | None, typer.Option("--registry", help="Look at the file together with what is in this registry.")
    ] = None,
    tongue: Tongue = None,
) -> None:
    """Look for mistakes in a file, by line and field; nothing is changed.

    Examples:

        passerelle places check places.toml

        passerelle places check spaces.geojson --registry registry.db
    """
    with _mistakes_in_words():
        known = Registry()
        if registry is not None:
            with closing(existing_registry(registry)) as store:
                known = store.snapshot()
        found = _difference(file, tongue or format_of(file), known, prune=False)
    counts = ", ".join(f"{count} {kind}{'s' * (count != 1)}" for kind, count in found.named.items() if count)
    typer.echo(f"{file} is sound: {counts or 'nothing in it'}")


def _difference(file: Path, tongue: Format, known: Registry, *, prune: bool) -> Difference:
    """What a file changes. Raises `PlacesError` with all that is wrong with it."""
    draft = read(file, tongue, known)
    found = difference(draft, known, tongue, prune=prune)
    removed = {(kind_of(each), key_of(each)) for each in found.removed}
    kept = [each for each in known.entries if (kind_of(each), key_of(each)) not in removed]
    mistakes = draft.contradictions(kept)
    if mistakes:
        raise PlacesError(file, mistakes)
    return found


def _tell(found: Difference, *, done: bool) -> None:
    would = "" if done else "would be "
    _tell_some(f"{would}added", [f"{kind_of(each)} {key_of(each)}" for each in found.added])
    _tell_some(
        f"{would}changed",
        [
            f"{kind_of(after)} {key_of(after)}: {', '.join(fields_that_differ(before, after))}"
            for before, after in found.changed
        ],
    )
    _tell_some(f"{would}removed", [f"{kind_of(each)} {key_of(each)}" for each in found.removed])
    _tell_some("not in the file, stays (see --prune)", [f"{kind_of(each)} {key_of(each)}" for each in found.gone])
    Console(width=WIDTH).print(_summary(found, would))


def _tell_some(what: str, names: Sequence[str]) -> None:
    for name in names[:SHOWN]:
        typer.echo(f"{what}  {name}")
    if len(names) > SHOWN:
        typer.echo(f"{what}  {len(names) - SHOWN} more")


def _summary(found: Difference, would: str) -> Table:
    table = Table("", f"{would}added", "changed", "removed", "not in the file", "as they were")
    for kind in KINDS:
        counts = found.counts(kind)
        if any(counts):
            table.add_row(f"{kind}s", *map(str, counts))
    return table


@contextmanager
def _mistakes_in_words() -> Iterator[None]:
    with mistakes_in_words():
        try:
            yield
        except PlacesError as error:
            for mistake in error.mistakes[:SHOWN]:
                typer.echo(f"{error.file}, {mistake}", err=True)
            if len(error.mistakes) > SHOWN:
                typer.echo(f"{error.file}: {len(error.mistakes) - SHOWN} more mistakes", err=True)
            end(USAGE, f"{len(error.mistakes)} mistake{'s' * (len(error.mistakes) != 1)}; nothing is changed")
