"""Streets of several counters, so that who walks along is not counted twice. Pure; the rule is in `docs/indicators.md`.

A *section* is a line across a street. Counters of one section stand side by side on it (both pavements) and are added.
Who walks on passes the next section too: sections are never added, a street's passages are the mean of its sections'.
A street that nobody named is its counter's.
"""

import re
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from cloud_api.registry import Counter
from cloud_api.reports.flow_indicators import whole_days
from cloud_api.reports.hours import Hours, added_up, averaged

HOUSE_NUMBER: Final = re.compile(r"\d+\s*(bis|ter|quater|[a-d])?\s*,?\s+", re.IGNORECASE)
"""What stands before a street's name in an address (`12 bis, rue Haute`)."""


@dataclass(frozen=True, slots=True)
class Section:
    """A line across a street."""

    name: str
    counters: tuple[str, ...]
    """The ids of those that stand side by side on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """Counters that are told as one."""

    name: str
    """The street's; of a counter alone, the counter's."""
    sections: tuple[Section, ...]

    @property
    def counters(self) -> tuple[str, ...]:
        """The ids of all its counters."""
        return tuple(each for its in self.sections for each in its.counters)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionSums:
    """What passed a line across a street in the hours in which all its counters were measured and can be believed."""

    name: str
    counters: int
    passages: int
    per_day: float | None
    """The mean over whole days; None over none."""
    days: int
    """How many whole days that is."""
    hours: int
    known_h: int
    """Of so many hours all its counters are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetSums:
    """The same of a street: the mean of its sections, in hours in which all of them are known."""

    whole: SectionSums
    sections: tuple[SectionSums, ...]


def streets_of(counters: Sequence[Counter]) -> list[Street]:
    """The streets of some counters, in their order; of several with one name each says its first counter's id too."""
    together: dict[tuple[bool, str], list[Counter]] = {}
    for each in counters:
        together.setdefault(_street_key(each), []).append(each)
    found = [_street(its) for its in together.values()]
    times = Tally(each.name for each in found)
    return [
        each if times[each.name] == 1 else replace(each, name=f"{each.name} ({each.counters[0]})") for each in found
    ]


def street_hours(street: Street, hours: Mapping[str, Hours]) -> Hours:
    """A street's passages, both directions under `in_`; `hours` by the counter's id, all over the same hours."""
    return averaged([section_hours(its, hours) for its in street.sections])


def section_hours(section: Section, hours: Mapping[str, Hours]) -> Hours:
    """A section's passages, likewise."""
    return added_up([hours[each] for each in section.counters])


def street_sums(street: Street, hours: Mapping[str, Hours]) -> StreetSums:
    """A street's sums; `hours` as `quality` left them, by the counter's id."""
    return StreetSums(
        whole=_sums(street.name, len(street.counters), street_hours(street, hours)),
        sections=tuple(_sums(its.name, len(its.counters), section_hours(its, hours)) for its in street.sections),
    )


class StreetGathering:
    """Takes counters one at a time, and keeps the hours of a street only until it is whole.

    Takes none where each counter is a street of its own: then there is nothing to tell.
    """

    def __init__(self, streets: Sequence[Street]) -> None:
        self._streets = streets if any(len(each.counters) > 1 for each in streets) else ()
        self._street_of = {counter: each for each in self._streets for counter in each.counters}
        self._hours: dict[str, Hours] = {}
        self._sums: dict[str, StreetSums] = {}

    def take(self, counter: str, hours: Hours) -> tuple[Street, Hours] | None:
        """A counter's hours as `quality` left them; gives its street's, once it was the last of them."""
        street = self._street_of.get(counter)
        if street is None:
            return None
        self._hours[counter] = hours
        if any(each not in self._hours for each in street.counters):
            return None
        whole = {each: self._hours.pop(each) for each in street.counters}
        self._sums[street.counters[0]] = street_sums(street, whole)
        return street, street_hours(street, whole)

    @property
    def sums(self) -> list[StreetSums]:
        """The sums of all streets, in their order, once every counter was taken."""
        return [self._sums[each.counters[0]] for each in self._streets]


def _sums(name: str, counters: int, hours: Hours) -> SectionSums:
    known, days = hours.measured, list(whole_days(hours).values())
    return SectionSums(
        name=name,
        counters=counters,
        passages=round(float(hours.both[known].sum())),
        per_day=float(np.mean(days)) if days else None,
        days=len(days),
        hours=len(hours),
        known_h=int(known.sum()),
    )


def _street(counters: Sequence[Counter]) -> Street:
    sections: dict[tuple[bool, str], list[Counter]] = {}
    for each in counters:
        sections.setdefault((each.section is None, each.section or each.id), []).append(each)
    first = counters[0]
    return Street(
        name=first.name if len(counters) == 1 or first.street is None else street_name(first.street),
        sections=tuple(
            Section(its[0].section or its[0].name, tuple(each.id for each in its)) for its in sections.values()
        ),
    )


def _street_key(counter: Counter) -> tuple[bool, str]:
    return counter.street is None, counter.id if counter.street is None else street_name(counter.street).casefold()


def street_name(address: str) -> str:
    """`rue Haute` of `12 bis, rue Haute`; with a capital letter."""
    number = HOUSE_NUMBER.match(address)
    name = address[number.end() :] if number and number.end() < len(address) else address
    return name[:1].upper() + name[1:]
