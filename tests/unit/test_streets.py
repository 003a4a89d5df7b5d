"""A street of several counters: who walks along it is counted once, who walks on the other pavement is counted too."""

from collections.abc import Mapping, Sequence
from math import isnan
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cloud_api.registry import Counter, Position
from cloud_api.reports.hours import Hours
from cloud_api.reports.streets import Street, street_hours, street_name, street_sums, streets_of
from tests.unit.test_flow_indicators import hours

HERE = Position(lat=47.2137, lon=-1.5562)
DAY = 24
few = settings(max_examples=25)
counts = st.lists(st.none() | st.integers(0, 500), min_size=DAY, max_size=DAY)
towns = st.lists(
    st.tuples(st.sampled_from(["Rue Haute", "Quai"]), st.sampled_from([None, "n", "s"]), counts), min_size=1, max_size=6
)


def counter(name: str, street: str | None = None, section: str | None = None) -> Counter:
    return Counter(id=name, name=name, position=HERE, in_="nord", out="sud", street=street, section=section)


def only(*counters: Counter) -> Street:
    (street,) = streets_of(counters)
    return street


def passed(**each: Sequence[int | None]) -> Mapping[str, Hours]:
    return {name: hours(its) for name, its in each.items()}


def test_who_walks_on_to_the_next_section_is_counted_once() -> None:
    street = only(counter("a", "Rue Haute"), counter("b", "Rue Haute"))

    assert street_sums(street, passed(a=[10] * DAY, b=[10] * DAY)).whole.passages == 240
    assert street_sums(street, passed(a=[10] * DAY, b=[20] * DAY)).whole.passages == 360


def test_streets_of_one_name_are_told_apart() -> None:
    alone = replace(counter("cam-2"), name="Rue Haute")

    streets = streets_of([counter("a", "rue Haute"), alone, counter("b", "12 rue Haute"), counter("c", "Quai")])

    assert [each.name for each in streets] == ["Rue Haute (a)", "Rue Haute (cam-2)", "c"]


def test_both_pavements_of_a_section_are_added() -> None:
    street = only(counter("a", "Rue Haute", "nº 12"), counter("b", "12 rue Haute", "nº 12"), counter("c", "rue Haute"))
    sums = street_sums(street, passed(a=[10] * DAY, b=[20] * DAY, c=[40] * DAY))

    assert [(each.name, each.counters, each.passages) for each in sums.sections] == [("nº 12", 2, 720), ("c", 1, 960)]
    assert (sums.whole.name, sums.whole.passages, sums.whole.per_day) == ("Rue Haute", 840, 840.0)


@few
@given(counts, st.integers(1, 4))
def test_a_counter_that_tells_the_same_once_more_changes_no_street(its: list[int | None], more: int) -> None:
    names = [f"c{number}" for number in range(more + 1)]
    alone = street_sums(only(counter("c0", "Rue Haute")), passed(c0=its)).whole
    together = street_sums(
        only(*(counter(name, "Rue Haute") for name in names)), passed(**dict.fromkeys(names, its))
    ).whole

    assert (together.passages, together.per_day, together.known_h) == (alone.passages, alone.per_day, alone.known_h)


@few
@given(st.lists(counts, min_size=1, max_size=4))
def test_a_street_has_never_more_than_its_busiest_section_nor_less_than_its_quietest(
    sections: list[list[int | None]],
) -> None:
    its = passed(**{f"c{number}": each for number, each in enumerate(sections)})
    street = street_hours(only(*(counter(name, "Rue Haute") for name in its)), its)
    known = street.measured
    all_of_them = np.array([each.both[known] for each in its.values()])

    assert (street.both[known] <= all_of_them.max(axis=0) + 1e-9).all()
    assert (street.both[known] >= all_of_them.min(axis=0) - 1e-9).all()


@few
@given(towns, st.randoms(use_true_random=False))
def test_the_order_of_counters_changes_nothing(
    town: list[tuple[str, str | None, list[int | None]]], chance: Random
) -> None:
    counters = [counter(f"c{number}", street, section) for number, (street, section, _) in enumerate(town)]
    its = passed(**{f"c{number}": each for number, (*_, each) in enumerate(town)})
    shuffled = sorted(counters, key=lambda _: chance.random())

    def told(order: Sequence[Counter]) -> set[tuple[frozenset[str], int, int]]:
        sums = [(each, street_sums(each, its).whole) for each in streets_of(order)]
        return {(frozenset(each.counters), whole.passages, whole.known_h) for each, whole in sums}

    assert told(shuffled) == told(counters)


@few
@given(counts, counts)
def test_what_a_counter_misses_takes_its_hours_from_the_street_and_from_what_is_known(
    one: list[int | None], other: list[int | None]
) -> None:
    """Never a lower figure that looks like fewer people: the hour is not known, and the share known says so."""
    street = only(counter("a", "Quai", "n"), counter("b", "Quai", "n"))
    its = street_hours(street, passed(a=one, b=other))

    for told, left, right in zip(its.both, one, other, strict=True):
        assert isnan(told) if left is None or right is None else told == left + right
    assert street_sums(street, passed(a=one, b=other)).whole.known_h == sum(
        left is not None and right is not None for left, right in zip(one, other, strict=True)
    )


def test_a_mean_of_whole_days_does_not_fall_with_a_day_that_a_counter_missed() -> None:
    street = only(counter("a", "Quai"), counter("b", "Quai"))
    whole = street_sums(street, passed(a=[10] * 2 * DAY, b=[30] * 2 * DAY)).whole
    missing = street_sums(street, passed(a=[10] * 2 * DAY, b=[30] * DAY + [None] * DAY)).whole

    assert whole.per_day == missing.per_day == 480
    assert (whole.known_h / whole.hours, missing.known_h / missing.hours) == (1.0, 0.5)


def test_a_counter_whose_street_nobody_named_is_a_street_of_its_own() -> None:
    streets = streets_of([counter("a"), counter("b"), counter("c", "Quai")])

    assert [(each.name, each.counters) for each in streets] == [("a", ("a",)), ("b", ("b",)), ("c", ("c",))]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("12 rue Haute", "Rue Haute"),
        ("12 bis, rue Haute", "Rue Haute"),
        ("3B rue Haute", "Rue Haute"),
        ("rue du 8 mai 1945", "Rue du 8 mai 1945"),
        ("Rue Haute", "Rue Haute"),
    ],
)
def test_a_house_number_is_no_part_of_a_street(address: str, name: str) -> None:
    assert street_name(address) == name
