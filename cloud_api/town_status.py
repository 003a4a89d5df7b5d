"""What an operator sees of a town at one glance, and what of it wants attention. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from cloud_api.glance import GatewayGlance, Glance, SensorKind
from cloud_api.trust import Trust, lasting

SILENT_AFTER: Final = timedelta(minutes=15)
"""A gateway that is on line says how it does more often than this."""
LONG_QUEUE: Final = 1000
"""Messages; a gateway on line gets rid of them within seconds."""
LITTLE_FREE: Final = 0.1
SOON: Final = timedelta(days=30)
MANY: Final = 0.2
"""Of the sensors of a kind; fewer are the technicians' daily round."""
NOT_BELIEVED: Final = frozenset({Trust.STALE, Trust.FROZEN, Trust.FAULTY})


class TownStatus(Struct, frozen=True, kw_only=True):
    """A town as one process of its API knows it."""

    town: str
    glance: Glance
    quarantined: int | None
    """Facts that the store refused and that are held; null where that cannot be read."""
    store_problem: str | None
    """Why the store, or what is kept beside it, does not answer; null while it does."""
    attention: tuple[str, ...]
    """What somebody should look at, one line each; empty while all is well."""


def status_of(town: str, glance: Glance, quarantined: int | None, store_problem: str | None) -> TownStatus:
    """With what wants attention, what stops everything first."""
    lines = [*_platform(glance), *([f"store: {store_problem}"] if store_problem else [])]
    if quarantined:
        lines.append(f"quarantine: {quarantined} facts refused by the store wait (passerelle quarantine list)")
    for each in glance.gateways:
        lines += [f"gateway {each.name}: {problem}" for problem in _gateway(each, glance.at)]
    lines += _sensors(glance)
    return TownStatus(
        town=town, glance=glance, quarantined=quarantined, store_problem=store_problem, attention=tuple(lines)
    )


def _platform(glance: Glance) -> Iterator[str]:
    for each in glance.connections:
        if each.problem is not None:
            yield f"broker, connection {each.name}: {each.problem}"
    for disk in glance.disks:
        if disk.free_bytes < LITTLE_FREE * disk.size_bytes:
            yield f"disk of the {disk.file}: {disk.free_bytes / 1e9:.1f} GB of {disk.size_bytes / 1e9:.1f} GB free"
    for certificate in glance.certificates:
        if certificate.ends_at < glance.at + SOON:
            yield f"certificate {certificate.name}: ends on {certificate.ends_at:%Y-%m-%d}"


def _gateway(gateway: GatewayGlance, now: datetime) -> Iterator[str]:
    told = gateway.told_at
    if not gateway.online:
        yield "off line, never heard here" if told is None else f"off line, last heard {lasting(now - told).en} ago"
    elif told is not None and now - told > SILENT_AFTER:
        yield f"on line, and has said nothing of itself for {lasting(now - told).en}"
    if gateway.queued > LONG_QUEUE:
        yield f"{gateway.queued} messages wait in its outbox"
    for link in gateway.links_down:
        yield f"link {link} is not up"


def _sensors(glance: Glance) -> Iterator[str]:
    for kind in SensorKind:
        of_kind = [each for each in glance.sensors if each.kind is kind]
        total = sum(each.sensors for each in of_kind)
        bad = sum(each.sensors for each in of_kind if each.trust in NOT_BELIEVED)
        if bad > MANY * total:
            yield f"sensors: {bad} of {total} of kind {kind} are stale, frozen or faulty (GET /v1/visits)"
