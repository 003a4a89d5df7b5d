"""What a technician sees of sensors that gateways hear and nobody adopted. Pure.

In come sightings, out come lines: one for each sensor, at the gateway that hears it best.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from cloud_api.provisioning.gateways import Sighting
from cloud_api.registry import Registry
from cloud_api.web.technician.words import Words

FORGOTTEN_AFTER: Final = timedelta(hours=6)
MOST_SHOWN: Final = 60
BARS: Final = ((-75.0, 4), (-95.0, 3), (-110.0, 2))
"""From so many dBm on, so many bars of four."""
NO_SIGNAL: Final = -200.0


class Signal(Struct, frozen=True):
    """How strongly a sensor is heard."""

    bars: int
    """1 to 4; 0 where the link does not tell."""
    text: str
    """With its unit (`−87 dBm`)."""


class HeardLine(Struct, frozen=True, kw_only=True):
    """A sensor that nobody adopted."""

    address: str
    gateway: str
    """As its topics name it."""
    gateway_label: str
    link: str
    hint: str
    signal: Signal
    age: str
    frames: int
    others: int
    """Further gateways that hear it."""


def signal(rssi_dbm: float | None, words: Words) -> Signal:
    """Bars for the eye, dBm for who knows."""
    if rssi_dbm is None:
        return Signal(0, words.no_signal)
    bars = next((bars for least, bars in BARS if rssi_dbm >= least), 1)
    return Signal(bars, f"{rssi_dbm:.0f} dBm".replace("-", "−"))


def heard_lines(
    sightings: Iterable[Sighting], town: Registry, words: Words, now: datetime, *, wanted: str = ""
) -> list[HeardLine]:
    """Who is heard and belongs to nobody here, who came last at the front; `wanted` is a part of an address."""
    by_device: dict[str, list[Sighting]] = {}
    for each in sightings:
        if now - each.device.at < FORGOTTEN_AFTER and not _adopted(town, each.device.device):
            by_device.setdefault(each.device.device, []).append(each)
    needle = bare(wanted)
    found = [known for address, known in by_device.items() if needle in bare(address)]
    found.sort(key=lambda known: (min(each.first_at for each in known), known[0].device.device), reverse=True)
    return [_line(known, town, words, now) for known in found[:MOST_SHOWN]]


def bare(address: str) -> str:
    """An address as it is compared: whatever case, whatever is between its digits."""
    return "".join(character for character in address.casefold() if character.isalnum())


def age(at: datetime | None, words: Words, now: datetime) -> str:
    """How long ago something was."""
    if at is None:
        return words.never
    seconds = max(0, round((now - at).total_seconds()))
    for least, size, form in (
        (86_400, 86_400, words.ago_days),
        (3_600, 3_600, words.ago_hours),
        (90, 60, words.ago_min),
    ):
        if seconds >= least:
            return form.format(n=seconds // size)
    return words.ago_s.format(n=seconds)


def _adopted(town: Registry, address: str) -> bool:
    known = town.devices.get(address)
    return known is not None and known.gateway is not None


def _line(known: list[Sighting], town: Registry, words: Words, now: datetime) -> HeardLine:
    best = max(known, key=lambda each: (_strength(each), each.gateway))
    last = max(each.device.at for each in known)
    gateway = town.gateways.get(best.gateway)
    return HeardLine(
        address=best.device.device,
        gateway=best.gateway,
        gateway_label=best.gateway if gateway is None else gateway.label,
        link=best.device.link,
        hint=best.device.hint or "",
        signal=signal(best.device.rssi_dbm, words),
        age=age(last, words, now),
        frames=sum(each.frames for each in known),
        others=len(known) - 1,
    )


def _strength(each: Sighting) -> float:
    return NO_SIGNAL if each.device.rssi_dbm is None else each.device.rssi_dbm
