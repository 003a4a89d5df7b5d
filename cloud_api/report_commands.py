"""The command `passerelle report`: a report from the shell, with progress, into a file.

In come a store, a registry and a wish; out come a file, what the report says in a few lines, and the address that gives
the same report again. A wish that makes no sense ends it with exit status 2 and one line that says what was expected.
"""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cloud_api.commands import parse_zone
from cloud_api.event_writing import Writer, keep_calendar
from cloud_api.existing import existing_registry, require_store
from cloud_api.exits import FAILURE, end, mistakes_in_words
from cloud_api.mailing import Mail, MailError, load_mail, send
from cloud_api.registry.event_editions import EventEdition
from cloud_api.registry.store import RegistryStore
from cloud_api.reports.asking import AskError, Texts, address_of
from cloud_api.reports.formats import Format, file_name
from cloud_api.reports.gathering import Progress as Tell
from cloud_api.reports.making import Source, asked_of, opened, pieces
from cloud_api.reports.monthly import MonthAsked, keep_month, month_before
from cloud_api.reports.report import SHOP_HOURS, Kind, Language
from cloud_api.reports.writing import Writing, writing_in
from cloud_api.settings import ConfigError, SchoolZone

report = typer.Typer(
    help="Reports: flows, parking, what an event brought.", no_args_is_help=True, rich_markup_mode="markdown"
)

StoreUrl = Annotated[str, typer.Option("--store", help="As `passerelle api` takes it: sqlite:///FILE or influxdb://….")]
RegistryUrl = Annotated[str, typer.Option("--registry", help="As `passerelle api` takes it: a file or postgresql://….")]
Start = Annotated[str, typer.Option("--from", help="A local date, or a time with its offset.")]
End = Annotated[str, typer.Option("--to", help="The end, not included: one day ends on the next.")]
Places = Annotated[
    list[str] | None, typer.Option("--place", help="A counter or zone by its id; several times; all by default.")
]
Compare = Annotated[
    str | None, typer.Option(help="Against what: last-year (52 weeks before), week-before, or FROM/TO.")
]
AsOf = Annotated[
    str | None, typer.Option(help="As known at the end of a date, or at a time with its offset [default: now].")
]
Tongue = Annotated[Language, typer.Option(help="The language of the report.")]
Form = Annotated[Format, typer.Option("--format", help="In which form.")]
Output = Annotated[Path | None, typer.Option(help="The file to write [default: a name that tells what it is, here].")]
CalendarFile = Annotated[Path | None, typer.Option("--calendar", help="The office's markets and events (TOML).")]
TownName = Annotated[str, typer.Option("--town", help="The town's name on the report.")]
TimeZone = Annotated[str, typer.Option("--time-zone", help="The town's time zone.")]
School = Annotated[SchoolZone | None, typer.Option("--school-zone", help="Whose school holidays make days alike.")]
OpenHours = Annotated[
    str, typer.Option("--open", help="When shops are open, as OpenStreetMap writes it: 10:00-19:00 is every day.")
]
Fill = Annotated[bool, typer.Option("--fill", help="Estimate what was not measured, in columns of its own.")]

TOWN: Final = "Passerelle"
PARIS: Final = "Europe/Paris"
SENT: Final = "sent.txt"
"""Beside a month's files: when they were sent, and to whom."""


@report.command()
def flows(
    store: StoreUrl,
    registry: RegistryUrl,
    start: Start,
    end_: End,
    place: Places = None,
    compare: Compare = None,
    as_of: AsOf = None,
    language: Tongue = Language.FRENCH,
    form: Form = Format.PDF,
    output: Output = None,
    calendar: CalendarFile = None,
    town: TownName = TOWN,
    time_zone: TimeZone = PARIS,
    school_zone: School = None,
    open_hours: OpenHours = SHOP_HOURS,
    *,
    fill: Fill = False,
) -> None:
    """How many people passed: totals, rhythms, a fair comparison, and how good the data are.

    Examples:

        passerelle report flows --store sqlite:///history.db --registry registry.db --from 2026-11-01 --to 2026-12-01
        --place rue-haute --compare last-year --school-zone B --format pdf
    """
    texts = Texts(
        kind=Kind.FLOWS,
        start=start,
        end=end_,
        places=tuple(place or ()),
        compare=compare,
        as_of=as_of,
        language=language,
        open_hours=open_hours,
        filled=fill,
    )
    _write(texts, _source(store, town, time_zone, school_zone, calendar), registry, form, output)


@report.command()
def parking(
    store: StoreUrl,
    registry: RegistryUrl,
    start: Start,
    end_: End,
    place: Places = None,
    as_of: AsOf = None,
    language: Tongue = Language.FRENCH,
    form: Form = Format.PDF,
    output: Output = None,
    town: TownName = TOWN,
    time_zone: TimeZone = PARIS,
) -> None:
    """How full, for how long, how often anew: occupancy, turnover, stays and saturation of zones counted by space.

    Examples:

        passerelle report parking --store sqlite:///history.db --registry registry.db --from 2026-11-01 --to 2026-12-01
        --place place-du-marche --format xlsx
    """
    texts = Texts(kind=Kind.PARKING, start=start, end=end_, places=tuple(place or ()), as_of=as_of, language=language)
    _write(texts, _source(store, town, time_zone, None, None), registry, form, output)


