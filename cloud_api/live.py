"""The present: the newest that is known of every installed space, counter and gateway.

In come messages, states from the store and health from the ledger, in any order; out comes what each sensor last said.
It holds nothing of devices that the registry does not know, and is touched by one thread only: the event loop's.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from cloud_api.car_parks import Count
from cloud_api.feeds.neighbours import NO_NEIGHBOURS, Neighbours
from cloud_api.frozen import SpaceKey, Still
from cloud_api.plausibility import Finding
from cloud_api.registry import Installation
from cloud_api.registry.current import CurrentRegistry
from cloud_api.stores.base import Channel, StoredSpace, is_datable
from cloud_api.trend import Trails
from cloud_api.trust import CLOCK_TOLERANCE, Evidence
from edge.messages import AnyMessage, DeviceHealth, Flow, FlowInterval, HealthReport, Space, SpaceState, Status

PARIS: Final = ZoneInfo("Europe/Paris")
MOST_GATEWAYS: Final = 1000
"""Gateways kept at most; their names come from the broker, not from us."""
LONG_AGO: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
"""Since when a gateway is away that was so already when we came."""
LONGEST_INTERVAL_S: Final = 900
"""A gateway tells what was counted at least so often (`FlowInterval.seconds`)."""


class GatewayNews(Struct, frozen=True):
    """What a gateway last said of itself."""

    status: Status
    away_since: datetime | None
    """Since when it is off line, by our own clock; None while it is on line."""
    told_at: datetime | None = None
    """When it last told this itself, by our own clock, or by its own where the broker kept it; None where unknown."""
    clock_ahead_s: float | None = None
    """So far its clock was ahead of ours when this came; None where the broker kept it, or it dates nothing."""


class Heard(Struct, frozen=True):
    """When a counting channel was last known to count, and through which gateway."""

    gateway: str
    until: datetime
    interval_s: int
    """Its counts come so often, however often the sensor speaks to its gateway."""
    interval: FlowInterval
    """What it counted last."""


class Learned(Struct, frozen=True):
    """What the past teaches about the present."""

    frozen: Mapping[SpaceKey, datetime]
    """By space, since when it has said the same for longer than is plausible."""
    implausible: Mapping[Channel, Finding]
    """By counted channel, what cannot be so in what it counts now."""


NOTHING_LEARNED: Final = Learned({}, {})


class Live:
    """Guards that the newest word of each sensor stands, whatever the order in which words arrive."""

    def __init__(
        self, registry: CurrentRegistry, neighbours: Neighbours = NO_NEIGHBOURS, time_zone: ZoneInfo = PARIS
    ) -> None:
        self._registry = registry
        self.time_zone = time_zone
        """By whose clock the town opens and closes."""
        self.neighbours = neighbours
        """What other operators say of the zones that they feed."""
        self.trails = Trails()
        """What the zones looked like in the last half-hour."""
        self._spaces: dict[tuple[str, str], StoredSpace] = {}
        self._health: dict[str, HealthReport] = {}
        self._channels: dict[Channel, Heard] = {}
        self._gateways: dict[str, GatewayNews] = {}
        self._learned = NOTHING_LEARNED
        self._counts: Mapping[str, Count | None] = {}

    @property
    def gateways(self) -> Mapping[str, GatewayNews]:
        """What each gateway last said, by name."""
        return MappingProxyType(self._gateways)

    def take(self, message: AnyMessage, now: datetime, *, retained: bool = False) -> set[str]:
        """Take in one message; returns the zones that may look different for it.

        `retained`: the broker kept it, so it tells what was so before we came.
        """
        match message:
            case Space():
                return self.remember((StoredSpace(gateway=message.gateway, state=each) for each in message.states), now)
            case HealthReport():
                return self.remember_health([message], now)
            case Flow():
                self._take_flow(message, now)
            case Status():
                return self._take_status(message, now, retained=retained)
            case _:
                pass
        return set()

    def remember(self, spaces: Iterable[StoredSpace], now: datetime) -> set[str]:
        """Take in space states; returns the zones that may look different for them."""
        zones: set[str] = set()
        for space in spaces:
            key = (space.state.device, space.state.channel)
            known = self._spaces.get(key)
            if self._registry.now.knows(space.state.device) and _is_news(
                space.state.at, known.state.at if known else None, now
            ):
                self._spaces[key] = space
                zones |= self._registry.now.zones_of(space.state.device)
        return zones

    def remember_health(self, reports: Iterable[HealthReport], now: datetime) -> set[str]:
        """Take in devices' health; returns the zones that may look different for it."""
        zones: set[str] = set()
        for report in reports:
            device = report.health.device
            known = self._health.get(device)
            if self._registry.now.knows(device) and _is_news(report.health.at, known.health.at if known else None, now):
                self._health[device] = report
                zones |= self._registry.now.zones_of(device)
        return zones

    def forget_unknown(self) -> None:
        """Let go of the devices that the registry, which has just changed, does not know."""
        knows = self._registry.now.knows
        self._spaces = {key: known for key, known in self._spaces.items() if knows(key[0])}
        self._health = {device: report for device, report in self._health.items() if knows(device)}
        self._channels = {channel: heard for channel, heard in self._channels.items() if knows(channel.device)}

    def stills(self) -> list[Still]:
        """Every space of which it is known since when it is as it is."""
        return [
            Still(device=state.device, channel=state.channel, occupied=state.occupied, since=state.since)
            for state in (known.state for known in self._spaces.values())
            if state.since is not None
        ]

    def learn(self, learned: Learned) -> set[str]:
        """Take in what the past teaches; returns the zones that may look different for it."""
        devices = {device for device, _ in self._learned.frozen.keys() ^ learned.frozen.keys()}
        self._learned = learned
        return {zone for device in devices for zone in self._registry.now.zones_of(device)}

    def count_cars(self, counts: Mapping[str, Count | None]) -> set[str]:
        """Take in how many cars are in the car parks counted at their entrances; returns the zones concerned."""
        self._counts = counts
        return set(counts)

    def cars(self, zone: str) -> Count | None:
        """How many cars are in a car park counted at its entrances; None when that is not known."""
        return self._counts.get(zone)

    def state(self, installation: Installation) -> SpaceState | None:
        """What the sensor last said of the space that it serves; None when it said nothing since it was installed."""
        known = self._spaces.get((installation.device, installation.channel))
        return known.state if known is not None and installation.serves_at(known.state.at) else None

    def last_interval(self, installation: Installation) -> FlowInterval | None:
        """What a channel counted last at the place that it serves; None where it counted nothing there yet."""
        known = self._channels.get(Channel(installation.device, installation.channel, installation.mode))
        return known.interval if known is not None and installation.serves_at(known.interval.start) else None

    def health(self, device: str) -> DeviceHealth | None:
        """What is known of a device itself."""
        report = self._health.get(device)
        return None if report is None else report.health

    def space_evidence(self, installation: Installation) -> Evidence:
        """What is known of the sensor of a space."""
        known = self._spaces.get((installation.device, installation.channel))
        state = self.state(installation)
        gateway = known.gateway if known else None
        evidence = self._evidence(installation.device, gateway, state.at if state else None)
        frozen_since = self._learned.frozen.get((installation.device, installation.channel))
        if state is None or frozen_since is None or state.since != frozen_since:
            return evidence
        return structs.replace(evidence, frozen_since=frozen_since)

    def counter_evidence(self, installation: Installation) -> Evidence:
        """What is known of a channel that counts: its last interval, or a later sign of life."""
        channel = Channel(installation.device, installation.channel, installation.mode)
        counted = self._channels.get(channel)
        report = self._health.get(installation.device)
        times = [counted.until] if counted else []
        times += [report.health.at] if report else []
        gateway = counted.gateway if counted else report.gateway if report else None
        evidence = self._evidence(installation.device, gateway, max(times, default=None))
        if evidence.period_s is not None:
            interval_s = counted.interval_s if counted else LONGEST_INTERVAL_S
            evidence = structs.replace(evidence, period_s=max(evidence.period_s, interval_s))
        finding = self._learned.implausible.get(channel)
        return evidence if finding is None else structs.replace(evidence, implausible=finding.cause)

    def _evidence(self, device: str, gateway: str | None, heard_at: datetime | None) -> Evidence:
        health = self.health(device)
        news = self._gateways.get(gateway) if gateway else None
        return Evidence(
            heard_at=heard_at,
            period_s=health.period_s if health else None,
            fault=health.fault if health else None,
            gateway_away_since=news.away_since if news else None,
        )

    def _take_flow(self, message: Flow, now: datetime) -> None:
        for interval in filter(lambda each: is_datable(each.start), message.intervals):
            channel = Channel(interval.device, interval.channel, interval.mode)
            until = datetime.fromtimestamp(interval.start.timestamp() + interval.seconds, tz=interval.start.tzinfo)
            known = self._channels.get(channel)
            if self._registry.now.knows(interval.device) and _is_news(until, known.until if known else None, now):
                self._channels[channel] = Heard(
                    message.gateway, until, min(interval.seconds, LONGEST_INTERVAL_S), interval
                )

    def _take_status(self, status: Status, now: datetime, *, retained: bool) -> set[str]:
        known = self._gateways.get(status.gateway)
        if known is None and len(self._gateways) >= MOST_GATEWAYS:
            return set()
        self._gateways[status.gateway] = GatewayNews(
            status,
            self._away_since(status, known, now, retained=retained),
            self._told_at(status, known, now, retained=retained),
            None if retained or status.at is None else (status.at - now).total_seconds(),
        )
        if known is not None and known.status.online == status.online:
            return set()
        return {zone for device, _ in self._spaces for zone in self._registry.now.zones_of(device)}

    @staticmethod
    def _told_at(status: Status, known: GatewayNews | None, now: datetime, *, retained: bool) -> datetime | None:
        is_last_will = not status.online and status.at is None
        if is_last_will:
            return known.told_at if known else None
        return status.at if retained else now

    @staticmethod
    def _away_since(status: Status, known: GatewayNews | None, now: datetime, *, retained: bool) -> datetime | None:
        if status.online:
            return None
        if known is not None and known.away_since is not None:
            return known.away_since
        return LONG_AGO if retained else now


def _is_news(at: datetime, known: datetime | None, now: datetime) -> bool:
    """Whether what is dated `at` replaces what is dated `known`: the newer does, unless it comes from the future.

    What no store takes for its time is no news.
    """
    if not is_datable(at):
        return False
    if known is None or known > now + CLOCK_TOLERANCE:
        return True
    return known <= at <= now + CLOCK_TOLERANCE
