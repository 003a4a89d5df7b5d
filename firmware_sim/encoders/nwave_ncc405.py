"""What an Nwave NCC-4.5 vehicle counter puts on the air: its counter, a heartbeat, a start-up.

In come counts and states, out go big-endian bytes. Values beyond a field's width raise `OverflowError` or `ValueError`.
Source: Nwave decoder of The Things Network's device repository (vendor/nwave/ncc405).
"""

COUNTER_PORT, HEARTBEAT_PORT, START_UP_PORT = 1, 2, 3
TOTAL_MODULUS = 65536


def counter(total: int) -> bytes:
    """2 bytes on the counter port."""
    return total.to_bytes(2, "big")


def heartbeat(battery_mv: int, mean_24h_mv: int, health: int = 0) -> bytes:
    """3 bytes on the heartbeat port; voltages from 2500 to 3520 mV in steps of 4, health in 7 bits (0 is healthy)."""
    return bytes((health, (battery_mv - 2500) // 4, (mean_24h_mv - 2500) // 4))


def start_up(firmware: tuple[int, int, int], cause: int) -> bytes:
    """4 bytes on the start-up port; causes: 0 rejoin, 1 watchdog, 2 power-on, 3 request, 6 brown-out, 7 other."""
    return bytes((*firmware, cause))
