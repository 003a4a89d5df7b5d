"""What the French national base of car parks (BNLS) asks of a zone and nothing else here needs.

The columns of etalab's `schema-stationnement` 0.1.5; zones carry them so that a row survives being read and written.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

Insee = Annotated[str, Meta(pattern=r"^([013-9]\d|2[AB1-9])\d{3}$")]
"""Code of a French town (`44109`)."""
NationalId = Annotated[str, Meta(pattern=r"^([013-9]\d|2[AB1-9])\d{3}-P-\d{3}$")]
"""INSEE code, `P` and a number (`44109-P-001`)."""
WebAddress = Annotated[str, Meta(pattern=r"^https?://\S+$", max_length=500)]
Euros = Annotated[float, Meta(ge=0, le=100_000)]
Places = Annotated[int, Meta(ge=0, le=100_000)]


class Users(StrEnum):
    """Who may drive in (`type_usagers`)."""

    ALL = "tous"
    SUBSCRIBERS = "abonnés"


class BadgePrice(StrEnum):
    """What holders of a disabled person's badge pay (`tarif_pmr`)."""

    FREE = "gratuit"
    NORMAL = "normal_payant"
    SPECIAL = "tarif_special"


class Structure(StrEnum):
    """What was built (`type_ouvrage`)."""

    OPEN_AIR = "enclos_en_surface"
    BUILDING = "ouvrage"


class NationalRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The rest of a zone's row in the national base; None where its column is empty."""

    id: NationalId
    siret: Annotated[str, Meta(pattern=r"^\d{14}$")]
    """Of the company or town that runs it (`num_siret`)."""
    users: Users = Users.ALL
    free_of_charge: bool = False
    """For all but season tickets, residents and badge holders (`gratuit`)."""
    park_and_ride: Places | None = None
    """Spaces sold at the P+R price (`nb_pr`), whatever their audience."""
    car_sharing: Places | None = None
    """Spaces kept for shared cars (`nb_autopartage`); part of no audience's capacity."""
    car_pooling: Places | None = None
    """Spaces kept for car pools (`nb_covoit`); part of no audience's capacity."""
    bicycles: Places | None = None
    """Bicycles that find room (`nb_velo`)."""
    electric_two_wheels: Places | None = None
    """Two-wheelers that find a socket (`nb_2r_el`)."""
    badge_price: BadgePrice | None = None
    price_1h: Euros | None = None
    """For one hour, euros with tax (`tarif_1h`)."""
    price_2h: Euros | None = None
    price_3h: Euros | None = None
    price_4h: Euros | None = None
    price_24h: Euros | None = None
    resident_month: Euros | None = None
    """A resident's season ticket, by month (`abo_resident`)."""
    visitor_month: Euros | None = None
    """Anybody else's (`abo_non_resident`)."""
    structure: Structure | None = None