@report.command()
def event(
    name: Annotated[str, typer.Argument(metavar="EVENT", help="Its name, as the office wrote it.")],
    store: StoreUrl,
    registry: RegistryUrl,
    calendar: CalendarFile = None,
    place: Places = None,
    as_of: AsOf = None,
    language: Tongue = Language.FRENCH,
    form: Form = Format.PDF,
    output: Output = None,
    town: TownName = TOWN,
    time_zone: TimeZone = PARIS,
    school_zone: School = None,
) -> None:
    """What an event brought, against comparable days, with its interval; or that it cannot be told, and why.

    Examples:

        passerelle report event 'Marché de Noël' --calendar agenda.toml --store sqlite:///history.db
        --registry registry.db --school-zone B
    """
    texts = Texts(
        kind=Kind.EVENT, start="", end="", places=tuple(place or ()), as_of=as_of, language=language, event=name
    )
    _write(texts, _source(store, town, time_zone, school_zone, calendar), registry, form, output)


@report.command()
def monthly(
    store: StoreUrl,
    registry: RegistryUrl,
    folder: Annotated[Path, typer.Option(help="Where reports are kept, a folder for each month.")],
    month: Annotated[str | None, typer.Option(help="As 2026-10 [default: the last month that is over].")] = None,
    mail: Annotated[Path | None, typer.Option(help="Whom to send it to, and how (TOML, see docs/reports.md).")] = None,
    language: Tongue = Language.FRENCH,
    calendar: CalendarFile = None,
    town: TownName = TOWN,
    time_zone: TimeZone = PARIS,
    school_zone: School = None,
    open_hours: OpenHours = SHOP_HOURS,
) -> None:
    """Make a month's reports on flows and parking, keep them, and send them where mail is set up; once.

    Run again it makes and sends what is still missing, and nothing twice.

    Examples:

        passerelle report monthly --store sqlite:///history.db --registry registry.db --folder reports --mail mail.toml
    """
    source = _source(store, town, time_zone, school_zone, calendar)
    with mistakes_in_words(misuses=(AskError,), failures=(MailError, OSError)):
        wanted = _month(month, datetime.now(parse_zone(time_zone)).date())
        how = None if mail is None else load_mail(mail)
        with (
            closing(existing_registry(registry)) as places,
            opened(source, places.snapshot(), _written_by_the_office(places, source)) as known,
            _progress() as tell,
        ):
            wish = MonthAsked(month=wanted, now=datetime.now(UTC), language=language, open_hours=open_hours)
            files = keep_month(known, wish, folder, tell)
        for file in files:
            typer.echo(f"{file}: {file.stat().st_size:,} bytes")
        if how is not None:
            typer.echo(_send_once(how, town, wanted, files, writing_in(language)))


def _month(text: str | None, today: date) -> date:
    if text is None:
        return month_before(today)
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise ConfigError(f"--month {text!r}: a month as 2026-10 expected") from error


def _send_once(how: Mail, town: str, month: date, files: Sequence[Path], write: Writing) -> str:
    sent = files[0].with_name(SENT)
    if sent.exists():
        return f"sent before: {sent.read_text(encoding='utf-8').strip()}"
    subject = write.say(f"{town} : rapport de {write.month(month)}", f"{town}: report of {write.month(month)}")
    words = write.say(
        f"Le rapport de {write.month(month)} est joint, en pages et en classeur.",
        f"The report of {write.month(month)} is attached, as pages and as a workbook.",
    )
    send(how, subject, f"{words}\n", files)
    note = f"{datetime.now(UTC):%Y-%m-%d %H:%MZ} to {', '.join(how.to)}"
    sent.write_text(note + "\n", encoding="utf-8")
    return f"sent {note}"


def _source(store: str, town: str, time_zone: str, school_zone: SchoolZone | None, calendar: Path | None) -> Source:
    with mistakes_in_words():
        parse_zone(time_zone)
        require_store(store)
    return Source(store=store, name=town, time_zone=time_zone, school_zone=school_zone, calendar=_name(calendar))


def _written_by_the_office(places: RegistryStore, source: Source) -> tuple[EventEdition, ...]:
    """After what the calendar's file says now is written down with it. Raises `PlacesError`."""
    if source.calendar is not None:
        by = Writer(f"passerelle report ({getpass.getuser()})", datetime.now(UTC))
        keep_calendar(places.office_events, Path(source.calendar), by)
    return places.office_events.all()


def _name(file: Path | None) -> str | None:
    return None if file is None else str(file)


def _write(texts: Texts, source: Source, registry: str, form: Format, output: Path | None) -> None:
    with (
        mistakes_in_words(misuses=(AskError,)),
        closing(existing_registry(registry)) as places,
        opened(source, places.snapshot(), _written_by_the_office(places, source)) as town,
        _progress() as tell,
    ):
        asked = asked_of(town, texts, datetime.now(UTC))
        file = output or Path(file_name(asked, form))
        made = b"".join(pieces(town, asked, form, tell))
        try:
            file.write_bytes(made)
        except OSError as error:
            end(FAILURE, f"{file} cannot be written: {error.strerror}")
    typer.echo(f"{file}: {file.stat().st_size:,} bytes")
    typer.echo(f"the same again: /v1/reports/{asked.kind}?{address_of(asked)}&format={form}")


@contextmanager
def _progress() -> Iterator[Tell]:
    """Shows on standard error which place is being read."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("…", total=None)

        def tell(name: str) -> None:
            progress.update(task, description=name, advance=1)

        yield tell
