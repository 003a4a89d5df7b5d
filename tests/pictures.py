"""A town's parking at one moment, for tests of what is written in other tongues."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from cloud_api.audiences import divided, shares_of
from cloud_api.formats.picture import Picture, Town, ZoneNow
from cloud_api.registry import Position, Zone
from cloud_api.registry.places import Capacity, Counting, ZoneKind
from cloud_api.trust import Cause, Trust
from cloud_api.zones import ZoneView

NOW = datetime(2026, 11, 21, 10, 5, tzinfo=UTC)
TOWN = Town(id="saint-aubin", name="Saint-Aubin")
HERE = Position(lat=47.2137, lon=-1.5562)
SILENT = Cause("sans nouvelles depuis 3 h", "no news for 3 h")


def zone(id_: str = "marche", free: int | None = 4, occupied: int | None = 6, **place: Any) -> ZoneNow:
    """A zone of which `free` and `occupied` are known, or nothing is."""
    known = [count for count in (free, occupied) if count is not None]
    capacity = sum(known) if known else 12
    view = ZoneView(
        id=id_,
        name="Place du Marché",
        position=HERE,
        capacity=capacity,
        free=free,
        occupied=occupied,
        unknown=0 if known else capacity,
        closed=0,
        trust=Trust.FRESH if known else Trust.STALE,
        cause=None if known else SILENT,
        measured_at=NOW - timedelta(minutes=1),
        oldest_at=NOW - timedelta(minutes=20) if known else None,
    )
    return ZoneNow(place=Zone(id=id_, name=view.name, position=HERE, **place), now=view)


def unknown(id_: str = "marche", **place: Any) -> ZoneNow:
    """A zone of which nobody knows anything now."""
    return zone(id_, None, None, **place)


def closed(id_: str = "marche", reason: str = "travaux", **place: Any) -> ZoneNow:
    """A zone that the town has closed."""
    it = unknown(id_, **place)
    why = Cause(f"fermé : {reason}", f"closed: {reason}")
    return structs.replace(
        it, now=structs.replace(it.now, trust=Trust.CLOSED, cause=why, unknown=0, closed=it.now.capacity)
    )


def picture(*zones: ZoneNow) -> Picture:
    """A town of these zones."""
    return Picture(town=TOWN, as_of=NOW, zones=zones)


def shared(it: ZoneNow, **capacity: int) -> ZoneNow:
    """The same zone, with what one figure for all says of each audience."""
    shares = shares_of(Capacity(**capacity), it.now.capacity)
    return structs.replace(it, now=structs.replace(it.now, audiences=divided(it.now, shares)))


@st.composite
def zones(draw: st.DrawFn, id_: str) -> ZoneNow:
    """Any zone, in any state that a zone can be in."""
    place = {
        "kind": draw(st.sampled_from(ZoneKind)),
        "counting": draw(st.sampled_from([Counting.SPACES, Counting.ENTRANCES, Counting.NONE])),
        "address": draw(st.none() | st.just('1 <rue> & "place", 44000 Saint-Aubin')),
    }
    state = draw(st.sampled_from(["known", "unknown", "closed"]))
    kept = {name: draw(st.integers(0, 20)) for name in ("pmr", "ev", "delivery")}
    if state != "known":
        return shared(unknown(id_, **place) if state == "unknown" else closed(id_, **place), **kept)
    it = zone(id_, draw(st.integers(0, 500)), draw(st.integers(1, 500)), **place)
    age = timedelta(seconds=draw(st.integers(0, 3600)))
    return shared(structs.replace(it, now=structs.replace(it.now, measured_at=NOW - age)), **kept)


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """Any town that has a zone."""
    return picture(*(draw(zones(f"zone-{number}")) for number in range(draw(st.integers(1, 4)))))
