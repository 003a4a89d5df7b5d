"""What a technician sees of sensors that gateways hear and nobody adopted. Pure.

In come devices that are heard, out come lines: one for each that is nobody's, at the gateway that hears it best.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from cloud_api.provisioning.heard import HeardView
from cloud_api.registry import Registry
from cloud_api.web.technician.words import Words

FORGOTTEN_AFTER: Final = timedelta(hours=6)
MOST_SHOWN: Final = 60
BARS: Final = ((-75.0, 4), (-95.0, 3), (-110.0, 2))
"""From so many dBm on, so many bars of four."""


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
    heard: Iterable[HeardView], town: Registry, words: Words, now: datetime, *, wanted: str = ""
) -> list[HeardLine]:
    """Who is heard and belongs to nobody here, who came last at the front; `wanted` is a part of an address."""
    needle = bare(wanted)
    found = [
        each
        for each in heard
        if each.gateway is None and now - each.last_at < FORGOTTEN_AFTER and needle in bare(each.address)
    ]
    found.sort(key=lambda each: (each.first_at, each.address), reverse=True)
    return [_line(each, town, words, now) for each in found[:MOST_SHOWN]]


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


def _line(heard: HeardView, town: Registry, words: Words, now: datetime) -> HeardLine:
    best = heard.by[0]
    gateway = town.gateways.get(best.gateway)
    return HeardLine(
        address=heard.address,
        gateway=best.gateway,
        gateway_label=best.gateway if gateway is None else gateway.label,
        link=best.link,
        hint=heard.hint or "",
        signal=signal(best.rssi_dbm, words),
        age=age(heard.last_at, words, now),
        frames=sum(each.frames for each in heard.by),
        others=len(heard.by) - 1,
    )
