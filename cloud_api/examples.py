"""The values that the API's description shows as examples: one small town on one November morning."""

from datetime import UTC, datetime
from typing import Final

from msgspec.structs import asdict

from cloud_api.counters import CounterView, Directions
from cloud_api.counts import AudienceCounts
from cloud_api.feed import TTL_S, ZoneList, ZonesAnswer
from cloud_api.feeds.lots import Tendency
from cloud_api.flows import FlowTotals, HourlyFlows, LocalHour
from cloud_api.flows_now import Busyness, LastHour, Usual
from cloud_api.formats.picture import Picture, Town, ZoneNow
from cloud_api.registry import Counter, Installation, Position, Zone
from cloud_api.registry.places import Audience, ZoneKind
from cloud_api.trend import Trend
from cloud_api.trust import Cause, Trust
from cloud_api.zones import SpaceStatus, SpaceView, ZoneDetail, ZoneView
from edge.messages import Flag

NOW: Final = datetime.fromisoformat("2026-11-21T10:05:00+00:00")
MARKET: Final = Position(lat=47.2137, lon=-1.5562)
TWO_SILENT: Final = Cause("2 places sur 12 sans nouvelles sûres", "2 of 12 spaces without sure news")
SILENT: Final = Cause("sans nouvelles depuis 3 h", "no news for 3 h")

FILLING: Final = Trend(direction=Tendency.FILLING, free_per_hour=-4)
PUBLIC: Final = AudienceCounts(
    audience=Audience.PUBLIC,
    capacity=10,
    free=4,
    occupied=5,
    unknown=1,
    closed=0,
    trust=Trust.FRESH,
    cause=Cause("1 place sur 10 sans nouvelles sûres", "1 of 10 spaces without sure news"),
    measured_at=datetime.fromisoformat("2026-11-21T10:04:12+00:00"),
    oldest_at=datetime.fromisoformat("2026-11-21T09:31:40+00:00"),
    trend=FILLING,
)
PMR: Final = AudienceCounts(
    audience=Audience.PMR,
    capacity=2,
    free=0,
    occupied=1,
    unknown=1,
    closed=0,
    trust=Trust.FRESH,
    cause=Cause("1 place sur 2 sans nouvelles sûres", "1 of 2 spaces without sure news"),
    measured_at=datetime.fromisoformat("2026-11-21T09:48:03+00:00"),
    oldest_at=datetime.fromisoformat("2026-11-21T09:48:03+00:00"),
)
ZONE: Final = ZoneView(
    id="place-du-marche",
    name="Place du Marché",
    position=MARKET,
    capacity=12,
    free=4,
    occupied=6,
    unknown=2,
    closed=0,
    trust=Trust.FRESH,
    cause=TWO_SILENT,
    measured_at=datetime.fromisoformat("2026-11-21T10:04:12+00:00"),
    oldest_at=datetime.fromisoformat("2026-11-21T09:31:40+00:00"),
    trend=FILLING,
    audiences=(PUBLIC, PMR),
)
ZONES: Final = ZonesAnswer(last_updated=NOW, ttl=TTL_S, data=ZoneList((ZONE,)))
TOWN: Final = Town(id="saint-aubin", name="Saint-Aubin")
PLACE: Final = Zone(
    id=ZONE.id,
    name=ZONE.name,
    position=MARKET,
    operator="Régie du stationnement",
    address="Place du Marché, 44109 Saint-Aubin",
    insee="44109",
)
PICTURE: Final = Picture(town=TOWN, as_of=NOW, zones=(ZoneNow(place=PLACE, now=ZONE),))
SPACES: Final = (
    SpaceView(
        id="marche-1",
        audience=Audience.PUBLIC,
        position=MARKET,
        status=SpaceStatus.FREE,
        trust=Trust.FRESH,
        cause=None,
        measured_at=datetime.fromisoformat("2026-11-21T10:04:12+00:00"),
        since=datetime.fromisoformat("2026-11-21T10:04:12+00:00"),
    ),
    SpaceView(
        id="marche-2",
        audience=Audience.PMR,
        position=None,
        status=SpaceStatus.UNKNOWN,
        trust=Trust.STALE,
        cause=SILENT,
        measured_at=datetime.fromisoformat("2026-11-21T07:02:55+00:00"),
        since=None,
    ),
)
ZONE_DETAIL: Final = ZoneDetail(
    **asdict(ZONE),
    kind=ZoneKind.ON_STREET,
    operator=None,
    address="Place du Marché, Saint-Aubin",
    height_limit_m=None,
    price="1,50 € l’heure, gratuit de 12 h à 14 h",
    opening_hours=None,
    url=None,
    info="Marché le samedi matin : places fermées jusqu’à 14 h.",
    spaces=SPACES,
)

DIRECTIONS: Final = Directions(in_="vers la gare", out="vers la mairie")
STREET: Final = Counter(
    id="rue-haute",
    name="Rue Haute",
    position=Position(lat=47.2151, lon=-1.5540),
    in_=DIRECTIONS.in_,
    out=DIRECTIONS.out,
    insee="44109",
)
SERVING: Final = Installation(
    place=STREET.id,
    device="a81758fffe0c1d2e",
    channel="line1",
    mode="pedestrian",
    start=datetime(2026, 3, 1, tzinfo=UTC),
)
COUNTER: Final = CounterView(
    id="rue-haute",
    name="Rue Haute",
    position=Position(lat=47.2151, lon=-1.5540),
    directions=DIRECTIONS,
    trust=Trust.FRESH,
    cause=None,
    measured_at=datetime.fromisoformat("2026-11-21T10:00:00+00:00"),
)
LAST_HOUR: Final = LastHour(
    start=datetime.fromisoformat("2026-11-21T10:00:00+01:00"),
    end=datetime.fromisoformat("2026-11-21T11:00:00+01:00"),
    in_=310,
    out=268,
    coverage=1.0,
    usual=Usual(median=402, low=340, high=455, days=8),
    busyness=Busyness.BUSIER,
)
HOURLY: Final = HourlyFlows(
    counter="rue-haute",
    name="Rue Haute",
    directions=DIRECTIONS,
    time_zone="Europe/Paris",
    trust=Trust.FRESH,
    cause=None,
    calibrated=False,
    start=datetime.fromisoformat("2026-11-21T09:00:00+01:00"),
    end=datetime.fromisoformat("2026-11-21T11:00:00+01:00"),
    hours=(
        LocalHour(
            start=datetime.fromisoformat("2026-11-21T09:00:00+01:00"),
            in_=182,
            out=147,
            covered_s=3300,
            coverage=0.9167,
            flags=(Flag.SPREAD,),
        ),
        LocalHour(
            start=datetime.fromisoformat("2026-11-21T10:00:00+01:00"),
            in_=None,
            out=None,
            covered_s=None,
            coverage=0.0,
            flags=(),
            trust=Trust.UNKNOWN,
        ),
    ),
    totals=FlowTotals(in_=182, out=147, hours=2, hours_known=1, coverage=0.4583),
)
