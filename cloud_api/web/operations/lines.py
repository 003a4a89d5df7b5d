"""What the operators' page shows of a town's status, in words. Pure.

In come a status, a language and a time zone, out come rows for a template. Nothing in them changes from one second to
the next while nothing happens, so that a page which asks again and again is told that it has it already.
"""

import re
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from msgspec import Struct

from cloud_api.concerns import NOT_BELIEVED, Concern, What
from cloud_api.glance import GatewayGlance
from cloud_api.sensor_glance import DoubtfulSensor, SensorKind
from cloud_api.town_status import TownStatus
from cloud_api.trust import Cause, Trust, lasting
from cloud_api.web.operations.words import FRENCH, Words
from edge.messages import CLOCK_TRUSTED

MOST_CONCERNS: Final = 40
NOT_SAID_S: Final = 5.0
"""A clock that is off by less is right, for people."""
NOTHING: Final = "–"
GIGABYTE: Final = 1e9
NO_SLUG: Final = re.compile(r"[^a-z0-9]+")


class ConcernLine(Struct, frozen=True, kw_only=True):
    """Something to look at."""

    id: str
    """The same for as long as the trouble lasts."""
    urgent: bool
    about: str
    text: str
    age: str
    """Empty where it has none."""
    what: What
    step: str
    link: str
    """Where to go on, from the root; empty where nowhere."""


class SensorRow(Struct, frozen=True, kw_only=True):
    """The sensors of one kind."""

    name: str
    counts: tuple[int, ...]
    """By trust, in the order of the table's columns."""
    total: int
    share: str


class DoubtfulRow(Struct, frozen=True, kw_only=True):
    """A sensor to be visited."""

    device: str
    link: str
    place: str
    state: str
    why: str
    heard: str
    battery: str


class GatewayRow(Struct, frozen=True, kw_only=True):
    """A gateway."""

    name: str
    label: str
    online: bool
    troubled: bool
    heard: str
    queue: int
    links_down: str
    clock: str
    disk: str
    version: str
    certificate: str


class Fact(Struct, frozen=True):
    """One thing about the platform."""

    name: str
    said: str
    bad: bool = False


class ClosureRow(Struct, frozen=True, kw_only=True):
    """A place that is closed."""

    name: str
    reason: str
    since: str
    until: str


class Shown(Struct, frozen=True, kw_only=True):
    """All that changes on the page."""

    as_of: str
    verdict: str
    """As `Verdict` names it."""
    sentence: str
    concerns: list[ConcernLine]
    more_concerns: int
    trusts: list[str]
    """Columns of the sensors' table."""
    sensors: list[SensorRow]
    doubtful: list[DoubtfulRow]
    more_doubtful: int
    low_batteries: int
    gateways: list[GatewayRow]
    facts: list[Fact]
    closures: list[ClosureRow]


def shown(told: TownStatus, words: Words, zone: ZoneInfo) -> Shown:
    """The page's content."""
    glance, sensors = told.glance, told.glance.sensors
    trusts = [trust for trust in Trust if any(each.trust is trust for each in sensors.tallies)]
    ids = _Ids()
    return Shown(
        as_of=words.as_of.format(time=f"{glance.at.astimezone(zone):%H:%M}"),
        verdict=told.verdict.value,
        sentence=_sentence(told, words),
        concerns=[_concern(each, ids, words, glance.at) for each in told.attention[:MOST_CONCERNS]],
        more_concerns=max(0, len(told.attention) - MOST_CONCERNS),
        trusts=[words.trusts[trust] for trust in trusts],
        sensors=[_sensors(kind, told, trusts, words) for kind in SensorKind],
        doubtful=[_doubtful(each, words, glance.at) for each in sensors.doubtful],
        more_doubtful=sensors.doubted - len(sensors.doubtful),
        low_batteries=sensors.low_batteries,
        gateways=_gateways(told, words),
        facts=list(_facts(told, words, zone)),
        closures=[
            ClosureRow(
                name=each.place_name,
                reason=each.reason,
                since=_day(each.since, words, zone),
                until=words.further_notice if each.until is None else _moment(each.until, words, zone),
            )
            for each in glance.closures
        ],
    )


class _Ids:
    """Tells troubles of the same kind and name apart."""

    def __init__(self) -> None:
        self._seen: Tally[str] = Tally()

    def of(self, concern: Concern) -> str:
        name = f"{concern.what}-{NO_SLUG.sub('-', concern.about.en.lower()).strip('-')}"
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name}--{self._seen[name]}"


def _sentence(told: TownStatus, words: Words) -> str:
    first = "" if not told.attention else _naming(told.attention[0], words)
    return words.verdicts[told.verdict].format(n=len(told.attention), first=first)


def _naming(concern: Concern, words: Words) -> str:
    return f"{_in(concern.about, words)}, {_in(concern.text, words)}"


def _concern(concern: Concern, ids: _Ids, words: Words, now: datetime) -> ConcernLine:
    return ConcernLine(
        id=ids.of(concern),
        urgent=concern.what.is_urgent,
        about=_in(concern.about, words),
        text=_in(concern.text, words),
        age="" if concern.since is None else words.for_age.format(age=_lasting(now - concern.since, words)),
        what=concern.what,
        step=words.steps[concern.what],
        link=_way_on(concern),
    )


