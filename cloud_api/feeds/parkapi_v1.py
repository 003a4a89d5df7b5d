"""ParkAPI v1, what ParkenDD and OpenTripPlanner read: one city's `lots`, their times in UTC (`last_updated`)."""

from datetime import datetime
from functools import partial
from typing import Final

from cloud_api.feeds.json_values import Json, count, decoded, entries, members, number, required, text, word
from cloud_api.feeds.lots import FeedError, Lot, LotState, Reading, RefusedLotError, gather, moment, position
from cloud_api.registry import Position

STATES: Final[dict[str, LotState | None]] = {
    "open": LotState.OPEN,
    "many": LotState.OPEN,
    "few": LotState.OPEN,
    "full": LotState.FULL,
    "closed": LotState.CLOSED,
    "nodata": None,
    "unknown": None,
}


def read(body: bytes) -> Reading:
    """The lots of one city. Raises `FeedError`."""
    document = decoded(body)
    if not isinstance(document, dict):
        raise FeedError("document", "an object with `lots`")
    at = _last_updated(document.get("last_updated"))
    lots = entries(document.get("lots"), "lots")
    return gather((f"lots[{index}]", partial(_lot, each, at)) for index, each in enumerate(lots))


def _last_updated(value: Json) -> datetime | None:
    if value is None:
        return None
    try:
        return moment(str(value))
    except RefusedLotError as error:
        raise FeedError("last_updated", "a time in ISO 8601") from error


def _lot(value: Json, at: datetime | None) -> Lot:
    lot = members(value)
    told = text(lot.get("state")) not in {"nodata", "unknown"}
    return Lot(
        id=required(text(lot.get("id")) or text(lot.get("original_uid")), "id"),
        name=text(lot.get("name")),
        position=_position(lot.get("coords")),
        capacity=count(lot.get("total"), "total"),
        free=count(lot.get("free"), "free") if told else None,
        state=word(lot.get("state"), "state", STATES),
        at=at,
    )


def _position(coords: Json) -> Position | None:
    if not isinstance(coords, dict):
        return None
    lat, lon = number(coords.get("lat"), "coords.lat"), number(coords.get("lng"), "coords.lng")
    return None if lat is None or lon is None else position(lat, lon)
