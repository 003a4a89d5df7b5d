"""Bosch TPS110 uplinks, firmware 0.39 unless said otherwise: one function per fPort.

In come states and figures, out come payloads. Source: Bosch TPS110 decoders tpl110-0292 and tpl110-0392
(TheThingsNetwork/lorawan-devices).
"""

from collections.abc import Sequence

STATUS_PORT, HEARTBEAT_PORT, START_UP_PORT, INFORMATION_PORT, USAGE_PORT, DEBUG_PORT, ALERT_PORT = range(1, 8)
POWER_ON = 2


def parking_status(occupied: bool) -> bytes:
    """fPort 1, sent on change."""
    return bytes([occupied])


def heartbeat(occupied: bool, temperature_c: int | None = None) -> bytes:
    """fPort 2: the state again, with whole degrees from -128 to 127 where the firmware sends them."""
    return parking_status(occupied) + (b"" if temperature_c is None else temperature_alert(temperature_c))


def start_up(
    occupied: bool,
    *,
    firmware: tuple[int, int, int] = (0, 39, 2),
    reset_cause: int = POWER_ON,
    debug_words: bytes = bytes(12),
) -> bytes:
    """fPort 3: twelve bytes of debug words (`start_up_words_029`, or `debug_039` and two zeros), then the rest."""
    if len(debug_words) != 12:
        raise ValueError(f"expected 12 bytes of debug words, got {len(debug_words)}")
    return debug_words + bytes([*firmware, reset_cause, occupied])


def start_up_words_029(codes: Sequence[int]) -> bytes:
    """Up to three 12-bit debug codes as a start-up frame of firmware 0.29 carries them; 0 is none."""
    return b"".join(code.to_bytes(4, "little") for code in codes).ljust(12, b"\0")


def debug_029(code: int, sequence: int, uptime_s: int) -> bytes:
    """fPort 6 of firmware 0.29: all little-endian."""
    return uptime_s.to_bytes(4, "little") + code.to_bytes(4, "little") + sequence.to_bytes(2, "little")


def debug_039(code: int, sequence: int, uptime_s: int) -> bytes:
    """fPort 6 of firmware 0.39: the time little-endian, the rest big-endian."""
    return uptime_s.to_bytes(4, "little") + code.to_bytes(4, "big") + sequence.to_bytes(2, "big")


def figure(selector: int, value: int) -> bytes:
    """fPort 5, one usage figure: 0 status changes, 1 seconds occupied, 3 radar triggers, 4 and 6 seconds."""
    return bytes([selector]) + value.to_bytes(4, "big")


def uplinks_sent(by_rate: Sequence[int]) -> bytes:
    """fPort 5: uplinks sent at each of the six data rates DR0 to DR5."""
    return b"\x02" + b"".join(count.to_bytes(3, "big") for count in by_rate)


def temperature_alert(temperature_c: int) -> bytes:
    """fPort 7: whole degrees from -128 to 127."""
    return temperature_c.to_bytes(1, "big", signed=True)
