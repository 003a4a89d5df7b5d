"""What a report is asked for with, as people write it; and the address that asks for the same report again.

In come texts, out comes an `Asked`, or one `AskError` that names the field and says in both languages what was
expected. Days are the town's. A report is as of some seconds ago, unless an earlier time is asked for: what is being
written this second would be told differently a second later.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from msgspec import Struct

from cloud_api.periods import LONGEST, Period, PeriodError, parse_period
from cloud_api.reports.open_hours import understood
from cloud_api.reports.report import SHOP_HOURS, Asked, Kind, Language, Span
from cloud_api.trust import Cause

WEEK: Final = timedelta(days=7)
YEAR_OF_WEEKS: Final = timedelta(weeks=52)
"""A year before on the same weekdays."""

NO_COUNTERS: Final = Cause(
    "aucun compteur n’est encore enregistré ; `passerelle places import` en ajoute, `passerelle import counts` aussi, "
    "avec leur passé",
    "no counter is registered yet; `passerelle places import` adds some, and so does `passerelle import counts`, with "
    "their past",
)
NO_ZONES: Final = Cause(
    "aucune zone de stationnement n’est encore enregistrée ; `passerelle places import` en ajoute",
    "no parking zone is registered yet; `passerelle places import` adds some",
)

WRITING: Final = timedelta(seconds=5)
"""So long the registry may take to show an edition of an event, the clocks of those that write included."""


class Comparison(StrEnum):
    """What a period is held against by a word."""

    LAST_YEAR = "last-year"
    """The same weekdays 52 weeks before."""
    WEEK_BEFORE = "week-before"
    """7 days before; for a longer period, as many weeks as it lasts."""


class AskError(Exception):
    """A report that cannot be asked for so: which field, and what was expected."""

    def __init__(self, field: str, cause: Cause) -> None:
        self.field = field
        """`from`, `to`, `as_of`, `compare`, `place`, `open` or `event`."""
        self.cause = cause
        super().__init__(f"{field}: {cause.en}")


class Texts(Struct, frozen=True, kw_only=True):
    """A wish as it was written down."""

    kind: Kind
    start: str
    """A local date, or a time with its offset."""
    end: str
    """Not included: one day ends on the next."""
    places: tuple[str, ...] = ()
    compare: str | None = None
    """`last-year`, `week-before`, or `FROM/TO`."""
    as_of: str | None = None
    language: Language = Language.FRENCH
    event: str | None = None
    open_hours: str = SHOP_HOURS
    """When shops are open, in OpenStreetMap's syntax."""
    filled: bool = False


def ask(texts: Texts, zone: ZoneInfo, now: datetime, known: Sequence[str], *, settled: datetime | None = None) -> Asked:
    """What is asked for; `known` are the places that there are, all of which are meant where none is named.

    `settled`: the latest moment that a report can be as of; `settled_at` by default. Raises `AskError`.
    """
    period = _span("from", texts.start, texts.end, zone)
    if period.start >= now:
        raise AskError(
            "from",
            Cause(
                f"la période commence après maintenant ({now.astimezone(zone):%d/%m/%Y %H:%M}) ; "
                "une période passée, ou en cours, est attendue",
                f"the period begins in the future (now is {now.astimezone(zone):%Y-%m-%d %H:%M}); "
                "a past or present period expected",
            ),
        )
    return Asked(
        kind=texts.kind,
        places=_places(texts.kind, texts.places, known),
        period=period,
        as_of=as_of_asked(texts.as_of, zone, settled or settled_at(now)),
        language=texts.language,
        compared=None if texts.compare is None else _compared(texts.compare, period, zone),
        event=texts.event,
        open_hours=_open_hours(texts.open_hours),
        filled=texts.filled,
    )


def address_of(asked: Asked) -> str:
    """The query that asks for the same report again: the same for the same report."""
    pairs = [
        ("from", _written(asked.period.start)),
        ("to", _written(asked.period.end)),
        *(("place", place) for place in asked.places),
        *([] if asked.compared is None else [("compare", "/".join(map(_written, _ends(asked.compared))))]),
        *([] if asked.event is None else [("event", asked.event)]),
        *([("open", asked.open_hours)] if asked.kind is Kind.FLOWS else []),
        *([("filled", "true")] if asked.filled else []),
        ("as_of", asked.as_of.replace(tzinfo=None).isoformat() + "Z"),
        ("language", asked.language.value),
    ]
    return urlencode(pairs)


