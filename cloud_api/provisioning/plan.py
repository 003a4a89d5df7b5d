"""What an action will do to the registry, before it is done; or why it cannot be done, as data first and words second.

A plan is a value: it may be shown, rehearsed or carried out. A page says the same in its own tongue, by the refusal's
name and facts.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from cloud_api.registry.places import Entry

REFUSALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unknown-device": "{device} is not adopted here; adopt it to a gateway first",
        "unknown-place": "there is no counter, space or car park {place}",
        "uncounted-zone": "{place} is not counted at its entrances; install at one of its spaces",
        "unknown-gateway": "there is no gateway {gateway}; `passerelle gateway list` names them all",
        "wrong-address": "{address} is no address of a device; {expected} expected",
        "adopted-elsewhere": "{device} belongs to gateway {gateway}; hand it over, or take it from there first",
        "retired": "{device} is retired since {since}; adopt it anew first",
        "installed-elsewhere": "{device} serves {place} since {since}; move it, or end that installation first",
        "installed-already": "{device} is installed at {place} since {since}; end its installations first, or swap it",
        "served-already": "{place} is served by {device} since {since}; swap it, or end that installation first",
        "other-way-round": "{device} serves {place} since {since}, the other way round; turn it round",
        "not-installed": "{device} serves no place then; install it first",
        "nothing-serves": "nothing serves {place} then; install a device there",
        "several-devices": "{place} is served by {devices}; say which",
        "several-installations": "{device} serves {places}; say which channel",
        "unknown-model": "gateway {gateway} ({version}) knows no model {model}; choose another, or upgrade the gateway",
        "unknown-option": "{model} has no option {option}; it has {options}",
        "unknown-link": "gateway {gateway} has no link {link}; it has {links}",
        "unknown-line": "{model} does not count {channel}; it counts {lines}",
        "counts-nothing": "{model} counts no passages, as {place} wants; install it at a space",
        "sees-no-space": "{channel} of {model} counts passages and sees no space; choose another channel or a counter",
        "same-device": "{device} is the one that is there; another one expected",
    }
)
"""What each refusal says and what to do, by its name."""


class NotPossibleError(Exception):
    """An action that cannot be: why, and what to do instead. Nothing of it was done."""

    def __init__(self, name: str, field: str, *, nearest: str | None = None, **facts: str) -> None:
        self.name = name
        """One of `REFUSALS`."""
        self.field = field
        """Which of the action's inputs is to blame (`device`, `place`, `gateway`, …)."""
        self.nearest = nearest
        """What may have been meant."""
        self.facts = facts
        said = REFUSALS[name].format_map(facts)
        super().__init__(said if nearest is None else f"{said}; {nearest} may be meant")


class Plan(Struct, frozen=True):
    """What an action does."""

    entries: tuple[Entry, ...] = ()
    """To be added, or put in the place of those with their keys."""
    gone: tuple[Entry, ...] = ()
    """To be removed: what would never have come into force."""
    words: tuple[str, ...] = ()
    """What it does, one line each."""


def together(plans: Iterable[Plan]) -> Plan:
    """Several plans as one."""
    known = list(plans)
    return Plan(
        entries=tuple(entry for each in known for entry in each.entries),
        gone=tuple(entry for each in known for entry in each.gone),
        words=tuple(line for each in known for line in each.words),
    )


def nearest(text: str, known: Iterable[str]) -> str | None:
    """What may have been meant by a name that nobody knows."""
    by_case = {each.casefold(): each for each in known}
    found = get_close_matches(text.casefold(), by_case, n=1, cutoff=0.8)
    return by_case[found[0]] if found else None
