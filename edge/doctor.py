"""Examines a gateway where it stands: what works, what is wrong, and what to do about it.

In come a configuration file and the time, out come findings in the order in which a technician mends them. It changes
nothing, disturbs no gateway at work, and never shows a secret.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from edge import bluetooth_probe, broker_probe, port_probe
from edge.clock import ClockTrust, synchronised
from edge.config import ConfigError, GatewayConfig, GatewaySection, LinkConfig, load
from edge.drivers.devices import catalogue
from edge.drivers.links.ble import BleConfig
from edge.drivers.links.chirpstack import ChirpStackConfig
from edge.drivers.links.modbus import ModbusConfig
from edge.drivers.links.rak3172 import Rak3172Config
from edge.drivers.links.serial_port import DEFAULT_BAUD, SerialConfig
from edge.drivers.links.things_stack import TtsConfig
from edge.findings import Finding, duration, ok, warning, wrong
from edge.messages import DeviceHealth, DeviceSettings
from edge.outbox import OutboxError
from edge.outbox_view import OutboxView, look
from edge.publisher import BrokerConfig
from edge.renewal import in_force

MEGABYTE = 1_000_000
NEEDED_BYTES = 50 * MEGABYTE
"""With less, the outbox may soon not be written."""
BACKLOG_S = 600
"""The store confirms within seconds: what waits longer is told."""
CERTIFICATE_S = 90 * 86_400
"""The platform renews a certificate that ends sooner, months before: one that was not is told."""
SILENT_PERIODS = 3
"""A device that missed so many of its reports is told."""
CLIENT_ID = "passerelle-doctor-{}"
"""A name of its own: a broker ends a connection when another one comes under the same name."""


def examine(path: Path, now: datetime) -> Iterator[Finding]:
    """Findings about the gateway that a configuration file describes, one by one. Blocks for seconds between them."""
    try:
        config = load(path)
    except ConfigError as error:
        yield wrong("configuration", str(error), "correct the file; `passerelle edge --check` reads it again")
        return
    yield ok("configuration", f"{path} is good; links: {len(config.link)}, devices: {len(config.device)}")
    yield from _user(config.gateway.data)
    yield clock(config.gateway.clock, is_synchronised=synchronised())
    yield disk(config.gateway.data, outbox_bytes=config.gateway.outbox_mb * MEGABYTE)
    view, finding = outbox(config, now)
    yield finding
    for link in config.link:
        yield from examine_link(link, config.gateway.name, now)
    yield from broker(config, now)
    for device in _devices(config, view):
        yield last_heard(device, view, now)


def clock(trust: ClockTrust, *, is_synchronised: bool) -> Finding:
    """Whether counts can be dated."""
    if is_synchronised:
        return ok("clock", "synchronised")
    if trust is ClockTrust.SYSTEM:
        return ok("clock", 'not synchronised, and believed as it is: clock = "system"')
    advice = "let it reach a time server (UDP port 123), then look with `timedatectl`"
    return wrong("clock", "not synchronised: counts are kept back until it is", advice)


def disk(folder: Path, *, outbox_bytes: int) -> Finding:
    """Whether the outbox's folder can be written, and holds the outbox when it has grown to its limit."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        return wrong("disk", f"{existing} cannot be written: {error.strerror}", _disk_advice(error, folder))
    says = f"{folder}: {free // MEGABYTE} MB free"
    if free < NEEDED_BYTES:
        return wrong("disk", says, "make room: `journalctl --vacuum-size=50M`, `apt-get clean`, or a larger card")
    file = folder / "outbox.db"
    to_come = outbox_bytes - (file.stat().st_size if file.exists() else 0)
    if free < to_come:
        advice = "make room, or lower `outbox_mb`: a long outage fills the disk before the outbox is at its limit"
        return warning("disk", f"{says}, and the outbox may grow by {to_come // MEGABYTE} MB", advice)
    return ok("disk", says)


def outbox(config: GatewayConfig, now: datetime) -> tuple[OutboxView | None, Finding]:
    """What waits in the outbox, and whether too long; None when it cannot be read."""
    path = config.gateway.data / "outbox.db"
    if not os.path.lexists(path):
        return None, warning("outbox", f"{path} is not there yet", "start the gateway: it makes one")
    try:
        view = look(path)
    except OutboxError as error:
        return None, wrong("outbox", f"{error.path}: {error.reason}", error.advice)
    return view, _judge_outbox(view, config.gateway, now)


def examine_link(link: LinkConfig, gateway: str, now: datetime) -> list[Finding]:
    """Whether a link can be opened."""
    what = f"link {link.name}"
    match link:
        case SerialConfig():
            baud = link.baud or catalogue()[link.model].baud or DEFAULT_BAUD
            return [port_probe.probe(what, link.name, link.port, baud)]
        case Rak3172Config() | ModbusConfig():
            return [port_probe.probe(what, link.name, link.port, link.baud)]
        case BleConfig():
            return [bluetooth_probe.probe(what, link.adapter)]
        case ChirpStackConfig() | TtsConfig():
            door = replace(link.broker, client_id=CLIENT_ID.format(gateway), session_s=0)
            return broker_probe.probe(what, door, None, now.timestamp())


