"""ParkAPI v3 (`/api/public/v3/parking-sites`): `items`, each with its own clock. One source at a time.

A site is named by `original_uid`, which is unique within a source only: ask with `source_uid=`.
"""

from functools import partial
from typing import Final

from cloud_api.feeds.json_values import Json, count, decoded, entries, members, number, required, text, word
from cloud_api.feeds.lots import FeedError, Lot, LotState, Reading, Refusal, gather, moment, position

STATES: Final[dict[str, LotState | None]] = {"OPEN": LotState.OPEN, "CLOSED": LotState.CLOSED, "UNKNOWN": None}


def read(body: bytes) -> Reading:
    """The sites of one page, which should be all of them. Raises `FeedError`."""
    document = decoded(body)
    if not isinstance(document, dict):
        raise FeedError("document", "an object with `items`")
    items = entries(document.get("items"), "items")
    reading = gather((f"items[{index}]", partial(_lot, each)) for index, each in enumerate(items))
    return Reading(lots=reading.lots, refused=(*reading.refused, *missing_pages(document.get("total_count"), items)))


def missing_pages(total: Json, told: list[Json]) -> tuple[Refusal, ...]:
    """A refusal for what other pages hold, if any do."""
    if not isinstance(total, int) or total <= len(told):
        return ()
    reason = f"{len(told)} of {total} in this page; an address that tells all at once expected"
    return (Refusal(id="other pages", reason=reason),)


def _lot(value: Json) -> Lot:
    site = members(value)
    lat, lon = number(site.get("lat"), "lat"), number(site.get("lon"), "lon")
    capacity = count(site.get("realtime_capacity"), "realtime_capacity")
    at = text(site.get("realtime_data_updated_at"))
    return Lot(
        id=required(text(site.get("original_uid")), "original_uid"),
        name=text(site.get("name")),
        position=None if lat is None or lon is None else position(lat, lon),
        capacity=count(site.get("capacity"), "capacity") if capacity is None else capacity,
        free=count(site.get("realtime_free_capacity"), "realtime_free_capacity"),
        state=word(site.get("realtime_opening_status"), "realtime_opening_status", STATES),
        at=None if at is None else moment(at),
    )
