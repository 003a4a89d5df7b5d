"""What the API is told when it starts: where the broker is, which town it speaks for. Values only."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from cloud_api.provisioning.floods import FloodLimits
from cloud_api.rate_limits import Limits
from cloud_api.scopes import Scope


class SchoolZone(StrEnum):
    """The group of académies whose school holidays a town has."""

    A = "A"
    B = "B"
    C = "C"


class ConfigError(Exception):
    """A setting that cannot be used: which, and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """An MQTT 5 broker, and how to be let in."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    """Holds the password and nothing else; a line end after it is ignored."""
    tls: bool = False
    """Encrypted, the broker's certificate checked, and never anything less."""
    ca_file: Path | None = None
    """Certificates (PEM) that the broker's must lead to; the system's own when None. With one, it is TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningAuthority:
    """The town's authority, which signs gateways' certificates."""

    certificate_file: Path
    key_file: Path
    """PEM, without a passphrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """How gateways come to their credentials by themselves."""

    administrator: Broker
    """The broker as the platform reaches it, and the user who lets others in there."""
    broker: Broker
    """The broker as gateways reach it, without a user."""
    over_plain_http: bool = False
    """Tell secrets over HTTP without TLS to other machines too."""
    authority: SigningAuthority | None = None
    """Signs gateways' certificates, where the broker asks for them."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Whose work the page shows, and where it is explained."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """The map's background: images by zoom, column and row of the Web Mercator grid."""

    url: str
    """An `https://` address with `{z}`, `{x}` and `{y}`."""
    credit: Credit
    deepest_zoom: int = 19
    """The closest zoom that the server draws."""


IGN_PLAN: Final = Tiles(
    url="https://data.geopf.fr/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&STYLE=normal&FORMAT=image/png"
    "&LAYER=GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2&TILEMATRIXSET=PM&TILEMATRIX={z}&TILECOL={x}&TILEROW={y}",
    credit=Credit("© IGN, Géoplateforme", "https://www.ign.fr/"),
)
"""The national mapping agency's plan; open, without a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One town's API."""

    broker: Broker = field(default_factory=Broker)
    ledger: Path = Path("passerelle-ledger.db")
    """The file that keeps what ingest answers for and the store does not take: health, heard devices, quarantine."""
    store_file: Path | None = None
    """The store's file, whose disk is watched; None where the store is a server."""
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Paris"))
    """Where days and hours are cut; its offset is whole hours, because history is kept by the hour."""
    title: str = "Passerelle"
    """What the town calls this service."""
    town: str | None = None
    """The town's name, as national and European lists have it (`Nantes`); None where `title` must do."""
    worker: str = "1"
    """What this process is called in the broker's log."""
    tiles: Tiles | None = IGN_PLAN
    """The map's background; None draws the map on plain ground."""
    school_zone: SchoolZone | None = None
    """Whose school holidays forecasts know; None where they know none."""
    limits: Limits = field(default_factory=Limits)
    """How often one may ask."""
    floods: FloodLimits = field(default_factory=FloodLimits)
    """What a gateway may send before it is held off."""
    everyone_may: frozenset[Scope] = frozenset({Scope.READ_FLOWS})
    """What needs no key: counts of a street are open data, unless the town decides otherwise."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may ask from a browser (CORS), as `https://HOST`; `*` is all."""
    proxies: tuple[str, ...] = ("127.0.0.1",)
    """Who may say on whose behalf it asks (`X-Forwarded-For`): addresses or networks of what stands in front."""
    keep_raw: int | None = None
    """Months after which of counts only hourly sums are kept; None keeps all."""
    enrolment: Enrolment | None = None
    """How gateways enrol themselves; None where they do not."""
    keep_hours: int | None = None
    """Months after which these go too; None keeps them for ever."""
    credits: tuple[Credit, ...] = ()
    """Whose data the page shows besides the town's own."""

    @property
    def signing_key(self) -> Path:
        """The file with the key that signs records, beside the ledger; made when there is none."""
        return self.ledger.with_name("signing.key")

    @property
    def forecasts(self) -> Path:
        """The file that keeps past forecasts, beside the ledger."""
        return self.ledger.with_suffix(".forecasts.db")
