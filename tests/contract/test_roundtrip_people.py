"""What the simulator's people counters encode is what the codecs read: two authors, one sheet."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drivers.devices import catalogue
from edge.readings import AnyReading, DeviceAddress, Delta, Frame, Health, Knowledge, Total
from firmware_sim.encoders import parametric_pcr2

U8, U16, U32 = st.integers(0, 2**8 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
BYTE_PCT = st.integers(0, 100)
TENTHS_C = st.integers(-600, 1250).map(lambda tenths: tenths / 10)
VERSION = st.tuples(U8, U8, U8)
LINE, MODE = "line1", "pedestrian"

Configuration = Callable[[tuple[int, int, int], int, int, int], bytes]

round_trip = settings(deadline=None, max_examples=50)


def decode(model: str, payload: bytes, port: int) -> list[AnyReading]:
    frame = Frame(device=DeviceAddress("24e124fffef00001"), payload=payload, port=port)
    return catalogue()[model].decode(frame, Knowledge())


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


@round_trip
@given(U16, U16, U16, U16, st.integers(1, 50_000), U16, TENTHS_C)
def test_pcr2_counts_v4(
    ltr: int, rtl: int, total_ltr: int, total_rtl: int, battery_mv: int, panel_mw: int, temperature_c: float
) -> None:
    payload = parametric_pcr2.counts_v4(ltr, rtl, total_ltr, total_rtl, battery_mv, panel_mw, temperature_c)
    assert decode("parametric-pcr2", payload, parametric_pcr2.COUNTS_PORT) == [
        Total(channel=LINE, mode=MODE, in_=total_ltr, out=total_rtl, bits=16),
        Delta(channel=LINE, mode=MODE, in_=ltr, out=rtl),
        Health(battery_v=battery_mv / 1000, temperature_c=temperature_c, diagnostics={"panel_mw": panel_mw}),
    ]


@round_trip
@given(U16, U16, U16, U16, st.integers(1, 100), U16, TENTHS_C)
def test_pcr2_counts_v3(
    ltr: int, rtl: int, total_ltr: int, total_rtl: int, battery_pct: int, panel_mw: int, temperature_c: float
) -> None:
    payload = parametric_pcr2.counts_v3(ltr, rtl, total_ltr, total_rtl, battery_pct, panel_mw, temperature_c)
    assert decode("parametric-pcr2", payload, parametric_pcr2.COUNTS_PORT) == [
        Total(channel=LINE, mode=MODE, in_=total_ltr, out=total_rtl, bits=16),
        Delta(channel=LINE, mode=MODE, in_=ltr, out=rtl),
        Health(battery_pct=battery_pct, temperature_c=temperature_c, diagnostics={"panel_mw": panel_mw}),
    ]


@round_trip
@given(U16, U16, TENTHS_C)
def test_pcr2_elsys_counts(ltr: int, rtl: int, temperature_c: float) -> None:
    payload = parametric_pcr2.counts_elsys(ltr, rtl, temperature_c)
    assert decode("parametric-pcr2", payload, parametric_pcr2.COUNTS_PORT) == [
        Delta(channel=LINE, mode=MODE, in_=ltr, out=rtl),
        Health(temperature_c=temperature_c),
    ]


@pytest.mark.parametrize("encode", [parametric_pcr2.configuration_v2, parametric_pcr2.configuration_v4])
@round_trip
@given(VERSION, U16, U16, BYTE_PCT)
def test_pcr2_configuration(
    encode: Configuration, firmware: tuple[int, int, int], interval: int, link_check: int, sensitivity: int
) -> None:
    payload = encode(firmware, interval, link_check, sensitivity)
    (health,) = decode("parametric-pcr2", payload, parametric_pcr2.CONFIGURATION_PORT)
    assert isinstance(health, Health)
    assert (health.reset, health.firmware) == ("rejoin", dotted(firmware))
    told = health.diagnostics or {}
    assert (told["interval_min"], told["link_check_min"], told["sensitivity_pct"]) == (
        interval,
        link_check,
        sensitivity,
    )


def test_pcr2_refuses_to_encode_what_does_not_fit() -> None:
    with pytest.raises(OverflowError):
        parametric_pcr2.counts_v4(65536, 0, 0, 0, 0, 0, 20.0)
    with pytest.raises(struct.error):
        parametric_pcr2.configuration_v2((1, 0, 0), 65536, 0, 0)
