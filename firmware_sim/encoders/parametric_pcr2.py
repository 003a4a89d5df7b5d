"""What a Parametric PCR2 puts on the air: counts on fPort 14, its configuration on fPort 190 after a restart.

In come counts and states, out go big-endian bytes as "PCR2 LoRaWAN payload" V2 to V4 lay them out. Values beyond a
field's width raise `OverflowError`; totals are the caller's to wrap at 65536, as the device does.
"""

COUNTS_PORT = 14
CONFIGURATION_PORT = 190
TOTAL_MODULUS = 65536

Version = tuple[int, int, int]
"""Major, minor, patch."""


def counts_v4(
    ltr: int, rtl: int, total_ltr: int, total_rtl: int, battery_mv: int, panel_mw: int, temperature_c: float
) -> bytes:
    """Extended payload V4, 17 bytes: counts of the period, totals, solar charger (0 and 0 without one), temperature."""
    counts = b"\xbe\x01\x04" + _counts(ltr, rtl, total_ltr, total_rtl)
    return counts + _word(battery_mv) + _word(panel_mw) + _celsius(temperature_c)


def counts_v3(
    ltr: int, rtl: int, total_ltr: int, total_rtl: int, battery_pct: int, panel_mw: int, temperature_c: float
) -> bytes:
    """Extended payload V3, 16 bytes: as V4, with the battery in percent."""
    counts = b"\xbe\x01\x03" + _counts(ltr, rtl, total_ltr, total_rtl)
    return counts + battery_pct.to_bytes(1, "big") + _word(panel_mw) + _celsius(temperature_c)


def counts_elsys(ltr: int, rtl: int, temperature_c: float) -> bytes:
    """ELSYS-style records, 9 bytes: counts of the period and temperature, no totals."""
    return b"\x0a" + _word(ltr) + b"\x16" + _word(rtl) + b"\x01" + _celsius(temperature_c)


def configuration_v2(firmware: Version, interval_min: int, link_check_min: int, sensitivity_pct: int) -> bytes:
    """Configuration V2, 14 bytes without a header: mode, payload type, confirmation and hold-off are 0."""
    settings = _word(interval_min) + _word(link_check_min) + _word(0) + sensitivity_pct.to_bytes(1, "big")
    return bytes((0, *firmware, 0, 0, 0)) + settings


def configuration_v4(firmware: Version, interval_min: int, link_check_min: int, sensitivity_pct: int) -> bytes:
    """Configuration V4, 31 bytes: payload type 2 (extended), everything else 0."""
    common = bytes((0xBE, 0x01, 0x04, 0, *firmware, 0, 2, 0, 0)) + _word(interval_min) + _word(link_check_min)
    return common + bytes(15) + sensitivity_pct.to_bytes(1, "big")


def _counts(*counts: int) -> bytes:
    return b"".join(_word(count) for count in counts)


def _word(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _celsius(value: float) -> bytes:
    return round(value * 10).to_bytes(2, "big", signed=True)
