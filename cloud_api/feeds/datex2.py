"""DATEX II `ParkingStatusPublication`, version 2 (in a `GenericPublication`) and 3 alike.

Records tell occupancy by reference: names and places stand in the operator's table publication, which is not read.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final
from xml.etree.ElementTree import Element

from cloud_api.feeds.json_values import count, required, word
from cloud_api.feeds.lots import FeedError, Lot, LotState, Reading, Tendency, gather, moment
from cloud_api.feeds.xml_trees import anywhere, child, tree, words

OPENING: Final[dict[str, LotState | None]] = {
    "open": LotState.OPEN,
    "openingTimesInForce": None,
    "closed": LotState.CLOSED,
    "closedAbnormal": LotState.CLOSED,
    "status_unknown": None,
    "statusUnknown": None,
    "unknown": None,
}
STATUS: Final[dict[str, LotState | None]] = {
    "spacesAvailable": LotState.OPEN,
    "almostFull": LotState.OPEN,
    "full": LotState.FULL,
    "fullAtEntrance": LotState.FULL,
    "unknown": None,
}
TENDENCIES: Final = {
    **dict.fromkeys(("increasing", "increasingQuickly", "increasingSlowly"), Tendency.FILLING),
    **dict.fromkeys(("decreasing", "decreasingQuickly", "decreasingSlowly"), Tendency.EMPTYING),
    "stable": Tendency.STEADY,
}
"""Of the occupancy: what increases fills."""


def read(body: bytes) -> Reading:
    """The lots of a status publication. Raises `FeedError`."""
    root = tree(body)
    publications = list(_publications(root))
    if not publications:
        raise FeedError("document", "a parkingStatusPublication")
    records = [each for publication in publications for each in anywhere(publication, "parkingRecordStatus")]
    return gather((f"parkingRecordStatus[{index}]", partial(_lot, each)) for index, each in enumerate(records))


def _publications(root: Element) -> Iterator[Element]:
    yield from anywhere(root, "parkingStatusPublication")
    for element in root.iter():
        if any(value.endswith("ParkingStatusPublication") for value in element.attrib.values()):
            yield element


def _lot(record: Element) -> Lot:
    reference = child(record, "parkingRecordReference")
    figures = {
        name: count(words(record, "parkingOccupancy", name), name)
        for name in ("parkingNumberOfSpacesOverride", "parkingNumberOfVacantSpaces", "parkingNumberOfOccupiedSpaces")
    }
    capacity, free, occupied = figures.values()
    if free is None and occupied is not None and capacity is not None:
        free = capacity - occupied
    at = words(record, "parkingStatusOriginTime")
    return Lot(
        id=required(None if reference is None else reference.get("id"), "parkingRecordReference id"),
        capacity=capacity,
        free=free,
        state=_state(record),
        at=None if at is None else moment(at),
        tendency=TENDENCIES.get(words(record, "parkingOccupancy", "parkingOccupancyTrend") or ""),
    )


def _state(record: Element) -> LotState | None:
    opening = word(words(record, "parkingSiteOpeningStatus"), "parkingSiteOpeningStatus", OPENING)
    if opening is LotState.CLOSED:
        return opening
    return word(words(record, "parkingSiteStatus"), "parkingSiteStatus", STATUS) or opening
