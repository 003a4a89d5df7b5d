"""DiaLog, the State's base of traffic orders: DATEX II 3 `TrafficRegulationPublication`, places as GeoJSON.

In comes the export (some 100 MB for all of France, so it is read as it streams), out come the orders that forbid to
park for a time. Permanent orders are left out: they say where bays are not, and close none. What an order says that
is not understood is refused by its name: a ban is never widened nor narrowed by a guess.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element, ParseError
from zoneinfo import ZoneInfo

from defusedxml import DefusedXmlException, ElementTree
from msgspec import Struct
from shapely import from_geojson, unary_union
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from cloud_api.feeds.lots import FeedError, Refusal, RefusedLotError, moment
from cloud_api.feeds.xml_trees import anywhere, child, children, kind, name, words

ORDER: Final = "trafficRegulationOrder"
RESTRICTION: Final = "StandingOrParkingRestriction"
BANS: Final = {"parkingProhibited", "noParking"}
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
READ_OF_A_PERIOD: Final = {"recurringTimePeriodOfDay", "recurringDayWeekMonthPeriod", "periodName"}
READ_OF_A_VALIDITY: Final = {"overallStartTime", "overallEndTime", "validPeriod"}
NOT_FOR_CARS: Final = {"VehicleCondition", "NonVehicularRoadUserCondition", "AccessCondition"}
LONGEST_REASON: Final = 200
LARGEST_EXPORT: Final = 512 * 2**20
"""Bytes; the national export had 100 MB in 2026."""


class Weekly(Struct, frozen=True):
    """Hours that come back on days of the week, by the town's clock. An end not after the start is the next day's."""

    days: frozenset[int]
    """0 is Monday."""
    start: time
    end: time


class Validity(Struct, frozen=True):
    """From when to when, and within that at which hours; always where none are said. UTC."""

    start: datetime
    end: datetime
    weekly: tuple[Weekly, ...] = ()


class Ban(Struct, frozen=True):
    """Where and when one order forbids to park. The shape is in degrees, longitude first."""

    shape: BaseGeometry
    validities: tuple[Validity, ...]


class Order(Struct, frozen=True, kw_only=True):
    """One order and its bans."""

    id: str
    reason: str
    """What it is for and who made it, for the public."""
    bans: tuple[Ban, ...]


class Orders(Struct, frozen=True, kw_only=True):
    """One export, read whole."""

    orders: tuple[Order, ...]
    refused: tuple[Refusal, ...]
    left_out: Mapping[str, int]
    """Regulations that close no bay, by why."""


class LeftOutError(Exception):
    """Why a regulation closes no bay."""


def read_orders(export: BinaryIO, zone: ZoneInfo) -> Orders:
    """The orders of an export that forbid to park for a time. Raises `FeedError`: half an export is no export."""
    orders: list[Order] = []
    refused: list[Refusal] = []
    left_out: Counter[str] = Counter()
    seen = 0
    for element in _elements(export):
        seen += 1
        id_ = element.get("id") or f"{ORDER}[{seen - 1}]"
        try:
            bans = tuple(_bans(element, zone, left_out))
        except RefusedLotError as error:
            refused.append(Refusal(id=id_, reason=str(error)))
        else:
            if bans:
                orders.append(Order(id=id_, reason=_reason(element), bans=bans))
        element.clear()
    if not seen:
        raise FeedError("document", f"at least one {ORDER}")
    return Orders(orders=tuple(orders), refused=tuple(refused), left_out=dict(left_out))


def _elements(export: BinaryIO) -> Iterator[Element]:
    try:
        for _, element in ElementTree.iterparse(export, events=("end",), forbid_dtd=True):
            if name(element) == ORDER:
                yield element
    except ParseError as error:
        raise FeedError(f"line {error.position[0]}", f"XML ({error})") from error
    except (DefusedXmlException, ValueError) as error:
        raise FeedError("document", f"XML without a document type or entities ({error})") from error


def _bans(order: Element, zone: ZoneInfo, left_out: Counter[str]) -> Iterator[Ban]:
    for regulation in children(order, "trafficRegulation"):
        try:
            yield _ban(order, regulation, zone)
        except LeftOutError as why:
            left_out[str(why)] += 1


def _ban(order: Element, regulation: Element, zone: ZoneInfo) -> Ban:
    rule = child(regulation, "typeOfRegulation")
    if rule is None or kind(rule) != RESTRICTION:
        raise LeftOutError("not about parking")
    if words(rule, "standingOrParkingRestrictionType") not in BANS:
        raise LeftOutError("allows or limits, does not forbid")
    if words(order, "status") != "madeAndImplemented" or words(regulation, "status") != "active":
        raise LeftOutError("not in force")
    conditions = list(_leaves(regulation))
    if any(kind(each) in NOT_FOR_CARS and not _negated(each) for each in conditions):
        raise LeftOutError("for some vehicles only")
    places = [each for each in conditions if kind(each) == "LocationCondition"]
    times = [each for each in conditions if kind(each) == "ValidityCondition"]
    if any(_negated(each) for each in (*places, *times)):
        raise RefusedLotError("a place or time that is negated; a plain one expected")
    specifications = [spec for each in times or [order] for spec in _specifications(each)]
    return Ban(_shape(places), tuple(_validity(each, zone) for each in specifications))


def _leaves(element: Element) -> Iterator[Element]:
    """The conditions of a regulation, taken out of the sets that hold them."""
    for each in element:
        if name(each) not in {"condition", "conditions"}:
            continue
        if kind(each) == "ConditionSet":
            yield from _leaves(each)
        else:
            yield each


def _negated(condition: Element) -> bool:
    return words(condition, "negate") == "true"


def _specifications(element: Element) -> Iterator[Element]:
    found = list(children(element, "validityByOrder", "validityTimeSpecification"))
    if not found:
        raise RefusedLotError("no validityTimeSpecification; from when to when expected")
    return iter(found)


def _validity(specification: Element, zone: ZoneInfo) -> Validity:
    unread = {name(each) for each in specification} - READ_OF_A_VALIDITY
    if unread:
        raise RefusedLotError(f"{', '.join(sorted(unread))} is not understood; a plain validity expected")
    start, end = words(specification, "overallStartTime"), words(specification, "overallEndTime")
    if start is None:
        raise RefusedLotError("overallStartTime missing")
    if end is None:
        raise LeftOutError("permanent")
    begin, over = moment(start), moment(end)
    if over < begin:
        raise RefusedLotError(f"overallEndTime {end}; after overallStartTime expected")
    periods = children(specification, "validPeriod")
    return Validity(begin, over, tuple(each for period in periods for each in _weekly(period, begin, zone)))


def _weekly(period: Element, begin: datetime, zone: ZoneInfo) -> Iterator[Weekly]:
    unread = {name(each) for each in period} - READ_OF_A_PERIOD
    unread |= {name(each) for each in anywhere(period, "recurringDayWeekMonthPeriod") for each in each} - {
        "applicableDay"
    }
    if unread:
        raise RefusedLotError(f"{', '.join(sorted(unread))} is not understood; days of the week and hours expected")
    said = [(each.text or "").strip() for each in anywhere(period, "applicableDay")]
    if any(day not in DAYS for day in said):
        raise RefusedLotError(f"applicableDay {said}; of {', '.join(DAYS)} expected")
    days = frozenset(DAYS.index(day) for day in said or DAYS)
    hours = list(children(period, "recurringTimePeriodOfDay"))
    if not hours:
        yield Weekly(days, time(0), time(0))
    for each in hours:
        start, end = (
            _hour(words(each, bound) or "", begin, zone) for bound in ("startTimeOfPeriod", "endTimeOfPeriod")
        )
        yield Weekly(days, start, end)


def _hour(said: str, begin: datetime, zone: ZoneInfo) -> time:
    """An hour by the town's clock. One with an offset is what it was by that clock on the first day."""
    try:
        hour = time.fromisoformat(said)
    except ValueError as error:
        raise RefusedLotError(f"hour {said[:40]!r}; as 08:00:00+01:00 expected") from error
    if hour.tzinfo is None:
        return hour
    return datetime.combine(begin.astimezone(hour.tzinfo).date(), hour).astimezone(zone).time()


def _shape(places: list[Element]) -> BaseGeometry:
    texts = [each.text or "" for place in places for each in anywhere(place, "geoJsonGeometry")]
    if not texts or len(texts) < len(places):
        raise RefusedLotError("a place without geoJsonGeometry; one for each expected")
    try:
        shape = unary_union([from_geojson(json.dumps(json.loads(each))) for each in texts])
    except (ShapelyError, ValueError) as error:
        raise RefusedLotError(f"geoJsonGeometry: {error}; a geometry of RFC 7946 expected") from error
    if shape.is_empty:
        raise RefusedLotError("geoJsonGeometry is empty; a geometry of RFC 7946 expected")
    return shape


def _reason(order: Element) -> str:
    title = words(order, "description", "values", "value") or "Stationnement interdit"
    authority = words(order, "issuingAuthority", "values", "value")
    reason = " ".join((title if authority is None else f"{title} ({authority})").split())
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
