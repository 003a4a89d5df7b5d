"""What a captured frame says, for people. Pure."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from cloud_api.provisioning.evidence import Delta, Event, Health, Presence, Reading, Total, seen
from cloud_api.web.technician.hearing import Signal, age, signal
from cloud_api.web.technician.words import Words
from edge.messages import CapturedFrame


class FrameLine(Struct, frozen=True, kw_only=True):
    """One frame."""

    age: str
    signal: Signal
    snr: str
    says: tuple[str, ...]
    problem: str
    payload: str


def frame_lines(frames: Sequence[CapturedFrame], words: Words, now: datetime) -> list[FrameLine]:
    """Each frame with what it says, oldest first."""
    return [
        FrameLine(
            age=age(each.at, words, now),
            signal=signal(each.frame.rssi_dbm, words),
            snr="" if each.frame.snr_db is None else f"{each.frame.snr_db:.0f} dB".replace("-", "−"),
            says=tuple(_says(reading, words) for reading in each.readings),
            problem=each.frame.problem or "",
            payload=each.frame.payload,
        )
        for each in seen(frames)
    ]


def _says(reading: Reading, words: Words) -> str:
    match reading:
        case Presence():
            return words.occupied if reading.occupied else words.free
        case Total():
            return words.says_total.format(
                first=_count(reading.in_), second=_count(reading.out), channel=reading.channel
            )
        case Delta():
            return words.says_delta.format(first=reading.in_, second=_count(reading.out), channel=reading.channel)
        case Event():
            return words.says_event_in if reading.direction == "in" else words.says_event_out
        case Health():
            return _health(reading, words)


def _health(reading: Health, words: Words) -> str:
    battery = reading.battery_pct if reading.battery_pct is not None else reading.battery_v
    unit = "%" if reading.battery_pct is not None else "V"
    parts = [] if battery is None else [words.battery_is.format(value=f"{battery:g} {unit}")]
    if reading.fault:
        parts.append(words.fault_is.format(fault=reading.fault))
    return ", ".join(parts) or words.says_alive


def _count(value: int | None) -> str:
    return "–" if value is None else str(value)
