"""What wants somebody's attention in a town, the most urgent first. Pure.

In comes what a glance saw and what files and databases keep, out come concerns: each one kind of thing, with whose it
is, what is wrong in both languages, and since when. `docs/operations.md` has a section for each kind.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from cloud_api.glance import GatewayGlance, Glance
from cloud_api.kept import Kept
from cloud_api.sensor_glance import SensorKind
from cloud_api.trust import Cause, Trust, lasting
from edge.messages import CLOCK_TRUSTED

SILENT_AFTER: Final = timedelta(minutes=15)
"""A gateway that is on line says how it does more often than this."""
LONG_QUEUE: Final = 1000
"""Messages; a gateway on line gets rid of them within seconds."""
LITTLE_FREE: Final = 0.1
SOON: Final = timedelta(days=30)
NOT_RENEWED: Final = timedelta(days=90)
"""A gateway's certificate is renewed by itself months before it ends, as long as it comes on line."""
CLOCK_OFF_S: Final = 60.0
"""A clock that is off by more dates counts into the wrong minutes."""
BACKUP_EVERY: Final = timedelta(days=2)
"""Made each night, and one may fail."""
MANY: Final = 0.2
"""Of the sensors of a kind; fewer are the technicians' daily round."""
FLOODS: Final = Cause("inonde le serveur de messages", "floods the server with messages")
HELD_OFF: Final = Cause(
    "tenue à l’écart du courtier, qu’elle inonde de messages", "held off the broker, which it floods with messages"
)
NOT_BELIEVED: Final = frozenset({Trust.STALE, Trust.FROZEN, Trust.FAULTY})


class What(StrEnum):
    """A kind of trouble; the most urgent first. Its section in `docs/operations.md` bears its name."""

    STORE = "store"
    BROKER = "broker"
    DISK = "disk"
    DROPPED = "dropped"
    QUARANTINE = "quarantine"
    FLOOD = "flood"
    CERTIFICATE = "certificate"
    GATEWAY_OFF = "gateway-off"
    GATEWAY_MUTE = "gateway-mute"
    QUEUE = "queue"
    CLOCK = "clock"
    GATEWAY_DISK = "gateway-disk"
    LINK = "link"
    SENSORS = "sensors"
    BACKUP = "backup"

    @property
    def is_urgent(self) -> bool:
        """Whether counts are lost, or will be soon, or nobody sees the present."""
        return self in {What.STORE, What.BROKER, What.DISK, What.DROPPED}


class Concern(Struct, frozen=True, kw_only=True):
    """Something that somebody should look at."""

    what: What
    about: Cause
    """Whose trouble it is, by name."""
    text: Cause
    """What is wrong, without its age."""
    since: datetime | None = None
    """UTC; null where that is not known or means nothing."""
    gateway: str | None = None
    """The name of the gateway whose trouble it is; null where it is none's."""


class Verdict(StrEnum):
    """All of a town in a word."""

    WELL = "well"
    ROUND = "round"
    """Well, and technicians have sensors to visit."""
    LOOK = "look"
    """Something is to be looked at today."""
    ACT = "act"
    """Somebody has to do something now."""


def verdict_on(concerns: tuple[Concern, ...], glance: Glance) -> Verdict:
    """The worst there is."""
    if any(each.what.is_urgent for each in concerns):
        return Verdict.ACT
    if concerns:
        return Verdict.LOOK
    return Verdict.ROUND if glance.sensors.doubted else Verdict.WELL


def concerns_of(glance: Glance, kept: Kept) -> tuple[Concern, ...]:
    """All of them, by urgency; of one kind, those that last longest first."""
    found = [
        *_platform(glance, kept),
        *_certificates(glance, kept),
        *(concern for each in glance.gateways for concern in _gateway(each, glance.at)),
        *_sensors(glance),
        *_backup(glance, kept),
    ]
    return tuple(sorted(found, key=lambda each: (list(What).index(each.what), each.since or glance.at, each.about.en)))


def _platform(glance: Glance, kept: Kept) -> Iterator[Concern]:
    if kept.store_problem is not None:
        yield Concern(what=What.STORE, about=Cause("base d’historique", "store"), text=_as_it_is(kept.store_problem))
    if kept.registry_problem is not None:
        yield Concern(what=What.STORE, about=Cause("registre", "registry"), text=_as_it_is(kept.registry_problem))
    held_off = {each.name for each in glance.gateways if each.held_off_until is not None}
    for name in sorted(held_off.union(glance.ingest.flooding)):
        text = HELD_OFF if name in held_off else FLOODS
        yield Concern(what=What.FLOOD, about=_named(name, name), text=text, gateway=name)
    for each in glance.connections:
        if each.problem is not None:
            about = Cause(f"courtier MQTT, connexion {each.name}", f"broker, connection {each.name}")
            yield Concern(what=What.BROKER, about=about, text=_as_it_is(each.problem))
    for disk in glance.disks:
        if _is_little(disk.free_bytes, disk.size_bytes):
            about = Cause(f"disque ({disk.file})", f"disk of the {disk.file}")
            yield Concern(what=What.DISK, about=about, text=_room(disk.free_bytes, disk.size_bytes))
    for lost in kept.lost:
        text = Cause(
            f"passages perdus depuis hier, sa file d’attente étant pleine : {lost.passages}",
            f"passages lost within a day, its outbox being full: {lost.passages}",
        )
        yield Concern(
            what=What.DROPPED,
            about=_named(lost.gateway, lost.gateway),
            text=text,
            gateway=lost.gateway,
        )
    if kept.quarantined:
        text = Cause(
            f"faits refusés par la base, en attente : {kept.quarantined}",
            f"facts refused by the store that wait: {kept.quarantined}",
        )
        yield Concern(what=What.QUARANTINE, about=Cause("quarantaine", "quarantine"), text=text)