def period_of(span: Span) -> Period:
    """The span in UTC, as stores want it."""
    return Period(span.start.astimezone(UTC), span.end.astimezone(UTC))


def settled_at(now: datetime) -> datetime:
    """The last whole second by which all editions of events that were written then can be read."""
    return (now - WRITING).replace(microsecond=0)


def _places(kind: Kind, named: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    for name in named:
        if name not in known:
            some = ", ".join(known[:20]) or "–"
            raise AskError("place", Cause(f"{name} : inconnu ; connus : {some}", f"no place {name!r}; known: {some}"))
    if not known:
        raise AskError("place", NO_ZONES if kind is Kind.PARKING else NO_COUNTERS)
    return tuple(dict.fromkeys(named)) or tuple(known)


def _open_hours(text: str) -> str:
    if not understood(text):
        raise AskError(
            "open",
            Cause(
                f"{text} : des heures telles que 10:00-19:00 ou Mo-Sa 10:00-19:00; PH off sont attendues (écriture "
                "d’OpenStreetMap ; Mo : lundi, PH : jours fériés)",
                f"{text!r}: hours as 10:00-19:00 or Mo-Sa 10:00-19:00; PH off expected (OpenStreetMap's syntax)",
            ),
        )
    return text


def as_of_asked(text: str | None, zone: ZoneInfo, settled: datetime) -> datetime:
    """The moment that a report is as of, `settled` at the latest. Raises `AskError`."""
    if text is None:
        return settled
    at = _end_of_day(text, zone) or _instant(text)
    if at is None:
        raise AskError(
            "as_of",
            Cause(
                f"{text} : une date (2026-12-01) ou une heure avec son décalage est attendue",
                f"{text!r}: a date (2026-12-01) or a time with its offset expected",
            ),
        )
    return min(at.astimezone(UTC), settled)


def _end_of_day(text: str, zone: ZoneInfo) -> datetime | None:
    """A date means all that was known when that day ended."""
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), tzinfo=zone)
    except (ValueError, OverflowError):
        return None


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if at.tzinfo is None else at


def _compared(text: str, period: Span, zone: ZoneInfo) -> Span:
    if text == Comparison.LAST_YEAR:
        return _moved(period, YEAR_OF_WEEKS)
    if text == Comparison.WEEK_BEFORE:
        weeks = -(-(period.end.date() - period.start.date()) // WEEK)
        return _moved(period, max(weeks, 1) * WEEK)
    start, slash, end = text.partition("/")
    if not slash:
        raise AskError(
            "compare",
            Cause(
                f"{text} : last-year, week-before ou DÉBUT/FIN est attendu",
                f"{text!r}: last-year, week-before or FROM/TO expected",
            ),
        )
    return _span("compare", start, end, zone)


def _moved(period: Span, back: timedelta) -> Span:
    """The same hours by the town's clock so much earlier."""
    return Span(period.start - back, period.end - back)


def _span(field: str, start: str, end: str, zone: ZoneInfo) -> Span:
    try:
        period = parse_period(start, end, zone)
    except PeriodError as error:
        where = error.field if field != "compare" else field
        raise AskError(where, Cause(_in_french(start, end), error.reason)) from error
    return Span(period.start.astimezone(zone), period.end.astimezone(zone))


def _in_french(start: str, end: str) -> str:
    return (
        f"de {start} à {end} : deux dates (2026-03-29) ou heures avec leur décalage sont attendues, la seconde après "
        f"la première et {LONGEST.days} jours plus tard au plus ; une journée finit le lendemain"
    )


def _ends(span: Span) -> tuple[datetime, datetime]:
    return span.start, span.end


def _written(at: datetime) -> str:
    return at.date().isoformat() if at.time() == time() else at.isoformat()
