"""Which zones the page shows to an audience, and in which order. Pure.

In come zone views and what is asked; out come the zones with spaces for that audience: first where one is surely free,
then where one may be, then the full and the closed; in each group the shortest walk first, or else by name.
"""

import unicodedata
from collections.abc import Iterable, Mapping

from cloud_api.forecast.arrival import Arrival
from cloud_api.nearby import hope, metres
from cloud_api.registry import Zone
from cloud_api.registry.places import Audience
from cloud_api.web.arrivals import Outlook
from cloud_api.web.asked import Asked
from cloud_api.web.cards import Seen, counts_for
from cloud_api.zones import ZoneView


def zones_seen(zones: Iterable[ZoneView], asked: Asked, places: Mapping[str, Zone]) -> list[Seen]:
    """The zones that an audience is shown, in their order; `places`: what the register says of them."""
    seen = [
        Seen(
            zone=zone,
            counts=counts,
            place=places.get(zone.id),
            metres=None if asked.near is None else metres(asked.near.position, zone.position),
        )
        for zone in zones
        if (counts := counts_for(zone, asked.audience)) is not None
    ]
    return sorted(seen, key=lambda each: (hope(each.counts), each.metres or 0.0, alphabetical(each.zone)))


def alphabetical(zone: ZoneView) -> tuple[str, str]:
    """A zone's place among names: accents and capitals do not count."""
    letters = unicodedata.normalize("NFKD", zone.name)
    return "".join(each for each in letters if not unicodedata.combining(each)).casefold(), zone.id


def audiences_of(zones: Iterable[ZoneView]) -> list[Audience]:
    """The audiences that a town has spaces for; everybody always."""
    found = {each.audience for zone in zones for each in zone.audiences} | {Audience.PUBLIC}
    return [each for each in Audience if each in found]


def outlook_for(arrival: Arrival | None, told_for: Audience | None, zone: ZoneView, asked: Asked) -> Outlook | None:
    """An arrival at a zone, where it was worked out for the audience that asks.

    `told_for`: that audience; None where all cars are counted together, which everybody is told, as such.
    """
    if arrival is None or asked.audience is not (told_for or Audience.PUBLIC):
        return None
    for_cars = {each.audience for each in zone.audiences} - {Audience.TWO_WHEELS}
    return Outlook(arrival, together=told_for is None and len(for_cars) > 1)
