"""Reading fixed fields out of a frame, with errors that name the byte."""

from collections.abc import Mapping
from datetime import datetime

from edge.readings import CLOCK_SET, DecodeError, Frame, Knowledge

COLDEST_C, HOTTEST_C = -60.0, 125.0
"""What electronics in a street can report of itself; beyond it the value is wrong, whatever the frame says."""
HIGHEST_SUPPLY_V = 50.0
"""What any battery or supply of a sensor in a street stays below."""


def require_length(model: str, frame: Frame, *allowed: int) -> None:
    """Raise `DecodeError` at the first missing or first surplus byte unless the payload has one of these lengths."""
    if len(frame.payload) not in allowed:
        raise wrong_length(model, frame, *allowed)


def wrong_length(model: str, frame: Frame, *allowed: int) -> DecodeError:
    """The error for a payload that has none of the lengths allowed."""
    actual = len(frame.payload)
    expected = " or ".join(str(length) for length in allowed)
    if actual < max(allowed):
        reason = f"too short: expected {expected} bytes, got {actual}, first missing byte {actual}"
        return DecodeError(model, reason, port=frame.port, offset=actual)
    surplus = max(allowed)
    reason = f"too long: expected {expected} bytes, got {actual}, first surplus byte {surplus}"
    return DecodeError(model, reason, port=frame.port, offset=surplus)


def unknown_port(model: str, frame: Frame, known: str) -> DecodeError:
    """The error for an fPort that the sheet does not list, or that is missing."""
    wrong = "no fPort given" if frame.port is None else "unknown fPort"
    return DecodeError(model, f"{wrong}: expected {known}", port=frame.port)


def unsigned(payload: bytes, offset: int, width: int = 2) -> int:
    """An unsigned big-endian integer of `width` bytes at `offset`."""
    return int.from_bytes(payload[offset : offset + width], "big")


def signed(payload: bytes, offset: int, width: int = 2) -> int:
    """A two's-complement big-endian integer of `width` bytes at `offset`."""
    return int.from_bytes(payload[offset : offset + width], "big", signed=True)


def celsius(value: float) -> float | None:
    """The temperature in degrees Celsius, or None when nothing in a street can have it."""
    return value if COLDEST_C <= value <= HOTTEST_C else None


def celsius_note(value: float) -> str | None:
    """The note that goes with a temperature that `celsius` withheld."""
    return None if celsius(value) is not None else f"impossible temperature {value:g} °C left out"


def volts(value: float) -> float | None:
    """The supply voltage, or None when no sensor of ours can have it."""
    return value if 0 <= value <= HIGHEST_SUPPLY_V else None


def volts_note(value: float) -> str | None:
    """The note that goes with a voltage that `volts` withheld."""
    return None if volts(value) is not None else f"impossible voltage {value:g} V left out"


def percent(value: float) -> float | None:
    """The percentage, or None when it is beyond 0 to 100."""
    return value if 0 <= value <= 100 else None


def percent_note(value: float) -> str | None:
    """The note that goes with a percentage that `percent` withheld."""
    return None if percent(value) is not None else f"impossible percentage {value:g} % left out"


def clock_note(at: datetime, knowledge: Knowledge) -> str | None:
    """Why a device's own time dates nothing; None when it does."""
    if at < CLOCK_SET:
        return f"clock not set: {at:%Y-%m-%d} left out"
    if knowledge.latest is not None and at > knowledge.latest:
        return f"clock ahead: {at:%Y-%m-%d} left out"
    return None


def notes(*parts: str | None) -> str | None:
    """Several notes as one, those that are None left out."""
    return "; ".join(part for part in parts if part) or None


def figures(payload: bytes, layout: Mapping[str, tuple[int, int]]) -> dict[str, int | float | bool | str]:
    """Unsigned big-endian figures by name, each laid out as (offset, width in bytes)."""
    return {name: unsigned(payload, offset, width) for name, (offset, width) in layout.items()}
