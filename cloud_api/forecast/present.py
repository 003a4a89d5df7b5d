"""What is known of a zone now, as far as a driver who comes later may count on it. Pure.

Where single spaces are counted, a forecast is of those that are open to everybody; in a zone that has none, of those
that most of its spaces are kept for. Where cars are counted, or another operator tells, it is of all spaces together.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping

from msgspec import Struct

from cloud_api.forecast.distribution import Spaces
from cloud_api.registry import Registry, Space, Zone
from cloud_api.registry.places import Audience, Counting
from cloud_api.trust import Trust, Verdict, judge_zone
from cloud_api.zones import SpaceStatus, ZoneDetail

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


def present(zone: Zone, seen: ZoneDetail) -> Present:
    """What is known of a zone that looks like this now."""
    if zone.counting is not Counting.SPACES:
        return _counted(seen)
    chosen = _chosen(each.audience for each in seen.spaces)
    views = [view for view in seen.spaces if view.audience is chosen]
    known = [view for view in views if view.status in {SpaceStatus.FREE, SpaceStatus.OCCUPIED}]
    return Present(
        audience=chosen,
        capacity=len(views),
        verdict=judge_zone([Verdict(view.trust, view.cause) for view in views]),
        occupied={view.id: view.status is SpaceStatus.OCCUPIED for view in known},
        counted=NOBODY,
    )


def forecast_spaces(registry: Registry, zone: Zone) -> list[Space]:
    """The single spaces of a zone that are forecast: one audience's."""
    spaces = registry.spaces_of(zone.id)
    chosen = _chosen(each.audience for each in spaces)
    return [each for each in spaces if each.audience is chosen]


def _chosen(audiences: Iterable[Audience]) -> Audience | None:
    """Everybody where there is a space for everybody, else whom most spaces are kept for; None without spaces."""
    counted = Counter(audiences)
    if not counted:
        return None
    return Audience.PUBLIC if Audience.PUBLIC in counted else counted.most_common(1)[0][0]


def _counted(seen: ZoneDetail) -> Present:
    return Present(
        audience=None,
        capacity=seen.capacity,
        verdict=Verdict(seen.trust, seen.cause),
        occupied={},
        counted=NOBODY if seen.free is None or seen.occupied is None else Spaces(seen.free, seen.occupied),
    )