def _certificates(glance: Glance, kept: Kept) -> Iterator[Concern]:
    labels = {each.name: each.label for each in glance.gateways}
    for each in glance.certificates:
        if each.ends_at < glance.at + SOON:
            about = Cause(f"certificat {each.name}", f"certificate {each.name}")
            yield Concern(what=What.CERTIFICATE, about=about, text=_ends(each.ends_at))
    for name, at in kept.gateway_certificates.items():
        if at < glance.at + NOT_RENEWED:
            about = _named(name, labels.get(name, name))
            yield Concern(what=What.CERTIFICATE, about=about, text=_ends(at), gateway=name)


def _ends(at: datetime) -> Cause:
    return Cause(f"certificat valable jusqu’au {at:%d/%m/%Y}", f"its certificate ends on {at:%Y-%m-%d}")


def _gateway(gateway: GatewayGlance, now: datetime) -> Iterator[Concern]:
    about, told = _named(gateway.name, gateway.label), gateway.told_at

    def concern(what: What, fr: str, en: str, since: datetime | None = None) -> Concern:
        return Concern(what=what, about=about, text=Cause(fr, en), since=since, gateway=gateway.name)

    if not gateway.online and told is None:
        yield concern(What.GATEWAY_OFF, "hors ligne, jamais entendue ici", "off line, never heard here")
    elif not gateway.online:
        yield concern(What.GATEWAY_OFF, "hors ligne", "off line", told)
    elif told is not None and now - told > SILENT_AFTER:
        yield concern(What.GATEWAY_MUTE, "en ligne, mais ne dit plus rien d’elle", "on line, and says nothing", told)
    if gateway.queued > LONG_QUEUE:
        waiting = f"{gateway.queued} messages"
        yield concern(What.QUEUE, f"{waiting} attendent chez elle", f"{waiting} wait in its outbox")
    if gateway.online and gateway.clock not in (None, CLOCK_TRUSTED):
        yield concern(What.CLOCK, f"horloge : {gateway.clock}", f"clock: {gateway.clock}")
    elif gateway.clock_ahead_s is not None and abs(gateway.clock_ahead_s) > CLOCK_OFF_S:
        off = lasting(timedelta(seconds=abs(gateway.clock_ahead_s)))
        ahead = gateway.clock_ahead_s > 0
        yield concern(
            What.CLOCK,
            f"horloge en {'avance' if ahead else 'retard'} de {off.fr}",
            f"its clock is {off.en} {'ahead' if ahead else 'behind'}",
        )
    free, size = gateway.disk_free_bytes, gateway.disk_size_bytes
    if free is not None and size is not None and _is_little(free, size):
        room = _room(free, size)
        yield concern(What.GATEWAY_DISK, f"disque : {room.fr}", f"disk: {room.en}")
    for link in gateway.links_down:
        yield concern(What.LINK, f"liaison {link} coupée", f"link {link} is not up")


def _sensors(glance: Glance) -> Iterator[Concern]:
    for kind, name in ((SensorKind.SPACE, "places"), (SensorKind.COUNTER, "compteurs")):
        of_kind = [each for each in glance.sensors.tallies if each.kind is kind]
        total = sum(each.sensors for each in of_kind)
        bad = sum(each.sensors for each in of_kind if each.trust in NOT_BELIEVED)
        if bad > MANY * total:
            text = Cause(
                f"{bad} sur {total} sans nouvelles, figés ou en défaut", f"{bad} of {total} are stale, frozen or faulty"
            )
            yield Concern(what=What.SENSORS, about=Cause(f"capteurs des {name}", f"sensors of {kind}s"), text=text)


def _backup(glance: Glance, kept: Kept) -> Iterator[Concern]:
    about = Cause("sauvegarde", "backup")
    if kept.registry_problem is not None:
        return
    if kept.backup is None:
        yield Concern(what=What.BACKUP, about=about, text=Cause("aucune n’a encore été faite", "none was made yet"))
    elif glance.at - kept.backup.at > BACKUP_EVERY:
        text = Cause("la dernière est ancienne", "the last one is old")
        yield Concern(what=What.BACKUP, about=about, text=text, since=kept.backup.at)


def _named(name: str, label: str) -> Cause:
    shown = name if name == label else f"{label} ({name})"
    return Cause(f"passerelle {shown}", f"gateway {shown}")


def _is_little(free: int, size: int) -> bool:
    return free < LITTLE_FREE * size


def _room(free: int, size: int) -> Cause:
    free_gb, size_gb = f"{free / 1e9:.1f}", f"{size / 1e9:.1f}"
    return Cause(
        f"{free_gb} Go libres sur {size_gb} Go".replace(".", ","),
        f"{free_gb} GB of {size_gb} GB free",
    )


def _as_it_is(problem: str) -> Cause:
    """In the words of who found it, which are for operators and English."""
    return Cause(problem, problem)
