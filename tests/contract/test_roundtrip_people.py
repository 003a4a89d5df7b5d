"""What the simulator's people counters encode is what the codecs read: two authors, one sheet."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from edge.readings import CLOCK_SET, Delta, Health, Presence, Total
from firmware_sim.encoders import (
    dingtek_people,
    milesight,
    nwave_ncc405,
    parametric_pcr2,
    pmx_tcr,
)
from firmware_sim.encoders import imbuildings_people_counter as imbuildings
from firmware_sim.encoders import terabee_people_counting as terabee
from tests.read_back import decoded, uint8, uint16, uint32, versions

BYTE_PCT = st.integers(0, 100)
TENTHS_C = st.integers(-600, 1250).map(lambda tenths: tenths / 10)
LINES = st.integers(1, 4)
UNIX_S = st.integers(int(CLOCK_SET.timestamp()), 2**32 - 1)
LINE, MODE = "line1", "pedestrian"
DEV_EUI = "24e124fffef00001"
TERABEE = "terabee-people-counting-l-xl"

Configuration = Callable[[tuple[int, int, int], int, int, int], bytes]


def instant(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


@given(uint16, uint16, uint16, uint16, st.integers(1, 50_000), uint16, TENTHS_C)
def test_pcr2_counts_v4(
    ltr: int, rtl: int, total_ltr: int, total_rtl: int, battery_mv: int, panel_mw: int, temperature_c: float
) -> None:
    payload = parametric_pcr2.counts_v4(ltr, rtl, total_ltr, total_rtl, battery_mv, panel_mw, temperature_c)
    assert decoded("parametric-pcr2", payload, parametric_pcr2.COUNTS_PORT) == [
        Total(channel=LINE, mode=MODE, in_=total_ltr, out=total_rtl, bits=16),
        Delta(channel=LINE, mode=MODE, in_=ltr, out=rtl),
        Health(battery_v=battery_mv / 1000, temperature_c=temperature_c, diagnostics={"panel_mw": panel_mw}),
    ]


@given(uint16, uint16, uint16, uint16, st.integers(1, 100), uint16, TENTHS_C)
def test_pcr2_counts_v3(
    ltr: int, rtl: int, total_ltr: int, total_rtl: int, battery_pct: int, panel_mw: int, temperature_c: float
) -> None:
    payload = parametric_pcr2.counts_v3(ltr, rtl, total_ltr, total_rtl, battery_pct, panel_mw, temperature_c)
    assert decoded("parametric-pcr2", payload, parametric_pcr2.COUNTS_PORT) == [
        Total(channel=LINE, mode=MODE, in_=total_ltr, out=total_rtl, bits=16),
        Delta(channel=LINE, mode=MODE, in_=ltr, out=rtl),
        Health(battery_pct=battery_pct, temperature_c=temperature_c, diagnostics={"panel_mw": panel_mw}),
    ]


@given(uint16, uint16, TENTHS_C)
def test_pcr2_elsys_counts(ltr: int, rtl: int, temperature_c: float) -> None:
    payload = parametric_pcr2.counts_elsys(ltr, rtl, temperature_c)
    assert decoded("parametric-pcr2", payload, parametric_pcr2.COUNTS_PORT) == [
        Delta(channel=LINE, mode=MODE, in_=ltr, out=rtl),
        Health(temperature_c=temperature_c),
    ]


@pytest.mark.parametrize("encode", [parametric_pcr2.configuration_v2, parametric_pcr2.configuration_v4])
@given(versions, uint16, uint16, BYTE_PCT)
def test_pcr2_configuration(
    encode: Configuration, firmware: tuple[int, int, int], interval: int, link_check: int, sensitivity: int
) -> None:
    payload = encode(firmware, interval, link_check, sensitivity)
    (health,) = decoded("parametric-pcr2", payload, parametric_pcr2.CONFIGURATION_PORT)
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
    with pytest.raises(OverflowError):
        parametric_pcr2.configuration_v2((1, 0, 0), 65536, 0, 0)


@pytest.mark.parametrize("children", [False, True])
@given(LINES, uint32, uint32, uint16, uint16)
def test_vs133_line(children: bool, line: int, total_in: int, total_out: int, period_in: int, period_out: int) -> None:
    payload = milesight.frame(
        milesight.line_totals(line, total_in, total_out, children=children),
        milesight.line_period(line, period_in, period_out, children=children),
    )
    channel, mode = f"line{line}", "child" if children else MODE
    assert decoded("milesight-vs133", payload, milesight.PORT) == [
        Total(channel=channel, mode=mode, in_=total_in, out=total_out, bits=32),
        Delta(channel=channel, mode=mode, in_=period_in, out=period_out),
    ]


@given(UNIX_S, LINES, uint16, uint16)
def test_vs135_history_carries_its_own_time(unix_s: int, line: int, period_in: int, period_out: int) -> None:
    payload = milesight.line_history(unix_s, line, period_in, period_out)
    assert decoded("milesight-vs135", payload, milesight.PORT) == [
        Delta(at=instant(unix_s), channel=f"line{line}", mode=MODE, in_=period_in, out=period_out)
    ]


@given(st.tuples(uint8, uint8, uint8, uint8), uint8, st.booleans())
def test_vs133_regions_and_lens(counts: tuple[int, int, int, int], node: int, raised: bool) -> None:
    payload = milesight.frame(milesight.region_people(counts), milesight.lens_alarm(node, raised=raised))
    *present, health = decoded("milesight-vs133", payload, milesight.PORT)
    assert present == [Presence(channel=f"region{n}", occupied=count > 0) for n, count in enumerate(counts, 1)]
    assert isinstance(health, Health)
    assert (health.fault is not None) == raised


@pytest.mark.parametrize("model", ["milesight-vs350", "milesight-vs351"])
@given(uint16, uint16, uint16, uint16, BYTE_PCT, TENTHS_C)
def test_passage_counters(
    model: str, total_in: int, total_out: int, period_in: int, period_out: int, percent: int, celsius: float
) -> None:
    payload = milesight.frame(
        milesight.battery(percent),
        milesight.temperature(celsius),
        milesight.passage_totals(total_in, total_out),
        milesight.passage_period(period_in, period_out),
        milesight.started(),
    )
    assert decoded(model, payload, milesight.PORT) == [
        Total(channel=LINE, mode=MODE, in_=total_in, out=total_out, bits=16),
        Delta(channel=LINE, mode=MODE, in_=period_in, out=period_out),
        Health(battery_pct=percent, temperature_c=celsius, reset="power_on"),
    ]


@given(UNIX_S, uint16, uint16, uint16, uint16, BYTE_PCT, BYTE_PCT)
def test_vs360_history_and_batteries(
    unix_s: int, period_in: int, period_out: int, total_in: int, total_out: int, main: int, node: int
) -> None:
    payload = milesight.frame(
        milesight.passage_history(unix_s, period_in, period_out, total_in, total_out),
        milesight.battery(main),
        milesight.node_battery(node),
    )
    assert decoded("milesight-vs360", payload, milesight.PORT) == [
        Delta(at=instant(unix_s), channel=LINE, mode=MODE, in_=period_in, out=period_out),
        Total(at=instant(unix_s), channel=LINE, mode=MODE, in_=total_in, out=total_out, bits=16),
        Health(battery_pct=min(main, node), diagnostics={"battery_main_pct": main, "battery_node_pct": node}),
    ]


@given(UNIX_S, uint16, uint16, uint16, uint16)
def test_vs121_crossings(unix_s: int, total_in: int, total_out: int, period_in: int, period_out: int) -> None:
    payload = milesight.frame(
        milesight.passage_period(period_in, period_out),
        milesight.cumulative(total_in, total_out),
        milesight.measured_at(unix_s),
    )
    assert decoded("milesight-vs121", payload, milesight.PORT) == [
        Delta(at=instant(unix_s), channel=LINE, mode=MODE, in_=period_in, out=period_out),
        Total(at=instant(unix_s), channel=LINE, mode=MODE, in_=total_in, out=total_out, bits=16),
    ]


@given(uint8, st.frozensets(st.integers(1, 16)))
def test_vs121_view(people: int, occupied: frozenset[int]) -> None:
    assert decoded("milesight-vs121", milesight.view(people, occupied, 16), milesight.PORT) == [
        Presence(channel="view", occupied=people > 0),
        *(Presence(channel=f"region{region}", occupied=region in occupied) for region in range(1, 17)),
        Health(diagnostics={"people": people}),
    ]


@pytest.mark.parametrize("headed", [False, True])
@given(st.tuples(uint16, uint16), st.tuples(uint16, uint16), st.integers(0, 5000), uint8, uint8.map(imbuildings.Sensor))
def test_imbuildings_counters(
    headed: bool,
    counts: tuple[int, int],
    totals: tuple[int, int],
    centivolts: int,
    number: int,
    sensor: imbuildings.Sensor,
) -> None:
    payload = imbuildings.counters(DEV_EUI, counts, totals, centivolts, number, sensor=sensor)
    sent, port = (payload, 1) if headed else (imbuildings.without_header(payload), 26)
    total, delta, health = decoded("imbuildings-people-counter", sent, port)
    assert total == Total(channel=LINE, mode=MODE, in_=totals[0], out=totals[1], bits=16)
    assert delta == Delta(channel=LINE, mode=MODE, in_=counts[0], out=counts[1])
    assert isinstance(health, Health)
    assert (health.battery_v, health.note) == (centivolts / 100, None)
    assert health.battery_low == (imbuildings.Sensor.BATTERY_LOW in sensor)
    assert health.reset == ("power_on" if imbuildings.Sensor.POWER_UP in sensor else None)
    assert health.diagnostics == {"sensor_status": sensor, "device_status": 0, "payload_counter": number}


@given(st.tuples(uint16, uint16), st.integers(0, 5000))
def test_imbuildings_totals_and_heartbeat(totals: tuple[int, int], centivolts: int) -> None:
    total, _ = decoded("imbuildings-people-counter", imbuildings.totals_only(DEV_EUI, totals), 9)
    assert total == Total(channel=LINE, mode=MODE, in_=totals[0], out=totals[1], bits=16)
    started = imbuildings.heartbeat(DEV_EUI, centivolts, imbuildings.Device.STARTED)
    (health,) = decoded("imbuildings-people-counter", started, 9)
    assert isinstance(health, Health)
    assert (health.battery_v, health.reset) == (centivolts / 100, "power_on")


@given(uint32, uint32, st.none() | st.integers(0, 15).map(terabee.Flags))
def test_terabee_counting(total_in: int, total_out: int, flags: terabee.Flags | None) -> None:
    total, *health = decoded(TERABEE, terabee.counting(total_in, total_out, flags), terabee.COUNTING_PORT)
    assert total == Total(channel=LINE, mode=MODE, in_=total_in, out=total_out, bits=32)
    assert [total] == decoded(TERABEE, terabee.read_back(total_in, total_out), terabee.COUNTER_PORT)
    assert bool(health) == (flags is not None)
    for told in health:
        assert isinstance(told, Health)
        assert (told.fault is None) == (flags in (terabee.Flags(0), terabee.Flags.WIFI_ON))


@given(st.lists(st.tuples(st.integers(0, 127), st.integers(0, 63)), max_size=20))
def test_terabee_area(points: list[tuple[int, int]]) -> None:
    expected = " ".join(f"{x},{y}" for x, y in points)
    assert decoded(TERABEE, terabee.area(points), terabee.AREA_PORT) == [
        Health(diagnostics={"counting_area": expected})
    ]


def test_terabee_reset() -> None:
    assert decoded(TERABEE, terabee.reset_acknowledged(), terabee.COUNTER_PORT) == [Health(reset="request")]


@pytest.mark.parametrize(("port", "mode"), [(13, "all"), (14, "cat1"), (15, "cat2"), (16, "cat3"), (17, "cat4")])
@given(st.integers(0, 23), st.integers(0, 59), st.integers(1, 65535), uint8, st.integers(1, 65535), uint8, uint8)
def test_pmx_counts(
    port: int, mode: str, hour: int, minute: int, ltr: int, ltr_kmh: int, rtl: int, rtl_kmh: int, decivolts: int
) -> None:
    told: dict[str, int | float | bool | str] = {
        f"{mode}_interval_end": f"{hour:02}:{minute:02}",
        f"{mode}_ltr_speed_kmh": ltr_kmh,
        f"{mode}_rtl_speed_kmh": rtl_kmh,
    }
    assert decoded("pmx-tcr", pmx_tcr.counts(hour, minute, ltr, ltr_kmh, rtl, rtl_kmh, decivolts), port) == [
        Delta(channel=LINE, mode=mode, in_=ltr, out=rtl),
        Health(battery_v=decivolts / 10, diagnostics=told),
    ]


@given(st.tuples(st.integers(0, 15), st.integers(0, 15), uint8))
def test_pmx_identity(firmware: tuple[int, int, int]) -> None:
    (health,) = decoded("pmx-tcr", pmx_tcr.identity(0, 1, 0, firmware), pmx_tcr.IDENTITY_PORT)
    assert isinstance(health, Health)
    assert (health.firmware, health.reset) == (dotted(firmware), "rejoin")


@given(uint16, st.integers(0, 255).map(lambda step: 2500 + 4 * step), st.integers(0, 127), versions)
def test_ncc405(total: int, battery_mv: int, code: int, firmware: tuple[int, int, int]) -> None:
    assert decoded("nwave-ncc405", nwave_ncc405.counter(total), nwave_ncc405.COUNTER_PORT) == [
        Total(channel=LINE, mode="vehicle", in_=total, bits=16)
    ]
    heartbeat = nwave_ncc405.heartbeat(battery_mv, battery_mv, code)
    (health,) = decoded("nwave-ncc405", heartbeat, nwave_ncc405.HEARTBEAT_PORT)
    assert isinstance(health, Health)
    assert (health.battery_v, health.fault is not None) == (battery_mv / 1000, code > 0)
    (started,) = decoded("nwave-ncc405", nwave_ncc405.start_up(firmware, 2), nwave_ncc405.START_UP_PORT)
    assert started == Health(firmware=dotted(firmware), reset="power_on")


@given(uint16, uint16, st.integers(-60, 125), st.integers(0, 5000), uint16, st.booleans())
def test_dingtek_counters(
    counted: int, left: int, celsius: int, centivolts: int, number: int, battery_low: bool
) -> None:
    one_way = Total(channel=LINE, mode=MODE, in_=counted, bits=16)
    health = Health(
        battery_v=centivolts / 100,
        battery_low=battery_low,
        diagnostics={"count_alarm": False, "frame_counter": number},
    )
    dc500 = dingtek_people.dc500(counted, centivolts, number, battery_low=battery_low)
    assert decoded("dingtek-dc500", dc500, dingtek_people.PORT) == [one_way, health]
    dc510 = dingtek_people.dc510(counted, celsius, centivolts, number, battery_low=battery_low)
    with_temperature = structs.replace(health, temperature_c=celsius)
    assert decoded("dingtek-dc510", dc510, dingtek_people.PORT) == [one_way, with_temperature]
    dc520 = dingtek_people.dc520(counted, left, 12, number)
    total, *_ = decoded("dingtek-dc520", dc520, dingtek_people.PORT)
    assert total == Total(channel=LINE, mode=MODE, in_=counted, out=left, bits=16)
