"""What somebody chose on the office's page, read from its address; and what the form shows again. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, TypeVar

from msgspec import Struct

from cloud_api.reports.asking import Texts
from cloud_api.reports.report import SHOP_HOURS, Kind, Language

Choice = TypeVar("Choice", Kind, Language)

MOST_PLACES: Final = 100
LONGEST_TEXT: Final = 200


class Chosen(Struct, frozen=True, kw_only=True):
    """The form as it was sent, or as it is shown first."""

    kind: Kind = Kind.FLOWS
    language: Language = Language.FRENCH
    places: tuple[str, ...] = ()
    start: str = ""
    end: str = ""
    compare: str = ""
    event: str = ""
    as_of: str = ""
    filled: bool = False
    open_hours: str = SHOP_HOURS
    sent: bool = False
    """Somebody asks for a report, and not for the empty form."""

    @property
    def texts(self) -> Texts:
        """What is asked of the maker of reports."""
        return Texts(
            kind=self.kind,
            start=self.start,
            end=self.end,
            places=self.places,
            compare=self.compare or None,
            as_of=self.as_of or None,
            language=self.language,
            event=self.event or None,
            filled=self.filled,
            open_hours=self.open_hours,
        )


def language_of(query: Mapping[str, str], remembered: str = "") -> Language:
    """The language that an address asks for, or else the one that was chosen before; French where it is not ours."""
    return _one_of(Language, query.get("language") or query.get("lang") or remembered, Language.FRENCH)


def chosen(query: Mapping[str, str], places: Sequence[str], today: date, language: Language) -> Chosen:
    """What an address asks for; the whole month before today where it names no period."""
    kind = _one_of(Kind, query.get("kind", ""), Kind.FLOWS)
    first, last = _last_month(today)
    start, end = query.get("from", "").strip(), query.get("to", "").strip()
    event = query.get("event", "")[:LONGEST_TEXT]
    return Chosen(
        kind=kind,
        language=language,
        places=tuple(place for place in places if place)[:MOST_PLACES],
        start=start[:LONGEST_TEXT] or first.isoformat(),
        end=end[:LONGEST_TEXT] or last.isoformat(),
        compare=query.get("compare", "")[:LONGEST_TEXT] if kind is Kind.FLOWS else "",
        event=event if kind is Kind.EVENT else "",
        as_of=query.get("as_of", "").strip()[:LONGEST_TEXT],
        filled=query.get("filled") in {"true", "on"},
        open_hours=query.get("open", "").strip()[:LONGEST_TEXT] or SHOP_HOURS,
        sent=bool(event) if kind is Kind.EVENT else bool(start or end),
    )


def _one_of(kind: type[Choice], text: str, otherwise: Choice) -> Choice:
    return kind(text) if text in {each.value for each in kind} else otherwise


def _last_month(today: date) -> tuple[date, date]:
    first = today.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), first