def _way_on(concern: Concern) -> str:
    if concern.what is What.SENSORS:
        return "technician/round"
    return "" if concern.gateway is None else f"technician#gateway-{quote(concern.gateway)}"


def _sensors(kind: SensorKind, told: TownStatus, trusts: list[Trust], words: Words) -> SensorRow:
    counts = {each.trust: each.sensors for each in told.glance.sensors.tallies if each.kind is kind}
    total = sum(counts.values())
    bad = sum(count for trust, count in counts.items() if trust in NOT_BELIEVED)
    return SensorRow(
        name=words.kinds[kind],
        counts=tuple(counts.get(trust, 0) for trust in trusts),
        total=total,
        share=NOTHING if not total else f"{100 * bad / total:.0f} %",
    )


def _doubtful(sensor: DoubtfulSensor, words: Words, now: datetime) -> DoubtfulRow:
    percent = "" if sensor.battery_pct is None else f"{sensor.battery_pct:.0f} %"
    return DoubtfulRow(
        device=sensor.device,
        link=f"technician/devices/{quote(sensor.device, safe='')}",
        place=sensor.place_name,
        state=words.trusts[sensor.trust],
        why="" if sensor.cause is None else _in(sensor.cause, words),
        heard=_ago(sensor.heard_at, words, now),
        battery=f"{percent} {words.low if sensor.low_battery else ''}".strip(),
    )


def _gateways(told: TownStatus, words: Words) -> list[GatewayRow]:
    troubled = {each.gateway for each in told.attention}
    ends = told.kept.gateway_certificates
    rows = [_gateway(each, ends.get(each.name), told.glance.at, words, troubled) for each in told.glance.gateways]
    return sorted(rows, key=lambda row: (not row.troubled, row.online, row.label.casefold()))


def _gateway(
    gateway: GatewayGlance, ends_at: datetime | None, now: datetime, words: Words, troubled: set[str | None]
) -> GatewayRow:
    return GatewayRow(
        name=gateway.name,
        label=gateway.label,
        online=gateway.online,
        troubled=gateway.name in troubled,
        heard=_ago(gateway.told_at, words, now),
        queue=gateway.queued,
        links_down=", ".join(gateway.links_down) or NOTHING,
        clock=_clock(gateway, words),
        disk=_room(gateway.disk_free_bytes, gateway.disk_size_bytes, words),
        version=gateway.version or words.unknown,
        certificate=NOTHING if ends_at is None else _date(ends_at, words),
    )


def _clock(gateway: GatewayGlance, words: Words) -> str:
    if gateway.clock not in (None, CLOCK_TRUSTED):
        return str(gateway.clock)
    off = gateway.clock_ahead_s
    if off is None:
        return words.unknown
    if abs(off) < NOT_SAID_S:
        return words.clock_right
    age = _in(lasting(timedelta(seconds=abs(off))), words)
    return (words.clock_ahead if off > 0 else words.clock_behind).format(age=age)


def _facts(told: TownStatus, words: Words, zone: ZoneInfo) -> Iterator[Fact]:
    glance, kept, ingest = told.glance, told.kept, told.glance.ingest
    last = _ago(ingest.last_commit_at, words, glance.at)
    yield Fact(words.store, kept.store_problem or words.answers, kept.store_problem is not None)
    rate = words.rate.format(n=f"{ingest.facts_per_minute:.0f}", age=last)
    yield Fact(words.ingest.format(worker=ingest.worker), rate)
    for each in glance.connections:
        said = each.problem or words.connected
        yield Fact(words.connection.format(name=each.name), said, each.problem is not None)
    held = words.unknown if kept.quarantined is None else words.facts.format(n=kept.quarantined)
    yield Fact(words.quarantine, held, bool(kept.quarantined))
    yield Fact(words.refused, _tally(ingest.refused_messages) or words.none)
    for disk in glance.disks:
        yield Fact(words.disk_of.format(name=disk.file), _room(disk.free_bytes, disk.size_bytes, words))
    for certificate in glance.certificates:
        until = words.until.format(date=_date(certificate.ends_at, words))
        yield Fact(words.certificate_of.format(name=certificate.name), until)
    made = kept.backup
    yield Fact(words.backup, words.never if made is None else f"{_moment(made.at, words, zone)}, {made.file}")


def _tally(refused: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(refused.items()) if count)


def _room(free: int | None, size: int | None, words: Words) -> str:
    if free is None or size is None:
        return words.unknown
    return words.room.format(free=f"{free / GIGABYTE:.0f}", size=f"{size / GIGABYTE:.0f}")


def _ago(at: datetime | None, words: Words, now: datetime) -> str:
    if at is None:
        return words.never
    age = now - at
    return words.just_now if age < timedelta(minutes=1) else words.ago.format(age=_lasting(age, words))


def _lasting(age: timedelta, words: Words) -> str:
    return _in(lasting(max(age, timedelta(minutes=1))), words)


def _moment(at: datetime, words: Words, zone: ZoneInfo) -> str:
    return f"{_day(at, words, zone)} {at.astimezone(zone):%H:%M}"


def _day(at: datetime, words: Words, zone: ZoneInfo) -> str:
    return _date(at.astimezone(zone), words)


def _date(at: datetime, words: Words) -> str:
    return f"{at:%d/%m/%Y}" if words is FRENCH else f"{at:%Y-%m-%d}"


def _in(cause: Cause, words: Words) -> str:
    return cause.fr if words is FRENCH else cause.en
