"""The command `passerelle import`: a town's history of counts from another system's export.

In come a file and a store, out come a progress bar, lines for a person and an exit status. What cannot be taken is told
by its line, counted, and kept in a file; all the rest is taken.
"""

import csv
import getpass
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, Final, TextIO
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cloud_api.commands import parse_zone
from cloud_api.counts_import import akl, comptage, eco_visio
from cloud_api.counts_import.counts import Profile, Refused, UnreadableError
from cloud_api.counts_import.importing import Tally, Terms, import_counts
from cloud_api.counts_import.places import Registered, id_of, read_positions, registered
from cloud_api.exits import mistakes_in_words
from cloud_api.registry.geometry import Position
from cloud_api.registry.store import open_registry
from cloud_api.settings import ConfigError
from cloud_api.stores import open_store

import_ = typer.Typer(
    help="A town's history from other systems. See docs/history-import.md.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

SHOWN: Final = 20
"""Refusals told one by one."""
WIDTH: Final = 120
"""Of the summary, in characters."""


class ProfileName(StrEnum):
    """What wrote the file."""

    AKL = "akl"
    ECO_VISIO = "eco-visio"
    COMPTAGE = "comptage"


PROFILES: Final[Mapping[ProfileName, Profile]] = {
    ProfileName.AKL: akl.read,
    ProfileName.ECO_VISIO: eco_visio.read,
    ProfileName.COMPTAGE: comptage.read,
}
ZONES: Final[Mapping[ProfileName, str]] = {ProfileName.AKL: "Pacific/Auckland"}
"""Where the clock hangs that a file's times are read from, unless it is told."""


@import_.callback()
def commands() -> None:
    """A town's history from other systems: counts of its streets. See docs/history-import.md."""


@import_.command()
def counts(
    file: Annotated[Path, typer.Argument(help="The export, a CSV file.")],
    profile: Annotated[ProfileName, typer.Option(help="What wrote it.")],
    store: Annotated[str, typer.Option(help="As `passerelle api` takes it: sqlite:///FILE or influxdb://….")],
    registry: Annotated[
        str | None, typer.Option(help="Make places of its counters in this registry: a file, or postgresql://….")
    ] = None,
    positions: Annotated[
        Path | None, typer.Option(help="Where new counters are, a CSV file: name, latitude, longitude.")
    ] = None,
    counter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=ID", help="A counter's id, where it is not made of its name in the file."),
    ] = None,
    mode: Annotated[str, typer.Option(help="What is counted: pedestrian, bicycle or vehicle.")] = "pedestrian",
    time_zone: Annotated[
        str | None, typer.Option(help="By whose clock its times are [default: Europe/Paris; akl: Pacific/Auckland].")
    ] = None,
    encoding: Annotated[str, typer.Option(help="How its letters are written: utf-8-sig, cp1252, …")] = "utf-8-sig",
    refused: Annotated[
        Path | None, typer.Option(help="Where refused lines are kept [default: FILE.refused.csv].")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be added, and add nothing.")] = False,
) -> None:
    """Bring a history of counts along; importing it again adds nothing.

    Each counter becomes a device `import-ID` with a channel for each direction. With --registry it becomes a place of
    the town too, that this device serves until a sensor does.

    Examples:

        passerelle import counts export.csv --profile eco-visio --store sqlite:///history.db --dry-run

        passerelle import counts mesures.csv --profile comptage --store sqlite:///history.db
        --registry registry.db --positions positions.csv
    """
    with mistakes_in_words(misuses=(UnreadableError,)):
        now = datetime.now(UTC)
        zone = parse_zone(time_zone or ZONES.get(profile, "Europe/Paris"))
        ids = Ids(_told(counter or ()))
        terms = Terms(mode=mode, names=ids, now=now, dry_run=dry_run)
        with closing(Refusals(None if dry_run else refused or file.with_name(f"{file.name}.refused.csv"))) as kept:
            tally = _import(file, PROFILES[profile], zone, encoding, store, terms, kept)
            _tell(tally, kept, dry_run=dry_run)
        if registry is not None:
            _register(registry, tally, ids, positions, now, dry_run=dry_run)
        elif tally.imported:
            typer.echo("None of them is a place of the town yet: --registry REGISTRY --positions FILE makes them so.")


class Ids:
    """Counters' ids by their names in the file. Guards that no two names share one."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self._known = dict(told)
        self._names = {each: name for name, each in told.items()}

    def __call__(self, name: str) -> str:
        """The id of a counter. Raises `UnreadableError` where another name has it."""
        if name not in self._known:
            its = id_of(name)
            if self._names.setdefault(its, name) != name:
                raise UnreadableError(
                    f"{name!r} and {self._names[its]!r} would both be {its!r}; tell one by --counter 'NAME=ID'"
                )
            self._known[name] = its
        return self._known[name]

    @property
    def known(self) -> Mapping[str, str]:
        """Those that were asked for, and those that were told."""
        return self._known


class Refusals:
    """Lines that were refused, into a file that is begun by the first of them."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.first: list[Refused] = []
        self._stack = ExitStack()
        self._lines: TextIO | None = None

    def __call__(self, refused: Refused) -> None:
        """Keep one."""
        if len(self.first) < SHOWN:
            self.first.append(refused)
        if self.file is None:
            return
        if self._lines is None:
            self._lines = self._stack.enter_context(self.file.open("w", newline="", encoding="utf-8"))
            csv.writer(self._lines).writerow(("line", "field", "text", "reason"))
        csv.writer(self._lines).writerow((refused.line, refused.field, refused.text, refused.reason))

    def close(self) -> None:
        """Nothing more is refused."""
        self._stack.close()


def _told(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.rpartition("=") for text in texts]
    for text, (name, _, its) in zip(texts, pairs, strict=True):
        if not name or id_of(its) != its:
            raise ConfigError(f"--counter {text!r}: NAME=ID expected, the id of lower-case letters, digits and hyphens")
    if len({its for _, _, its in pairs}) < len(pairs):
        raise ConfigError("--counter: an id of its own expected for each name")
    return {name: its for name, _, its in pairs}


def _import(
    file: Path, profile: Profile, zone: ZoneInfo, encoding: str, store_url: str, terms: Terms, kept: Refusals
) -> Tally:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with (
        _opened(file) as stream,
        closing(open_store(store_url)) as store,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        task = progress.add_task(file.name, total=file.stat().st_size)

        def lines() -> Iterator[str]:
            for number, line in enumerate(stream, start=1):
                progress.advance(task, len(line))
                yield _decoded(line, number, encoding)

        try:
            return import_counts(profile(lines(), zone), store, terms, kept)
        except csv.Error as error:
            raise UnreadableError(f"no CSV: {error}") from error


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from error


def _decoded(line: bytes, number: int, encoding: str) -> str:
    try:
        return line.decode(encoding if number == 1 else encoding.removesuffix("-sig"))
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} is no {encoding}; --encoding cp1252 where Windows wrote it"
        raise UnreadableError(f"line {number}: {reason}") from error


def _tell(tally: Tally, kept: Refusals, *, dry_run: bool) -> None:
    table = Table("counter", "direction", "from", "to", "would be added" if dry_run else "added", "known already")
    for (name, way), its in tally.imported.items():
        period = [f"{each:%Y-%m-%d %H:%MZ}" for each in (its.first, its.end) if each is not None]
        table.add_row(name, way, *period, str(its.added), str(its.already))
    Console(width=WIDTH).print(table)
    verb = "would be added" if dry_run else "added"
    typer.echo(f"{tally.added} intervals {verb}, {tally.already} known already, {tally.empty} cells empty")
    for each in kept.first:
        field = f", {each.field}" if each.field else ""
        typer.echo(f"refused  line {each.line}{field}: {each.text!r}: {each.reason}", err=True)
    if tally.refused:
        where = "" if kept.file is None else f", all of them in {kept.file}"
        typer.echo(f"refused  {tally.refused} in all{where}", err=True)


def _register(url: str, tally: Tally, ids: Ids, positions: Path | None, now: datetime, *, dry_run: bool) -> None:
    places = {} if positions is None else _positions(positions)
    with closing(open_registry(url)) as known:
        change = registered(tally, ids.known, places, known.snapshot())
        act = known.rehearse if dry_run else known.merge
        act(change.entries, gone=change.gone, by=f"import counts ({getpass.getuser()})", at=now)
    _tell_registered(change, dry_run=dry_run)


def _positions(file: Path) -> Mapping[str, Position]:
    try:
        return read_positions(file.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--positions {file}: cannot be read: {error}") from error


def _tell_registered(change: Registered, *, dry_run: bool) -> None:
    verb = "would be registered" if dry_run else "registered"
    typer.echo(f"{len(change.entries)} counters and installations {verb}")
    for counter, sensor in change.until_sensor.items():
        typer.echo(f"{counter}: a sensor serves it since {sensor:%Y-%m-%d %H:%MZ}, its history is used until then")
    for name in change.without_position:
        typer.echo(f"not registered  {name}: no position; a line of --positions expected", err=True)