def broker(config: GatewayConfig, now: datetime) -> list[Finding]:
    """Whether the city's broker lets this gateway in and takes what it publishes."""
    way = in_force(config.broker, config.gateway.data)
    door = broker_probe.door(way, CLIENT_ID.format(config.gateway.name))
    return [*own_certificate(way, now), *broker_probe.probe("broker", door, config.gateway.name, now.timestamp())]


def own_certificate(way: BrokerConfig, now: datetime) -> list[Finding]:
    """Whether the certificate that the gateway shows ends soon; what cannot be read is told where it is shown."""
    from cryptography import x509

    if way.certificate_file is None:
        return []
    try:
        ends = x509.load_pem_x509_certificate(way.certificate_file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return []
    left_s = (ends - now).total_seconds()
    if left_s < CERTIFICATE_S:
        says = f"the gateway's own ends in {duration(left_s)}, and was not renewed"
        advice = "look why in the log of the platform and here; or enrol it anew: passerelle gateway replace"
        return [warning("certificate", says, advice)]
    return [ok("certificate", f"the gateway's own is good for {duration(left_s)}")]


def last_heard(device: DeviceSettings, view: OutboxView | None, now: datetime) -> Finding:
    """When a device was heard last, against how often it should be."""
    what = f"device {device.address}"
    health = _health(device.address, view)
    if health is None:
        return warning(what, "never heard", "press its test button, wait one reporting period, then check its link")
    silent_s = (now - health.at).total_seconds()
    says = f"heard {duration(silent_s)} ago, expected every {duration(health.period_s)}"
    if silent_s > SILENT_PERIODS * health.period_s:
        return warning(what, says, "check its battery or power, its antenna, and the link it hangs on")
    if health.fault:
        return warning(what, f"{says}; it reports a fault: {health.fault}", "see the sensor's manual")
    if health.battery_low:
        return warning(what, f"{says}; its battery is low", "change the battery")
    return ok(what, says)


def _user(folder: Path) -> list[Finding]:
    """Root may do what the gateway may not: what is found then proves less."""
    if os.geteuid() != 0 or not folder.exists() or folder.stat().st_uid == 0:
        return []
    advice = f"run it as {folder.owner()}: sudo -u {folder.owner()} passerelle doctor …"
    return [warning("user", f"examined as root, but {folder} belongs to {folder.owner()}", advice)]


def _disk_advice(error: OSError, folder: Path) -> str:
    match error.errno:
        case errno.EROFS:
            return "the file system is read-only: a card that failed does that; `dmesg` says why; replace the card"
        case errno.ENOSPC | errno.EDQUOT:
            return "make room: `journalctl --vacuum-size=50M`, `apt-get clean`, or a larger card"
        case _:
            return f"let the gateway's user own it: chown -R passerelle {folder}"


def _judge_outbox(view: OutboxView, section: GatewaySection, now: datetime) -> Finding:
    messages = "1 message" if view.queued == 1 else f"{view.queued} messages"
    says = f"{messages} not confirmed as stored, {view.size_bytes / MEGABYTE:.1f} MB of {section.outbox_mb} MB at most"
    if view.gateway != section.name:
        advice = "give every gateway its own `data` folder"
        return wrong("outbox", f"it belongs to gateway {view.gateway!r}, not {section.name!r}", advice)
    if view.waiting:
        advice = "mend the clock: they are sent once the time is known"
        too_many = f", older ones that were dropped: {view.waiting_dropped}" if view.waiting_dropped else ""
        return warning("outbox", f"{says}; observations that wait for the clock: {view.waiting}{too_many}", advice)
    lost = sum(each.in_ + each.out for each in view.dropped)
    if lost:
        advice = (
            "let it reach the city's platform, or raise `outbox_mb`: from its limit on the oldest counts are dropped"
        )
        return wrong("outbox", f"{says}; it had reached its limit, passages lost: {lost}", advice)
    age_s = 0.0 if view.oldest is None else (now - view.oldest).total_seconds()
    if age_s > BACKLOG_S:
        advice = "nothing is lost; see `broker`, then the city's platform and its store"
        return warning("outbox", f"{says}, the oldest of {duration(age_s)} ago", advice)
    return ok("outbox", says)


def _devices(config: GatewayConfig, view: OutboxView | None) -> Sequence[DeviceSettings]:
    """What the cloud desired last is in force; before it did, what the file says."""
    return config.device if view is None or view.desired is None else view.desired.devices


def _health(address: str, view: OutboxView | None) -> DeviceHealth | None:
    state = None if view is None else view.states.get(address)
    return None if state is None else state.health
