"""What is known of a zone now, as far as a driver who comes later may count on it. Pure.

Where single spaces are counted, a forecast is of those that are open to everybody; in a zone that has none, of those
that most of its spaces are kept for. Where cars are counted, or another operator tells, it is of all spaces together.
"""

from collections import Counter
from collections.abc import Container, Mapping
from datetime import datetime

from msgspec import Struct

from cloud_api.forecast.distribution import Spaces
from cloud_api.live import Live
from cloud_api.registry import Registry, Space, Zone
from cloud_api.registry.places import Audience, Counting
from cloud_api.trust import Trust, Verdict, judge_zone
from cloud_api.zones import SpaceStatus, space_views, zone_view

NOBODY = Spaces(0, 0)


class Present(Struct, frozen=True, kw_only=True):
    """One zone now."""

    audience: Audience | None
    """For whom the spaces are that are forecast; None where they are not told apart."""
    capacity: int
    """All of these spaces, whatever is known of them."""
    verdict: Verdict
    """How far what is known of them can be believed."""
    occupied: Mapping[str, bool]
    """Of each single space that can be believed, by id, whether it is occupied; empty where cars are counted."""
    counted: Spaces
    """What is known where cars are counted."""

    def spaces(self, closed: Container[str] = ()) -> Spaces:
        """All that is known, without the spaces that are `closed`."""
        single = [occupied for space, occupied in self.occupied.items() if space not in closed]
        taken = sum(single)
        return Spaces(self.counted.free + len(single) - taken, self.counted.occupied + taken)

    @property
    def can_be_believed(self) -> bool:
        """Whether it is known how full the zone is."""
        return self.verdict.trust is Trust.FRESH and self.spaces().known > 0


def present(live: Live, registry: Registry, zone: Zone, now: datetime) -> Present:
    """What is known of a zone now."""
    if zone.feed is not None or zone.counting is Counting.ENTRANCES:
        return _counted(live, registry, zone, now)
    spaces = forecast_spaces(registry, zone)
    wanted = {each.id for each in spaces}
    views = [view for view in space_views(live, registry, zone, now) if view.id in wanted]
    known = [view for view in views if view.status in {SpaceStatus.FREE, SpaceStatus.OCCUPIED}]
    return Present(
        audience=spaces[0].audience if spaces else None,
        capacity=len(views),
        verdict=judge_zone([Verdict(view.trust, view.cause) for view in views]),
        occupied={view.id: view.status is SpaceStatus.OCCUPIED for view in known},
        counted=NOBODY,
    )


def forecast_spaces(registry: Registry, zone: Zone) -> list[Space]:
    """The single spaces of a zone that are forecast: one audience's."""
    spaces = registry.spaces_of(zone.id)
    audiences = Counter(each.audience for each in spaces)
    if not audiences:
        return []
    chosen = Audience.PUBLIC if Audience.PUBLIC in audiences else audiences.most_common(1)[0][0]
    return [each for each in spaces if each.audience is chosen]


def _counted(live: Live, registry: Registry, zone: Zone, now: datetime) -> Present:
    view = zone_view(live, registry, zone, now)
    return Present(
        audience=None,
        capacity=view.capacity,
        verdict=Verdict(view.trust, view.cause),
        occupied={},
        counted=NOBODY if view.free is None or view.occupied is None else Spaces(view.free, view.occupied),
    )
