"""What an event brought: intervals that cover the truth as often as they say, and no answer where there is none."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from cloud_api.forecast.days import Calendar
from cloud_api.reports.baseline import student
from cloud_api.reports.calendar import Event, Market, OfficeCalendar
from cloud_api.reports.event_effect import Days, christmas_shopping, effect_of, street_effect
from cloud_api.reports.events import CannotTell, DayNotComparable, Doubt, EventEffect, Told, Uplift, WhyNot
from cloud_api.reports.hours import Hours
from cloud_api.settings import SchoolZone
from tests.streets import DAYS, FIRST, streets, with_event

ORDINARY = Days(Calendar(None), OfficeCalendar())
SATURDAY = date(2025, 9, 20)
TOWN = streets(4, seed=11)


def event(first: date = SATURDAY, days: int = 1, hours: str = "10:00-20:00") -> Event:
    return Event(name="Braderie", start=first, end=first + timedelta(days=days - 1), hours=hours)


def until(street: Hours, day: date) -> Hours:
    return kept(street, street.day <= day.toordinal())


def since(street: Hours, day: date) -> Hours:
    return kept(street, street.day >= day.toordinal())


def kept(street: Hours, which: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Hours:
    return replace(street, **{name: getattr(street, name)[which] for name in Hours.__slots__ if name != "zone"})


def unmeasured(street: Hours, day: date, hours: range) -> Hours:
    gone = (street.day == day.toordinal()) & np.isin(street.hour, list(hours))
    return replace(street, in_=np.where(gone, np.nan, street.in_), coverage=np.where(gone, 0.0, street.coverage))


def uplift(effect: EventEffect) -> Uplift:
    assert isinstance(effect.whole.whole, Uplift)
    return effect.whole.whole


def doubt(street: Hours, its: Event, days: Days = ORDINARY) -> Doubt | None:
    answer = street_effect("rue Haute", street, its, days).whole
    return answer.doubt if isinstance(answer, CannotTell) else None


@pytest.mark.parametrize(("days", "brings"), [(1, 0.0), (3, 0.4)])
def test_intervals_cover_what_an_event_brought_as_often_as_they_say(days: int, brings: float) -> None:
    random = np.random.default_rng(3)
    covered = []
    for number in range(100):
        first = FIRST + timedelta(days=int(random.integers(400, DAYS - 100)))
        street, brought = with_event(TOWN[number % len(TOWN)], first, days, brings, seed=number)
        answer = street_effect("rue Haute", street, event(first, days), ORDINARY).whole
        if isinstance(answer, Uplift):
            covered.append(answer.gained_low <= brought <= answer.gained_high)

    assert len(covered) > 90
    assert 0.84 <= np.mean(covered) <= 0.97


def test_a_great_event_is_told_and_its_figures_fit_each_other() -> None:
    street, brought = with_event(TOWN[0], SATURDAY, 2, 1.0, seed=1)
    told = uplift(effect_of(event(days=2), {"rue Haute": street}, {}, ORDINARY))

    assert told.told is Told.MORE
    assert told.gained_low <= brought <= told.gained_high
    assert told.change_low < told.change < told.change_high
    assert told.gained == told.counted - told.expected
    assert (told.hours, told.measured, told.rate) == (20, 20, 0.9)


def test_every_street_is_told_by_itself_and_spill_over_by_wider_intervals_that_hold_together() -> None:
    held, _ = with_event(TOWN[0], SATURDAY, 1, 1.0, seed=1)
    effect = effect_of(event(), {"a": held, "b": TOWN[1]}, {"c": TOWN[2], "d": TOWN[3]}, ORDINARY)

    assert [each.street for each in (*effect.streets, *effect.elsewhere)] == ["a", "b", "c", "d"]
    rates = [each.whole.rate for each in effect.elsewhere if isinstance(each.whole, Uplift)]
    assert rates == [0.95, 0.95]
    answers = [each.whole for each in (*effect.streets, *effect.elsewhere)]
    assert [each.told for each in answers if isinstance(each, Uplift)] == [Told.MORE, *[Told.USUAL] * 3]
    assert uplift(effect).counted == sum(each.counted for each in answers[:2] if isinstance(each, Uplift))


def test_hour_by_hour_the_counts_add_up_to_the_whole_in_the_order_of_the_evening() -> None:
    effect = street_effect("rue Haute", TOWN[0], event(hours="18:00-02:00"), ORDINARY)

    assert [each.hour for each in effect.by_hour] == [18, 19, 20, 21, 22, 23, 0, 1]
    told = [each.answer.counted for each in effect.by_hour if isinstance(each.answer, Uplift)]
    whole = effect.whole
    assert isinstance(whole, Uplift)
    assert sum(told) <= whole.counted


def test_days_that_are_not_comparable_are_told_with_the_reason() -> None:
    other = Event(name="Fête", start=date(2025, 9, 13), end=date(2025, 9, 13))
    street = unmeasured(TOWN[0], date(2025, 9, 6), range(10, 11))
    effect = street_effect("rue Haute", street, event(), replace(ORDINARY, office=OfficeCalendar(events=(other,))))

    this_year = {each for each in effect.left_out if each.day.year == 2025 and each.day.month == 9}
    assert {each for each in this_year if each.day.weekday() == 5} == {
        DayNotComparable(date(2025, 9, 6), WhyNot.NOT_MEASURED),
        DayNotComparable(date(2025, 9, 13), WhyNot.EVENT),
    }
    assert {each.why for each in this_year if each.day.weekday() != 5} == {WhyNot.OTHER_KIND}
    assert all(day.weekday() == 5 for day in effect.comparable)
    assert not set(effect.comparable) & {SATURDAY, date(2025, 9, 6), date(2025, 9, 13)}


def test_market_days_are_held_against_market_days_alone() -> None:
    begun = Market(name="Marché", weekdays=("samedi",), start=date(2025, 8, 2))
    days = replace(ORDINARY, office=OfficeCalendar(markets=(begun,)))
    effect = street_effect("rue Haute", TOWN[0], event(), days)

    assert effect.comparable[0] == date(2025, 8, 2)
    assert all(days.kind(day).markets == ("Marché",) for day in effect.comparable)


def test_school_holidays_are_held_against_school_holidays() -> None:
    days = replace(ORDINARY, calendar=Calendar(SchoolZone.B))
    effect = street_effect("rue Haute", TOWN[0], event(date(2025, 7, 19)), days)

    assert effect.comparable
    assert all(days.kind(day).school_holiday for day in effect.comparable)


def test_a_christmas_market_is_not_credited_with_christmas() -> None:
    market = event(date(2025, 12, 6), 14)
    last_advent = until(since(TOWN[0], date(2024, 6, 1)), date(2026, 2, 1))
    this_year_alone = since(last_advent, date(2025, 6, 1))

    assert doubt(this_year_alone, event(date(2025, 11, 29), 26)) is Doubt.FEW_DAYS
    effect = street_effect("rue Haute", last_advent, market, ORDINARY)
    assert isinstance(effect.whole, Uplift)
    assert all(christmas_shopping(day) for day in effect.comparable)


def test_christmas_shopping_begins_on_the_saturday_before_advent() -> None:
    assert [christmas_shopping(date(2026, 11, day)) for day in (27, 28)] == [False, True]
    assert [christmas_shopping(date(2022, 11, day)) for day in (25, 26)] == [False, True]
    assert christmas_shopping(date(2026, 12, 31))
    assert not christmas_shopping(date(2027, 1, 1))


def test_what_the_data_do_not_allow_is_not_told() -> None:
    street = TOWN[0]
    known = since(until(street, date(2025, 10, 31)), date(2025, 9, 1))

    assert doubt(street, event()) is None
    assert doubt(until(street, SATURDAY - timedelta(days=1)), event()) is Doubt.NOT_OVER
    assert doubt(unmeasured(street, SATURDAY, range(24)), event()) is Doubt.NO_DATA
    assert doubt(unmeasured(street, SATURDAY, range(10, 13)), event()) is Doubt.MISSING_HOURS
    assert doubt(unmeasured(street, SATURDAY, range(10, 12)), event()) is None
    assert doubt(since(until(street, date(2025, 10, 11)), date(2025, 9, 13)), event()) is Doubt.FEW_DAYS
    assert doubt(known, event(date(2025, 9, 8), 40)) is Doubt.LONGER_THAN_HISTORY
    assert doubt(replace(street, in_=np.minimum(street.in_, 1)), event()) is Doubt.FEW_PEOPLE
    assert doubt(kept(street, np.zeros(len(street), dtype=np.bool_)), event()) is Doubt.NO_DATA


def test_why_it_cannot_be_told_is_said_in_words() -> None:
    street = unmeasured(TOWN[0], SATURDAY, range(10, 13))
    answer = street_effect("rue Haute", street, event(), ORDINARY).whole

    assert isinstance(answer, CannotTell)
    assert answer.cause.fr == "mesures fiables pour 7 des 10 heures de l’événement"


def test_hours_that_were_not_measured_are_left_out_on_both_sides() -> None:
    whole = street_effect("rue Haute", TOWN[0], event(), ORDINARY).whole
    part = street_effect("rue Haute", unmeasured(TOWN[0], SATURDAY, range(10, 12)), event(), ORDINARY).whole

    assert isinstance(whole, Uplift)
    assert isinstance(part, Uplift)
    assert (part.hours, part.measured) == (10, 8)
    assert part.expected < whole.expected
    assert part.change == pytest.approx(whole.change, abs=0.15)


def test_an_event_over_a_change_of_time_has_an_answer() -> None:
    answer = street_effect("rue Haute", TOWN[0], event(date(2025, 3, 29), 2, "00:00-24:00"), ORDINARY).whole

    assert isinstance(answer, Uplift)
    assert (answer.hours, answer.measured) == (48, 47)


@pytest.mark.parametrize(("rate", "free", "quantile"), [(0.9, 5, 2.015), (0.9, 10, 1.812), (0.95, 5, 2.571)])
def test_students_quantiles_are_those_of_the_tables(rate: float, free: int, quantile: float) -> None:
    assert student(rate, free) == pytest.approx(quantile, abs=0.003)
