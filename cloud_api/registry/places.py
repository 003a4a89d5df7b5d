"""What a town is made of: zones and their spaces, counters, gateways, devices, installations and closures.

Values only, frozen and compared by value. An identifier is part of URLs, so it holds nothing that would need escaping.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct, field

from cloud_api.registry.geometry import Geometry, Position
from cloud_api.registry.national import Insee, NationalRecord, WebAddress
from edge.messages import Name, Utc

PlaceId = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
"""Lower-case letters, digits and hyphens, at most 63. Zones, spaces and counters share one set of names."""
Label = Annotated[str, Meta(min_length=1, max_length=200)]
GatewayId = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
ClosureId = Annotated[str, Meta(pattern="^[a-zA-Z0-9][a-zA-Z0-9_.:-]{0,126}$")]
Metres = Annotated[float, Meta(gt=0, le=20)]
"""A height."""
Words = Annotated[str, Meta(min_length=1, max_length=500)]
Spaces = Annotated[int, Meta(ge=0, le=100_000)]
"""A number of parking spaces."""


class Audience(StrEnum):
    """For whom a space is kept. Each space has one; a zone's capacity is told for each."""

    PUBLIC = "public"
    """Everybody."""
    PMR = "pmr"
    """Holders of a disabled person's badge (*personnes à mobilité réduite*)."""
    EV = "ev"
    """Electric cars, to charge."""
    DELIVERY = "delivery"
    """Vans that load and unload."""
    SEASON = "season"
    """Holders of a season ticket."""
    TWO_WHEELS = "two_wheels"
    """Motorcycles and scooters; they take no space of a car's."""


class ZoneKind(StrEnum):
    """What a driver finds there."""

    ON_STREET = "on_street"
    """Bays along a street or on a square."""
    OFF_STREET = "off_street"
    """A car park with entrances: in the open, underground or in storeys."""


class Counting(StrEnum):
    """From what it is known how many spaces of a zone are free."""

    SPACES = "spaces"
    """Each space has a sensor; the capacity is the number of the zone's spaces."""
    ENTRANCES = "entrances"
    """Cars are counted in and out: installations serve the zone itself, `in` enters; `capacity` says how many fit."""
    FEED = "feed"
    """Its operator tells, by the `feed` that is named."""
    NONE = "none"
    """Nobody counts: where it is and what it costs is known, how many are free is not."""


class Capacity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many spaces there are for each audience, none counted twice; None where nobody said."""

    public: Spaces | None = None
    pmr: Spaces | None = None
    ev: Spaces | None = None
    delivery: Spaces | None = None
    season: Spaces | None = None
    two_wheels: Spaces | None = None

    def of(self, audience: Audience) -> int | None:
        """For one audience."""
        number: int | None = getattr(self, audience.value)
        return number

    @property
    def cars(self) -> int:
        """For all audiences that drive a car."""
        return sum(self.of(each) or 0 for each in Audience if each is not Audience.TWO_WHEELS)


class FeedSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where another operator tells of a zone."""

    name: PlaceId
    """The feed, as the platform's settings name it."""
    id: Label
    """What the feed calls this zone."""


class MaxStay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """For how long a car may stay."""

    minutes: Annotated[int, Meta(ge=1, le=7 * 24 * 60)]
    hours: Words | None = None
    """When that counts, in OpenStreetMap's syntax (`Mo-Sa 09:00-12:00,14:00-19:00`): a car that stays overnight on a
    space of a blue zone stays for no minute of it. None where it always does."""


class Zone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Parking spaces that a driver thinks of as one place."""

    id: PlaceId
    name: Label
    position: Position
    """Where to drive to: the entrance, or the middle of the bays."""
    kind: ZoneKind = ZoneKind.ON_STREET
    counting: Counting = Counting.SPACES
    capacity: Capacity = Capacity()
    """Where spaces are not counted one by one."""
    feed: FeedSource | None = None
    """Named when `counting` is `feed`, and only then."""
    operator: Label | None = None
    """Who runs it (`Effia`); None for the town."""
    geometry: Geometry | None = None
    """Its outline or the line of its bays."""
    height_limit_m: Metres | None = None
    """The highest vehicle that gets in, metres; None where there is no limit."""
    price: Words | None = None
    """What it costs, in the town's words (`1,50 € l’heure, gratuit de 12 h à 14 h`)."""
    opening_hours: Words | None = None
    """When it is open, in OpenStreetMap's syntax (`Mo-Sa 07:00-21:00; PH off`); None where it always is."""
    max_stay: MaxStay | None = None
    """For how long a car may stay on a space; None where nobody said that there is a limit."""
    address: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    """Street, postcode and town, separated by commas."""
    insee: Insee | None = None
    """INSEE code of the town."""
    url: WebAddress | None = None
    """A page about it."""
    info: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    """What else a driver should know."""
    national: NationalRecord | None = None
    """What the national base of car parks (BNLS) knows and nothing else here needs."""


