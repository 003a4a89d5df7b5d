"""Which feeds of others are read: `feeds.toml`, one `[[feed]]` of car parks or `[[orders]]` of traffic orders each.

A zone names its feed in the registry.

In comes a file, out come frozen values, or one `ConfigError` with the file, the field and what was expected.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from cloud_api.feeds import datex2, ngsi, opendatasoft, parkapi_v1, parkapi_v3
from cloud_api.feeds.lots import Reader
from cloud_api.feeds.opendatasoft import DIALECTS, Dialect
from cloud_api.feeds.order_closures import WITHIN_M
from cloud_api.registry.places import Label, PlaceId
from cloud_api.settings import ConfigError

LONGEST_SECRET: Final = 8192
WebAddress = Annotated[str, Meta(pattern="^https?://[^\\s@]+$", max_length=2000)]
"""Without a user or password: secrets stand in files."""


class Tongue(StrEnum):
    """How a feed is written."""

    PARKAPI_V1 = "parkapi-v1"
    PARKAPI_V3 = "parkapi-v3"
    NGSI = "ngsi"
    DATEX2 = "datex2"
    NANTES = "nantes"
    LILLE = "lille"
    OPENDATASOFT = "opendatasoft"
    """With `fields` of its own."""


class LotFeed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One operator's feed of car parks."""

    name: PlaceId
    """As zones of the registry name it."""
    operator: Label
    """Whom people are told of when it fails."""
    tongue: Tongue
    url: WebAddress
    period_s: Annotated[float, Meta(ge=20, le=86_400)] = 60.0
    """How often it is asked."""
    stale_after_s: Annotated[float, Meta(ge=60, le=7 * 86_400)] = 900.0
    """How old its own time may be."""
    frozen_after_h: Annotated[float, Meta(gt=0, le=168)] = 2.0
    """How many hours of daytime all its figures together may stay the same; one car park may four times as long."""
    fields: Dialect | None = None
    """What an Opendatasoft data set calls things; nothing else has it."""
    headers: dict[str, str] = {}
    """Sent with each request (`Fiware-Service`)."""
    secret_headers: dict[str, Path] = {}
    """Headers whose value is the content of a file (`Authorization`)."""


class OrderFeed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The State's traffic orders, as DiaLog exports them."""

    name: PlaceId = "dialog"
    """As closures name it (`source`), and the audit trail."""
    operator: Label = "DiaLog"
    """Who is named when it fails."""
    url: WebAddress = "https://dialog.beta.gouv.fr/api/regulations.xml?includePermanent=false"
    period_s: Annotated[float, Meta(ge=600, le=7 * 86_400)] = 4 * 3600.0
    """How often it is asked."""
    within_m: Annotated[float, Meta(ge=0, le=50)] = WITHIN_M
    """How far from an order's line a bay may lie, in metres."""


class FeedsFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    feed: tuple[LotFeed, ...] = ()
    orders: tuple[OrderFeed, ...] = ()


READERS: Final[dict[Tongue, Reader]] = {
    Tongue.PARKAPI_V1: parkapi_v1.read,
    Tongue.PARKAPI_V3: parkapi_v3.read,
    Tongue.NGSI: ngsi.read,
    Tongue.DATEX2: datex2.read,
    **{Tongue(name): opendatasoft.reader(dialect) for name, dialect in DIALECTS.items()},
}


def reader_of(feed: LotFeed) -> Reader:
    """What reads a feed's documents."""
    return opendatasoft.reader(feed.fields) if feed.fields is not None else READERS[feed.tongue]


def load_feeds(file: Path) -> FeedsFile:
    """The feeds that a file describes. Raises `ConfigError`."""
    try:
        feeds = msgspec.toml.decode(file.read_bytes(), type=FeedsFile)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    names = [feed.name for feed in feeds.feed]
    for index, orders in enumerate(feeds.orders):
        if orders.name in [*names, *(each.name for each in feeds.orders[:index])]:
            raise ConfigError(f"{file}, orders[{index}].name: {orders.name!r} is taken; a name of its own expected")
    for index, feed in enumerate(feeds.feed):
        if feed.name in names[:index]:
            raise ConfigError(f"{file}, feed[{index}].name: {feed.name!r} is taken; a name of its own expected")
        if (feed.tongue is Tongue.OPENDATASOFT) != (feed.fields is not None):
            raise ConfigError(f"{file}, feed[{index}].fields: expected with tongue 'opendatasoft', and only then")
        headers_of(feed)
    return feeds


def headers_of(feed: LotFeed) -> dict[str, str]:
    """What is sent with each request. Raises `ConfigError` when a secret cannot be read."""
    return {**feed.headers, **{name: _secret(feed, name, file) for name, file in feed.secret_headers.items()}}


def _secret(feed: LotFeed, name: str, file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"feed {feed.name}, secret_headers.{name}: {file} cannot be read") from error
    if not text or len(text) > LONGEST_SECRET or not text.isprintable():
        raise ConfigError(f"feed {feed.name}, secret_headers.{name}: {file}: one printable line expected")
    return text
