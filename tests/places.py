"""Towns that hypothesis makes up: all kinds of places, with all that may be said of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from cloud_api.registry import (
    Audience,
    Closure,
    Counter,
    Device,
    Gateway,
    Installation,
    Position,
    Registry,
    Space,
    Zone,
)
from cloud_api.registry.geometry import Geometry, LineString, MultiPolygon, Polygon
from cloud_api.registry.national import BadgePrice, NationalRecord, Structure, Users
from cloud_api.registry.places import Capacity, Counting, FeedSource, MaxStay, ZoneKind
from cloud_api.registry.soundness import FORMULA

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOURS = ("24/7", "Mo-Sa 07:00-21:00; PH off", 'Mo-Fr 08:00-19:00 "sauf marché"', "Sa 06:00-26:00")

words = st.text(st.characters(max_codepoint=0x2FF), min_size=1, max_size=30).filter(
    lambda text: text.strip() == text and not text.startswith(FORMULA)
)
labels = st.sampled_from(["Place du Marché", "Gare « Nord »", "Œuvre, l’été", 'say "hi"; or, not', "日本 🅿️"]) | words
counts = st.integers(0, 1000)


def degrees(most: int) -> st.SearchStrategy[float]:
    """From -most to most, to a ten-millionth."""
    return st.integers(-most * 10**7, most * 10**7).map(lambda whole: whole / 10**7)


positions = st.builds(Position, lat=degrees(89), lon=degrees(179))
limits = st.builds(MaxStay, minutes=st.integers(1, 7 * 24 * 60), hours=st.none() | st.sampled_from(HOURS))
metres = st.integers(1, 2000).map(lambda centimetres: centimetres / 100)
euros = st.integers(0, 10_000).map(lambda cents: cents / 100)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or none."""
    return st.none() | values


def _box(corner: Position, size: float) -> tuple[tuple[float, float], ...]:
    west, south, east, north = corner.lon, corner.lat, corner.lon + size, corner.lat + size
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    """A line, an area, or two."""
    corner = draw(st.builds(Position, lat=degrees(80), lon=degrees(170)))
    match draw(st.integers(0, 2)):
        case 0:
            return LineString(coordinates=_box(corner, 0.5)[:3])
        case 1:
            return Polygon(coordinates=(_box(corner, 0.5),))
        case _:
            return MultiPolygon(coordinates=((_box(corner, 0.5),), (_box(Position(lat=corner.lat + 2, lon=0), 0.25),)))


nationals = st.builds(
    NationalRecord,
    id=st.integers(0, 999).map("44109-P-{:03d}".format),
    siret=st.integers(0, 10**14 - 1).map("{:014d}".format),
    users=st.sampled_from(Users),
    free_of_charge=st.booleans(),
    park_and_ride=maybe(counts),
    car_sharing=maybe(counts),
    car_pooling=maybe(counts),
    bicycles=maybe(counts),
    electric_two_wheels=maybe(counts),
    badge_price=maybe(st.sampled_from(BadgePrice)),
    price_1h=maybe(euros),
    price_24h=maybe(euros),
    resident_month=maybe(euros),
    visitor_month=maybe(euros),
    structure=maybe(st.sampled_from(Structure)),
)
capacities = st.builds(Capacity, **{audience.value: maybe(counts) for audience in Audience})


@st.composite
def zones(draw: st.DrawFn, name: str, national: st.SearchStrategy[Any]) -> Zone:
    """A zone of a name, with anything that may be said of one."""
    counting = draw(st.sampled_from(Counting))
    feed = FeedSource(name="voisin", id=draw(labels)) if counting is Counting.FEED else None
    return Zone(
        id=name,
        name=draw(labels),
        position=draw(positions),
        kind=draw(st.sampled_from(ZoneKind)),
        counting=counting,
        capacity=draw(capacities),
        feed=feed,
        operator=draw(maybe(labels)),
        geometry=draw(maybe(geometries())),
        height_limit_m=draw(maybe(metres)),
        price=draw(maybe(labels)),
        opening_hours=draw(maybe(st.sampled_from(HOURS))),
        max_stay=draw(maybe(limits)),
        address=draw(maybe(labels)),
        insee=draw(maybe(st.sampled_from(["44109", "2A004"]))),
        url=draw(maybe(st.just("https://www.exemple.fr/stationnement?a=1,2"))),
        info=draw(maybe(labels)),
        national=draw(national),
    )


@st.composite
def closures(draw: st.DrawFn, name: str, places: list[str]) -> Closure:
    """A closure of one of the places."""
    start = NOON + timedelta(minutes=draw(st.integers(-100_000, 100_000)))
    end = draw(maybe(st.integers(0, 100_000).map(lambda minutes: start + timedelta(minutes=minutes))))
    return Closure(id=name, place=draw(st.sampled_from(places)), start=start, end=end, reason=draw(labels))


@st.composite
def places(draw: st.DrawFn, national: st.SearchStrategy[Any] | None = None) -> Registry:
    """Zones, spaces, counters and closures."""
    record = maybe(nationals) if national is None else national
    town = [draw(zones(f"z{index}", record)) for index in range(draw(st.integers(1, 4)))]
    numbers = {zone.national.id for zone in town if zone.national is not None}
    if len(numbers) < sum(zone.national is not None for zone in town):
        town = town[:1]
    spaces = [
        Space(
            id=f"s{index}",
            zone=draw(st.sampled_from(town)).id,
            audience=draw(st.sampled_from(Audience)),
            position=draw(maybe(positions)),
            height_limit_m=draw(maybe(metres)),
            price=draw(maybe(labels)),
            opening_hours=draw(maybe(st.sampled_from(HOURS))),
            max_stay=draw(maybe(limits)),
        )
        for index in range(draw(st.integers(0, 4)))
    ]
    counters = [
        Counter(
            id=f"c{index}",
            name=draw(labels),
            position=draw(positions),
            in_=draw(labels),
            out=draw(labels),
            street=draw(maybe(labels)),
            section=draw(maybe(labels)),
            lively_at_night=draw(st.booleans()),
        )
        for index in range(draw(st.integers(0, 2)))
    ]
    closable = [*(zone.id for zone in town), *(space.id for space in spaces)]
    closed = [draw(closures(f"w{index}", closable)) for index in range(draw(st.integers(0, 3)))]
    return Registry(zones=town, spaces=spaces, counters=counters, closures=closed)


@st.composite
def towns(draw: st.DrawFn) -> Registry:
    """The same, with devices that serve them."""
    town = draw(places())
    served = [*(space.id for space in town.spaces), *town.counters]
    installations = [
        Installation(
            place=place,
            device=f"d{index}",
            channel="1",
            mode=draw(st.sampled_from(["", "pedestrian"])),
            start=NOON,
            end=draw(maybe(st.just(NOON + timedelta(days=1)))),
            reversed=draw(st.booleans()),
            factor=draw(st.floats(0.1, 10)),
        )
        for index, place in enumerate(served)
    ]
    devices = [Device(address=each.device, model="bosch-tps110", gateway="gw", period_s=60) for each in installations]
    return Registry(
        zones=list(town.zones.values()),
        spaces=town.spaces,
        counters=list(town.counters.values()),
        installations=installations,
        gateways=[Gateway(name="gw", label=draw(labels))],
        devices=devices,
        closures=town.closures,
    )
