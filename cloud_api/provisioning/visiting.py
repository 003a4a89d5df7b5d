"""What is known of each installed sensor, gathered for the list of visits: the present, batteries, weeks of counts.

The present belongs to the event loop; history and ledger block, and are asked on a thread.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.flows import HourlyFlows, hourly_flows_of
from cloud_api.ledger import Ledger
from cloud_api.live import Live
from cloud_api.periods import HOUR, Period
from cloud_api.provisioning.battery import days_left
from cloud_api.provisioning.desired import Holders, holders_of
from cloud_api.provisioning.gateways import Gateways
from cloud_api.provisioning.standing import device_standing
from cloud_api.provisioning.visits import FEWEST_PASSAGES, Condition, Visit, drifts, round_of, visits
from cloud_api.registry import Installation, Position, Registry
from cloud_api.registry.places import Device
from cloud_api.stores.base import Store
from cloud_api.trust import judge

WEEK: Final = timedelta(days=7)
MONTH: Final = timedelta(days=28)
MOST_VISITS: Final = 40
"""In a round: more than anybody does in a day."""


class Town(Struct, frozen=True):
    """Where the town's sensors are known from."""

    registry: Registry
    live: Live
    gateways: Gateways
    store: Store
    ledger: Ledger
    zone: ZoneInfo


async def find_visits(town: Town, now: datetime, start: Position | None = None) -> list[Visit]:
    """The most urgent visits, as a round from where one stands. Raises `StoreError`."""
    present = conditions(town, now)
    return await asyncio.to_thread(_round, town, present, now, start)


def _round(town: Town, present: Sequence[Condition], now: datetime, start: Position | None) -> list[Visit]:
    batteries, drift = town.ledger.batteries(), counter_drifts(town, now)
    known = [
        replace(each, battery_days=days_left(batteries.get(each.device, [])), drift=drift.get(each.place))
        for each in present
    ]
    return round_of(visits(known)[:MOST_VISITS], start)


def conditions(town: Town, now: datetime) -> list[Condition]:
    """Every sensor that serves a place now, once for each place, by what it said last. On the event loop."""
    holders = holders_of(town.registry, town.gateways.reported)
    spaces = {space.id for space in town.registry.spaces}
    return [
        _condition(town, each, each.place in spaces, holders, now)
        for each in town.registry.installations
        if each.serves_at(now)
    ]


def _condition(town: Town, installation: Installation, at_space: bool, holders: Holders, now: datetime) -> Condition:
    registry, address = town.registry, installation.device
    device = registry.devices.get(address) or Device(address=address, model="")
    gateway = registry.gateways.get(device.gateway or "")
    health = town.live.health(address)
    evidence_of = town.live.space_evidence if at_space else town.live.counter_evidence
    return Condition(
        device=address,
        model=device.model or (health.model if health else ""),
        place=installation.place,
        place_name=registry.name_of(installation.place),
        position=registry.position_of(installation.place),
        verdict=judge(evidence_of(installation), now),
        standing=device_standing(device, gateway, town.gateways, holders),
        battery_low=bool(health and health.battery_low),
        rssi_dbm=health.rssi_dbm if health else None,
    )


def counter_drifts(town: Town, now: datetime) -> dict[str, float]:
    """By counter, how many times more its last week brought than the other counters' make plausible. Blocks."""
    end = now.replace(minute=0, second=0, microsecond=0) - HOUR
    week, month = Period(end - WEEK, end), Period(end - WEEK - MONTH, end - WEEK)
    counters = list(town.registry.counters.values())
    of_week, of_month = (
        {each.counter: _per_hour(each) for each in hourly_flows_of(town.registry, town.store, counters, it, town.zone)}
        for it in (week, month)
    )
    return drifts(of_week, of_month)


def _per_hour(flows: HourlyFlows) -> float | None:
    """Passages per measured hour; None where too few were counted to tell chance from drift."""
    totals = flows.totals
    passages = (totals.in_ or 0) + (totals.out or 0)
    measured_h = totals.coverage * totals.hours
    return passages / measured_h if passages >= FEWEST_PASSAGES and measured_h > 0 else None
