"""What every tongue tells of: a town, and its zones as they are now."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from cloud_api.counts import Counts
from cloud_api.registry import Zone
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.places import Audience
from cloud_api.settings import Settings
from cloud_api.zones import ZoneView


class Town(Struct, frozen=True, kw_only=True):
    """The town that an API speaks for."""

    id: str
    """Its name in ASCII, as part of an address (`saint-aubin`)."""
    name: str


class ZoneNow(Struct, frozen=True, kw_only=True):
    """A zone as the registry knows it, and as it is now."""

    place: Zone
    now: ZoneView

    @property
    def is_known(self) -> bool:
        """Whether anything is known of how many spaces are free."""
        return self.now.free is not None

    @property
    def public(self) -> Counts:
        """What a driver without badge, plug or season ticket finds.

        All spaces, where nobody knows which are whose; none, where all are kept for others.
        """
        if not self.now.audiences:
            return self.now
        return self.now.of(Audience.PUBLIC) or self._nothing

    @property
    def _nothing(self) -> Counts:
        none = None if self.now.free is None else 0
        return Counts(
            capacity=0,
            free=none,
            occupied=none,
            unknown=0,
            closed=0,
            trust=self.now.trust,
            cause=self.now.cause,
            measured_at=self.now.measured_at,
            oldest_at=self.now.oldest_at,
        )

    @property
    def operator(self) -> str | None:
        """Who tells of it, or runs it; None for the town."""
        return self.now.source or self.place.operator


class Picture(Struct, frozen=True, kw_only=True):
    """A town's parking at one moment."""

    town: Town
    as_of: datetime
    """As of when the figures are, UTC."""
    zones: tuple[ZoneNow, ...]
    revision: int = 0
    """Of the registry."""

    @property
    def newest_at(self) -> datetime | None:
        """The newest news that any figure rests on, UTC; None while nothing is known."""
        known = (each.now.measured_at for each in self.zones if each.is_known)
        return max((at for at in known if at is not None), default=None)


def town_of(settings: Settings) -> Town:
    """The town by its name, or by its service's title where it has none."""
    name = settings.town or settings.title
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return Town(id=re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "town", name=name)


def picture(settings: Settings, places: CurrentRegistry, views: Iterable[ZoneView], as_of: datetime) -> Picture:
    """The town as its zones were last looked at."""
    zones = tuple(ZoneNow(place=places.now.zones[view.id], now=view) for view in views)
    return Picture(town=town_of(settings), as_of=as_of, zones=zones, revision=places.revision)
