"""What a report can be asked for with: understood whole, or refused in words that name the field."""

from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from msgspec.structs import replace

from cloud_api.reports.asking import AskError, Texts, address_of, ask
from cloud_api.reports.report import Asked, Kind, Language
from tests.reporting import NOW, PARIS, REGISTRY, asked

KNOWN = list(REGISTRY.counters)


OCTOBER = Texts(kind=Kind.FLOWS, start="2026-10-01", end="2026-11-01")


def wish(**changes: object) -> Texts:
    return replace(OCTOBER, **changes)


@pytest.mark.parametrize(
    ("changes", "field", "french", "english"),
    [
        ({"start": "2026-12-01", "end": "2026-12-02"}, "from", "commence après maintenant", "in the future"),
        ({"start": "2026-11-02"}, "to", "la seconde après la première", "after `from`"),
        ({"start": "hier"}, "from", "dates", "expected"),
        ({"start": "2024-01-01"}, "to", "plus tard au plus", "at most"),
        ({"places": ("nulle-part",)}, "place", "inconnu", "no place"),
        ({"compare": "avant"}, "compare", "last-year", "last-year"),
        ({"compare": "2025-10-02/2025-10-01"}, "compare", "la seconde", "after"),
        ({"open_hours": "de 10 h à 19 h"}, "open", "Mo : lundi", "OpenStreetMap"),
        ({"as_of": "jadis"}, "as_of", "une date", "a date"),
        ({"as_of": "9999-12-31"}, "as_of", "une date", "a date"),
        ({"as_of": "2026-11-01T10:00:00"}, "as_of", "décalage", "offset"),
    ],
)
def test_what_makes_no_sense_is_refused_in_both_languages(
    changes: dict[str, object], field: str, french: str, english: str
) -> None:
    with pytest.raises(AskError) as refused:
        ask(wish(**changes), PARIS, NOW, KNOWN)

    assert refused.value.field == field
    assert french in refused.value.cause.fr
    assert english in refused.value.cause.en


@pytest.mark.parametrize(
    ("kind", "told"), [(Kind.FLOWS, "no counter is registered"), (Kind.PARKING, "no parking zone")]
)
def test_a_town_without_such_places_is_told_what_adds_some(kind: Kind, told: str) -> None:
    with pytest.raises(AskError, match=rf"{told}.*`passerelle places import` adds some"):
        ask(wish(kind=kind), PARIS, NOW, [])


def test_a_report_is_as_of_some_seconds_ago_unless_an_earlier_time_is_named() -> None:
    now = datetime(2026, 11, 27, 9, 6, 31, 77, tzinfo=UTC)

    assert ask(wish(), PARIS, now, KNOWN).as_of == datetime(2026, 11, 27, 9, 6, 26, tzinfo=UTC)
    assert ask(wish(as_of="2026-11-01"), PARIS, now, KNOWN).as_of == datetime(2026, 11, 1, 23, tzinfo=UTC)
    assert ask(wish(as_of="2027-11-01"), PARIS, now, KNOWN).as_of == datetime(2026, 11, 27, 9, 6, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("compare", "start", "end"),
    [
        ("last-year", "2025-10-02T00:00:00+02:00", "2025-11-02T00:00:00+01:00"),
        ("week-before", "2026-08-27T00:00:00+02:00", "2026-09-27T00:00:00+02:00"),
        ("2026-09-01/2026-10-01", "2026-09-01T00:00:00+02:00", "2026-10-01T00:00:00+02:00"),
    ],
)
def test_a_period_is_held_against_the_same_weekdays(compare: str, start: str, end: str) -> None:
    compared = asked("2026-10-01", "2026-11-01", compare=compare).compared

    assert compared is not None
    assert (compared.start.isoformat(), compared.end.isoformat()) == (start, end)


@pytest.mark.parametrize(
    "first",
    [
        asked("2026-10-01", "2026-11-01", "rue-haute", compare="last-year", filled=True),
        asked("2026-10-01", "2026-11-01", open_hours="Tu-Sa 09:30-19:00"),
        asked("2026-10-25T08:00:00+01:00", "2026-10-25T20:00:00+01:00", language=Language.ENGLISH),
    ],
)
def test_the_address_of_a_report_asks_for_the_same_report_later(first: Asked) -> None:
    query = parse_qs(address_of(first))
    later = datetime(2027, 6, 1, tzinfo=UTC)

    again = ask(
        Texts(
            kind=first.kind,
            start=query["from"][0],
            end=query["to"][0],
            places=tuple(query["place"]),
            compare=query.get("compare", [None])[0],
            as_of=query["as_of"][0],
            language=Language(query["language"][0]),
            open_hours=query["open"][0],
            filled="filled" in query,
        ),
        PARIS,
        later,
        KNOWN,
    )

    assert again == first


def test_a_report_knows_at_once_what_the_office_wrote_and_its_address_says_so_to_the_microsecond() -> None:
    now = datetime(2026, 11, 27, 9, 5, 31, 77, tzinfo=UTC)
    written = datetime(2026, 11, 27, 9, 5, 30, 250_001, tzinfo=UTC)
    first = ask(wish(), PARIS, now, KNOWN, settled=written)

    assert parse_qs(address_of(first))["as_of"] == ["2026-11-27T09:05:30.250001Z"]
    assert ask(wish(as_of="2026-11-27T09:05:30.250001Z"), PARIS, now, KNOWN, settled=written) == first
