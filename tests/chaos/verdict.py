"""What the API tells, held against what the sensors know: per counter and hour, per parking space.

In come the town, what the air swallowed, and the API; out comes a `Verdict`. It forgives nothing but what the rig
itself swallowed of sensors without totals, and even that must be flagged.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

import httpx
from msgspec import Struct
from msgspec import field as named
from msgspec.json import decode

from tests.chaos.air import Air
from tests.chaos.sensors import PERIOD, ZONE, CountingSensor, Town

PLACED_APART = {"split", "spread", "lost"}
"""In an hour with one of these flags, or beside one, passages may be told in the hour next to theirs."""
HOUR = timedelta(hours=1)
CLOCK_REACH = timedelta(hours=8)
"""So far from an hour that is flagged `clock` passages may be told: the clock was set by hours."""


class Hour(Struct, frozen=True):
    """One hour of the API's answer."""

    start: datetime
    flags: tuple[str, ...]
    in_: int | None = named(name="in")
    out: int | None


class Flows(Struct, frozen=True):
    """The API's answer for a counter."""

    hours: tuple[Hour, ...]


class Place(Struct, frozen=True):
    """One space of the API's answer."""

    id: str
    status: str


class Zone(Struct, frozen=True):
    """The spaces of a zone."""

    spaces: tuple[Place, ...]


class ZoneAnswer(Struct, frozen=True):
    """The API's answer for a zone."""

    data: Zone


@dataclass(slots=True)
class Verdict:
    """What was found. Without complaints, all is there and nothing twice."""

    sent: int = 0
    """Passages that sensors counted and that somebody may know of."""
    swallowed: int = 0
    """Passages in frames that the rig lost, of sensors that send no totals."""
    stored: int = 0
    missing: int = 0
    twice: int = 0
    flagged_hours: int = 0
    wrong_spaces: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """As the page says it."""
        return "all, none twice" if not self.complaints else "; ".join(self.complaints[:3])


async def judge(client: httpx.AsyncClient, town: Town, air: Air) -> Verdict:
    """Ask the API for everything."""
    verdict = Verdict()
    for sensor in town.counters:
        _judge_counter(verdict, sensor, await _hours(client, sensor), air.swallowed.get(sensor.address, set()))
    zone = decode((await client.get(f"/v1/parking/zones/{ZONE}")).raise_for_status().content, type=ZoneAnswer).data
    told = {place.id: place.status for place in zone.spaces}
    for bay in town.bays:
        true = "occupied" if bay.occupied else "free"
        if told.get(bay.name) != true:
            verdict.wrong_spaces += 1
            verdict.complaints.append(f"space {bay.name} is {true}, told {told.get(bay.name)}")
    return verdict


async def _hours(client: httpx.AsyncClient, sensor: CountingSensor) -> tuple[Hour, ...]:
    """All that may be told of it: what waited for the time over a power cut is dated when this machine was started."""
    first = min(sensor.truth) - (CLOCK_REACH + timedelta(seconds=monotonic()) if sensor.in_the_air else HOUR)
    last = sensor.clock + (CLOCK_REACH if sensor.in_the_air else 2 * HOUR)
    query = {"counter": sensor.name, "from": first.isoformat(), "to": last.isoformat()}
    return decode((await client.get("/v1/flows/hourly", params=query)).raise_for_status().content, type=Flows).hours


def _judge_counter(verdict: Verdict, sensor: CountingSensor, hours: tuple[Hour, ...], swallowed: set[int]) -> None:
    lost = set() if sensor.totals else swallowed
    for way, name in enumerate(("in", "out")):
        sent = sum(counts[way] for counter, counts in sensor.counted.items() if counter not in lost)
        stored = sum((hour.in_, hour.out)[way] or 0 for hour in hours)
        verdict.sent += sent
        verdict.stored += stored
        verdict.swallowed += sum(sensor.counted[counter][way] for counter in lost)
        verdict.missing += max(sent - stored, 0)
        verdict.twice += max(stored - sent, 0)
        if stored != sent:
            verdict.complaints.append(f"{sensor.name} {name}: {sent} sent, {stored} stored")
    verdict.flagged_hours += sum(bool(set(hour.flags) - {"late"}) for hour in hours)
    verdict.complaints.extend(_wrong_hours(sensor, hours))
    verdict.complaints.extend(_unflagged(sensor, hours, lost))


def _wrong_hours(sensor: CountingSensor, hours: tuple[Hour, ...]) -> list[str]:
    """The hours that say they are exact and are not. Of a sensor that the gateway's clock dates, only sums hold."""
    if sensor.in_the_air:
        return []
    doubtful = {hour.start.astimezone(UTC) for hour in hours if PLACED_APART & set(hour.flags)}
    stepped = {hour.start.astimezone(UTC) for hour in hours if "clock" in hour.flags}
    wrong = []
    for hour in hours:
        start = hour.start.astimezone(UTC)
        if {start - HOUR, start, start + HOUR} & doubtful or any(abs(start - each) <= CLOCK_REACH for each in stepped):
            continue
        true = sensor.truth.get(start, (0, 0))
        if (hour.in_ or 0, hour.out or 0) != true:
            wrong.append(f"{sensor.name} {start:%d %H}h: {true} counted, {hour.in_}, {hour.out} told, no flag")
    return wrong


def _unflagged(sensor: CountingSensor, hours: tuple[Hour, ...], lost: set[int]) -> list[str]:
    """Frames that were lost for good while no hour around them says so."""
    flagged = {hour.start.astimezone(UTC) for hour in hours if "lost" in hour.flags}
    first = min(sensor.truth)
    silent = []
    for counter in lost:
        end = sensor.clock - (sensor.counter - counter) * PERIOD
        hour = end.replace(minute=0, second=0)
        if hour >= first and not {hour - HOUR, hour, hour + HOUR} & flagged:
            silent.append(f"{sensor.name}: frame {counter} was lost and no hour near {hour:%d %H}h says so")
    return silent
