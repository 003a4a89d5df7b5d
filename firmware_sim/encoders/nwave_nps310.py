"""Nwave NPS310SM uplinks: one function per fPort.

In come states, out come payloads. Source: Nwave NPS310SM decoder (TheThingsNetwork/lorawan-devices).
"""

STATUS_PORT, HEARTBEAT_PORT, START_UP_PORT, DEBUG_PORT = 1, 2, 3, 6
POWER_ON = 2


def parking_status(occupied: bool) -> bytes:
    """fPort 1, sent on change."""
    return bytes([occupied])


def heartbeat(occupied: bool) -> bytes:
    """fPort 2: the state again."""
    return parking_status(occupied)


def start_up(occupied: bool, *, firmware: tuple[int, int, int] = (3, 1, 0), reset_cause: int = POWER_ON) -> bytes:
    """fPort 3."""
    return bytes([*firmware, reset_cause, occupied])
