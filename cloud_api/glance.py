"""A whole town at one glance: gateways, sensors by trust, ingest, closures, disks, connections, certificates.

In comes the present, out comes one value, told as metrics, as JSON, on a page and in the terminal alike. Nothing is
asked of the store, the ledger or the broker: they may not answer.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from cloud_api.live import GatewayNews, Live
from cloud_api.pulse import IngestGlance
from cloud_api.registry import Registry
from cloud_api.registry.current import CurrentRegistry
from cloud_api.sensor_glance import Sensors, look_at_sensors
from cloud_api.settings import Settings

Problem = Callable[[], str | None]
"""Why something does not work now, in words; None while it does."""


class GatewayGlance(Struct, frozen=True, kw_only=True):
    """How one gateway does."""

    name: str
    label: str
    """What the town calls it; its name where the registry does not know it."""
    online: bool
    told_at: datetime | None
    """When it last said how it does, UTC; null when it never did, or nobody here heard it."""
    queued: int
    """Messages in its outbox that the store has not confirmed, when it last said so."""
    links_down: tuple[str, ...]
    """Its links that are not up."""
    version: str | None = None
    """Of its software; null where it never said."""
    clock: str | None = None
    """`trusted`, or why its clock is not; null where it never said."""
    clock_ahead_s: float | None = None
    """So far its clock is ahead of ours, with the way of the message in it; null where it was not measured."""
    disk_free_bytes: int | None = None
    disk_size_bytes: int | None = None
    """Of the disk of its outbox; null where it never said."""
    held_off_until: datetime | None = None
    """When it is let in at the broker again, UTC, which it has flooded; null where it is not held off."""


class DiskGlance(Struct, frozen=True, kw_only=True):
    """The disk under a file of ours."""

    file: str
    """What is on it: `store`, where that is a file, or `ledger`."""
    free_bytes: int
    size_bytes: int


class ConnectionGlance(Struct, frozen=True, kw_only=True):
    """A connection to the broker."""

    name: str
    """`ingest` takes in facts, `live` follows the present."""
    problem: str | None
    """Why nothing comes through it; null while all is well."""


class CertificateGlance(Struct, frozen=True, kw_only=True):
    """A file of certificates that the API was given."""

    name: str
    """`broker_ca`, `gateway_broker_ca` or `gateway_signing_ca`."""
    ends_at: datetime
    """When the first of them ends, UTC."""


class ClosureGlance(Struct, frozen=True, kw_only=True):
    """A place that is out of service now."""

    place: str
    place_name: str
    """What people call it."""
    reason: str
    since: datetime
    until: datetime | None
    """Null until further notice."""


class Glance(Struct, frozen=True, kw_only=True):
    """The town as one process of the API knows it."""

    at: datetime
    gateways: tuple[GatewayGlance, ...]
    """By name: those of the registry, and others that were heard."""
    sensors: Sensors
    ingest: IngestGlance
    closures: tuple[ClosureGlance, ...]
    """Of zones and spaces, the oldest first."""
    disks: tuple[DiskGlance, ...]
    connections: tuple[ConnectionGlance, ...]
    certificates: tuple[CertificateGlance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Where a glance looks. Belongs to the event loop, as `live` does."""

    settings: Settings
    live: Live
    places: CurrentRegistry
    connections: Mapping[str, Problem]
    ingest: Callable[[str, datetime], IngestGlance]
    """How the worker of this name does at a time."""
    held_off_until: Callable[[], Mapping[str, datetime]]
    """Gateways that are held off the broker, and until when."""
    clock: Callable[[], datetime]

    def look(self) -> Glance:
        """The town now."""
        now = self.clock()
        return Glance(
            at=now,
            gateways=self._gateways(),
            sensors=look_at_sensors(self.live, self.places.now, now),
            ingest=self.ingest(self.settings.worker, now),
            closures=_closures(self.places.now, now),
            disks=_disks({"store": self.settings.store_file, "ledger": self.settings.ledger}),
            connections=tuple(
                ConnectionGlance(name=name, problem=problem()) for name, problem in self.connections.items()
            ),
            certificates=_certificates(self.settings),
        )

    def _gateways(self) -> tuple[GatewayGlance, ...]:
        labels = {name: each.label for name, each in self.places.now.gateways.items()}
        known = self.live.gateways
        held_off = self.held_off_until()
        names = sorted(labels.keys() | known.keys() | held_off.keys())
        return tuple(_gateway(name, labels.get(name, name), known.get(name), held_off.get(name)) for name in names)


def _gateway(name: str, label: str, news: GatewayNews | None, held_off_until: datetime | None) -> GatewayGlance:
    if news is None:
        return GatewayGlance(
            name=name,
            label=label,
            online=False,
            told_at=None,
            queued=0,
            links_down=(),
            held_off_until=held_off_until,
        )
    status = news.status
    return GatewayGlance(
        name=name,
        label=label,
        online=status.online,
        told_at=news.told_at,
        queued=status.queued,
        links_down=tuple(each.name for each in status.links if each.state != "up"),
        version=status.version or None,
        clock=status.clock if status.version else None,
        clock_ahead_s=news.clock_ahead_s,
        disk_free_bytes=status.disk_free_bytes,
        disk_size_bytes=status.disk_size_bytes,
        held_off_until=held_off_until,
    )


def _closures(town: Registry, now: datetime) -> tuple[ClosureGlance, ...]:
    in_force = sorted((each for each in town.closures if each.in_force_at(now)), key=lambda each: (each.start, each.id))
    return tuple(
        ClosureGlance(
            place=each.place,
            place_name=town.name_of(each.place),
            reason=each.reason,
            since=each.start,
            until=each.until,
        )
        for each in in_force
    )


def _disks(files: Mapping[str, Path | None]) -> tuple[DiskGlance, ...]:
    looked_at = (_disk(name, file.parent) for name, file in files.items() if file is not None)
    return tuple(disk for disk in looked_at if disk is not None)


def _disk(name: str, folder: Path) -> DiskGlance | None:
    """The disk under a folder; None while it cannot be asked."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return DiskGlance(file=name, free_bytes=usage.free, size_bytes=usage.total)


def _certificates(settings: Settings) -> tuple[CertificateGlance, ...]:
    enrolment = settings.enrolment
    authority = enrolment.authority if enrolment else None
    files = {
        "broker_ca": settings.broker.ca_file,
        "gateway_broker_ca": enrolment.broker.ca_file if enrolment else None,
        "gateway_signing_ca": authority.certificate_file if authority else None,
    }
    ends = {name: _first_end(file) for name, file in files.items() if file is not None}
    return tuple(CertificateGlance(name=name, ends_at=at) for name, at in ends.items() if at is not None)


def _first_end(file: Path) -> datetime | None:
    """When the first certificate in a file ends; None when the file can no longer be read."""
    try:
        return min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError):
        return None
