"""What Nwave's parking sensors (NPS405, NPS310) have in common: one space, the same ports, the same start-up frame.

In comes an uplink's byte or frame, out come `Presence` and `Health`. A driver's tag id is never read.
Source: Nwave decoders of The Things Network's device repository (vendor/nwave).
"""

from collections.abc import Mapping

from edge.drivers.formats.fields import require_length
from edge.readings import AnyReading, Frame, Health, Presence, ResetCause

SPACE = "1"
STATUS_PORT, HEARTBEAT_PORT, START_UP_PORT, DEBUG_PORT, TAG_PORT = 1, 2, 3, 6, 10
START_UP_LENGTH = 5


def presence(status: int) -> Presence:
    """The state that bit 0 of a status byte tells."""
    return Presence(channel=SPACE, occupied=bool(status & 1))


def start_up(model: str, frame: Frame, causes: Mapping[int, ResetCause]) -> list[AnyReading]:
    """fPort 3: firmware, reset cause (its number kept where the sheet has no name for it) and state."""
    require_length(model, frame, START_UP_LENGTH)
    major, minor, patch, number, status = frame.payload
    health = Health(
        firmware=f"{major}.{minor}.{patch}",
        reset=causes.get(number, ResetCause.OTHER),
        diagnostics=None if number in causes else {"reset_cause": number},
    )
    return [presence(status), health]


def debug(model: str, frame: Frame) -> list[AnyReading]:
    """fPort 6: undocumented, kept raw."""
    if not frame.payload:
        require_length(model, frame, 1)
    return [Health(note="debug message kept raw: undocumented", diagnostics={"raw": frame.payload.hex()})]
