"""A market town for tests of the page: a day of history, zones in every sort of trust, and a page that serves them."""

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloud_api.app import create_app
from cloud_api.ledger import Ledger
from cloud_api.registry import Closure, Counter, Installation, Position, Registry, Space, Zone
from cloud_api.registry.places import Audience
from cloud_api.scopes import Scope
from cloud_api.settings import IGN_PLAN, Broker, Credit, Settings, Tiles
from cloud_api.stores import open_store
from cloud_api.stores.base import StoredFlow, StoredSpace
from edge.messages import DeviceHealth, FlowInterval, HealthReport, SpaceState
from tests.broker import Mosquitto
from tests.town import EPOCH, NOW, Clock, kept, serving, until

START = datetime(2026, 1, 1, tzinfo=UTC)
GATEWAY = "gw-halles"
SLOT_S = 300
CREDIT = Credit("Comptages de démonstration, CC BY 4.0", "https://example.org/comptages")
NO_CREDITS: tuple[Credit, ...] = ()
TILES_THAT_FAIL = Tiles(url="http://127.0.0.1:9/{z}/{x}/{y}.png", credit=IGN_PLAN.credit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parking:
    """A zone as its sensors last spoke of it."""

    id: str
    name: str
    at: Position
    spaces: int
    occupied: int
    silent: int = 0
    """Spaces, the last ones, of which no word ever came."""
    minutes_ago: float = 2
    fault: str | None = None
    same_for_days: float | None = None
    """Since when every sensor says the same, where it tells."""
    closed: str | None = None
    """Why the whole zone is closed."""
    closed_until: datetime | None = None
    kept: tuple[Audience, ...] = ()
    """For whom the first spaces are kept, one each; the others are everybody's."""
    price: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A counter, and how many pass in its busiest hour."""

    id: str
    name: str
    at: Position
    in_: str
    out: str
    busiest: int
    known_hours: int = 24
    """Counted from now backwards."""
    weeks_before: int = 0
    """Whole days, a week apart, on which so many passed as today."""


PARKINGS = (
    Parking(id="place-du-marche", name="Place du Marché", at=Position(lat=47.4141, lon=0.9845), spaces=12, occupied=7),
    Parking(
        id="rue-des-tanneurs",
        name="Rue des Tanneurs",
        at=Position(lat=47.4126, lon=0.9822),
        spaces=8,
        occupied=4,
        silent=1,
        minutes_ago=14,
    ),
    Parking(
        id="quai-de-la-cisse",
        name="Quai de la Cisse",
        at=Position(lat=47.4119, lon=0.9868),
        spaces=6,
        occupied=2,
        minutes_ago=310,
    ),
    Parking(id="parvis", name="Parvis de l’église", at=Position(lat=47.4150, lon=0.9874), spaces=3, occupied=3),
    Parking(
        id="gare", name="Gare, dépose-minute", at=Position(lat=47.4161, lon=0.9818), spaces=4, occupied=0, silent=4
    ),
)
STREETS = (
    Street(
        id="rue-haute",
        name="Rue Haute",
        at=Position(lat=47.4146, lon=0.9832),
        in_="vers la place",
        out="vers la gare",
        busiest=412,
    ),
    Street(
        id="pont",
        name="Pont Saint-Aubin",
        at=Position(lat=47.4112, lon=0.9845),
        in_="vers le centre",
        out="vers le quai",
        busiest=168,
        known_hours=19,
    ),
    Street(
        id="passage-des-arts",
        name="Passage des Arts",
        at=Position(lat=47.4136, lon=0.9860),
        in_="entrées",
        out="sorties",
        busiest=23,
    ),
    Street(
        id="mail",
        name="Mail des Platanes",
        at=Position(lat=47.4155, lon=0.9851),
        in_="vers l’école",
        out="vers les halles",
        busiest=90,
        known_hours=0,
    ),
)


@dataclass(frozen=True, slots=True)
class ServedPage:
    """The page behind a real server, and what a test may turn."""

    address: str
    clock: Clock


@contextmanager
def market_town(
    broker: Mosquitto,
    folder: Path,
    *,
    parkings: tuple[Parking, ...] = PARKINGS,
    streets: tuple[Street, ...] = STREETS,
    tiles: Tiles | None = None,
    credits_: tuple[Credit, ...] = NO_CREDITS,
    everyone_may: frozenset[Scope] = frozenset({Scope.READ_FLOWS}),
) -> Iterator[ServedPage]:
    """The town's page for the length of a `with`."""
    clock = Clock()
    settings = Settings(
        broker=Broker(host=broker.host, port=broker.port),
        ledger=folder / "ledger.db",
        title="Saint-Aubin-sur-Cisse",
        worker=folder.name,
        tiles=tiles,
        credits=credits_,
        everyone_may=everyone_may,
    )
    _tell(settings.ledger, parkings, streets)
    with closing(open_store(f"sqlite:///{folder}/history.db")) as store:
        store.write([state for parking in parkings for state in _states(parking)])
        store.write([part for street in streets for part in _day(street)])
        api = create_app(settings, store=store, registry=kept(_registry(parkings, streets), folder), clock=clock)
        with serving(api) as address:
            until(lambda: all(api.services.forecaster.soon(each.id, NOW) for each in parkings))
            yield ServedPage(address, clock)


def device(parking: Parking, number: int) -> str:
    """The sensor of a space; spaces are numbered from 0."""
    return f"{parking.id}-{number}"


def _registry(parkings: tuple[Parking, ...], streets: tuple[Street, ...]) -> Registry:
    numbered = [(parking, number) for parking in parkings for number in range(parking.spaces)]
    return Registry(
        zones=[Zone(id=each.id, name=each.name, position=each.at, price=each.price) for each in parkings],
        spaces=[
            Space(id=f"space-{device(parking, number)}", zone=parking.id, audience=_kept_for(parking, number))
            for parking, number in numbered
        ],
        counters=[
            Counter(id=each.id, name=each.name, position=each.at, in_=each.in_, out=each.out) for each in streets
        ],
        installations=[
            *(
                Installation(
                    place=f"space-{device(parking, number)}", device=device(parking, number), channel="1", start=START
                )
                for parking, number in numbered
            ),
            *(Installation(place=each.id, device=each.id, channel="line1", start=START) for each in streets),
        ],
        closures=[
            Closure(id=f"closure-{each.id}", place=each.id, start=START, end=each.closed_until, reason=each.closed)
            for each in parkings
            if each.closed
        ],
    )


def _kept_for(parking: Parking, number: int) -> Audience:
    return parking.kept[number] if number < len(parking.kept) else Audience.PUBLIC


def _states(parking: Parking) -> list[StoredSpace]:
    return [
        StoredSpace(
            gateway=GATEWAY,
            state=SpaceState(
                device=device(parking, number),
                channel="1",
                occupied=number < parking.occupied,
                at=NOW - timedelta(minutes=parking.minutes_ago + 1.5 * number),
                since=None if parking.same_for_days is None else NOW - timedelta(days=parking.same_for_days),
            ),
        )
        for number in range(parking.spaces - parking.silent)
    ]


def _tell(file: Path, parkings: tuple[Parking, ...], streets: tuple[Street, ...]) -> None:
    """Put into the ledger what faulty sensors say of themselves, and that the counters live."""
    faulty = [(parking, number) for parking in parkings if parking.fault for number in range(parking.spaces)]
    reports = [
        *(_health(device(parking, number), minutes_ago=1, fault=parking.fault) for parking, number in faulty),
        *(_health(street.id, minutes_ago=4) for street in streets if street.known_hours),
    ]
    with closing(Ledger(file)) as ledger:
        ledger.keep(reports, [])


def _health(name: str, *, minutes_ago: float, fault: str | None = None) -> HealthReport:
    at = NOW - timedelta(minutes=minutes_ago)
    health = DeviceHealth(device=name, model="bosch-tps110", at=at, period_s=600, fault=fault)
    return HealthReport(gateway=GATEWAY, epoch=EPOCH, seq=1, health=health)


def _day(street: Street) -> list[StoredFlow]:
    """Five-minute parts until now, one hour of the night measured in part; and whole days a week or more before."""
    first = NOW.replace(minute=0) - timedelta(hours=street.known_hours - 1)
    starts = [
        first + timedelta(seconds=SLOT_S * index) for index in range(int((NOW - first).total_seconds() // SLOT_S))
    ]
    today = [_part(street, start) for start in starts if street.known_hours and _heard(start)]
    before = [start - timedelta(weeks=week) for week in range(1, street.weeks_before + 1) for start in starts]
    return today + [_part(street, start) for start in before]


def _persons(street: Street, start: datetime) -> int:
    """How many pass in five minutes: many at noon, few at night, and never the same twice."""
    daylight = max(0.0, math.sin((start.hour + start.minute / 60 - 5) / 17 * math.pi)) ** 1.7
    noon = math.exp(-((start.hour - 11.5) ** 2) / 3)
    wanted = street.busiest / 12 * (0.62 * daylight + 0.38 * noon)
    return int(wanted + start.minute * 7 % 60 / 60)


def _heard(start: datetime) -> bool:
    return start.hour != 4 or start.minute < 25


def _part(street: Street, start: datetime) -> StoredFlow:
    persons = _persons(street, start)
    inwards = (persons * (start.hour + 8) + start.minute // 2) // 36
    interval = FlowInterval(
        device=street.id,
        channel="line1",
        start=start,
        seconds=SLOT_S,
        in_=inwards,
        out=persons - inwards,
        covered_s=SLOT_S,
    )
    return StoredFlow(gateway=GATEWAY, epoch=EPOCH, interval=interval)