class Space(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One parking space."""

    id: PlaceId
    zone: PlaceId
    audience: Audience = Audience.PUBLIC
    position: Position | None = None
    height_limit_m: Metres | None = None
    """Where it is not its zone's; so are the three that follow."""
    price: Words | None = None
    max_stay: MaxStay | None = None
    opening_hours: Words | None = None
    """When it is open, in OpenStreetMap's syntax; of a bay for deliveries, when it is kept for them."""


class Counter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place where people are counted."""

    id: PlaceId
    name: Label
    position: Position
    in_: Label = field(name="in")
    """What `in` means in this street, in the town's words (`vers la gare`)."""
    out: Label = field()
    """What `out` means."""
    street: Label | None = None
    """Where it stands, as an address says it (`12 rue Haute`); counters of one street are told as one in reports."""
    section: Label | None = None
    """The line across its street that it counts a part of (`à la hauteur du nº 12`): counters of one section stand side
    by side, as on both pavements, and are added; without it a counter counts a line of its own."""
    lively_at_night: bool = False
    """The street goes out: as many at four in the morning as by day are no fault of the sensor."""
    insee: Insee | None = None
    """INSEE code of the town."""


class Installation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which device and channel serves which place, from when to when, which way round."""

    place: PlaceId
    """A counter, a space, or a zone that is counted at its entrances."""
    device: Name
    channel: Name
    mode: str = ""
    """The device's word for what it counts; empty where it does not tell."""
    start: Utc = field(name="from")
    """On the full hour where passages are counted, whose history is kept by the hour; else on the minute."""
    end: Utc | None = field(name="to", default=None)
    """First instant that no longer belongs to it, likewise; None while it lasts."""
    reversed: bool = False
    """The device's first direction is the street's `out`."""
    factor: Annotated[float, Meta(ge=0.1, le=10)] = 1.0
    """True passages per counted one, from a manual count. Applied at the place, never to stored measurements."""

    def serves_at(self, instant: datetime) -> bool:
        """Whether the device serves the place at this instant."""
        return self.start <= instant and (self.end is None or instant < self.end)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether any of `start` <= t < `end` belongs to it."""
        return self.start < end and (self.end is None or start < self.end)


NO_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""What ends later has no end: so registers write it that must name one (`9999-12-31`)."""


class Closure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A period in which a space or a whole zone is out of service, and why."""

    id: ClosureId
    """Of its own for ever: a closure is ended, never deleted."""
    place: PlaceId
    """A zone or a space."""
    start: Utc = field(name="from")
    end: Utc | None = field(name="to", default=None)
    """First instant at which it is over; None until further notice; equal to `from` when it was called off."""
    reason: Label = field()
    """Why, for the public, in the town's words (`travaux de voirie`)."""
    source: Label = "manual"
    """Who says so: `manual`, or the feed that it was read from."""

    def in_force_at(self, instant: datetime) -> bool:
        """Whether the place is closed for it at this instant."""
        return self.start <= instant and (self.end is None or instant < self.end)

    @property
    def until(self) -> datetime | None:
        """Until when, for people; None until further notice."""
        return None if self.end is None or self.end >= NO_END else self.end


class Gateway(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An edge node, and what people call it."""

    name: GatewayId
    """As in its topics."""
    label: Label
    managed: bool = False
    """Its devices are told to it from here; otherwise they are those of the configuration file it has."""
    position: Position | None = None


class Device(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A sensor that somebody adopted. Its radio keys are no part of it."""

    address: Name
    """Its hardware address: what facts name it by."""
    model: Name
    """As `passerelle devices list` names it (`bosch-tps110`)."""
    gateway: GatewayId | None = None
    """The one gateway that listens to it; None while it lies in the store room."""
    link: Name | None = None
    """The gateway's link that hears it."""
    period_s: Annotated[int, Meta(ge=1, le=7 * 86_400)] | None = None
    """How often it reports; None for its model's own default."""
    label: Label | None = None
    """What is written on it."""
    invert_presence: bool = False
    """It says occupied for free; so with the next four: as in `edge.messages.DeviceSettings`."""
    debounce_s: Annotated[int, Meta(ge=0, le=600)] | None = None
    ignored_channels: Annotated[tuple[Name, ...], Meta(max_length=32)] = ()
    line_mm: tuple[int, int, int, int] | None = None
    options: dict[str, bool | int | float | str] = field(default_factory=dict)
    retired: Utc | None = None
    """Since when it is out of service for good; then no gateway listens to it."""


Entry: TypeAlias = Zone | Space | Counter | Gateway | Device | Installation | Closure
"""What the registry keeps one by one, each with a key of its own."""
