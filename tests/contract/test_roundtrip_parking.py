"""What the simulator encodes from the sheets by itself, the codecs read back: parking sensors on LoRaWAN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readings import (
    Health,
    Knowledge,
    Presence,
    Range,
    Total,
)
from firmware_sim.encoders import (
    bosch_tps110,
    dingtek_parking,
    netvox_r719a,
    nwave_nps310,
    nwave_nps405,
    pni_placepod,
    tekzitel_tekzipark,
)
from tests.read_back import decoded, health_of, int8, int16, presence, street_c, uint8, uint16, uint32, versions


@given(occupied=st.booleans(), temperature_c=street_c)
def test_tps110_states(occupied: bool, temperature_c: int) -> None:
    assert decoded("bosch-tps110", bosch_tps110.parking_status(occupied), 1) == [presence(occupied)]
    heartbeat = bosch_tps110.heartbeat(occupied, temperature_c)
    assert decoded("bosch-tps110", heartbeat, 2) == [presence(occupied), Health(temperature_c=temperature_c)]


@given(occupied=st.booleans(), codes=st.lists(st.integers(0, 0xFFF), max_size=3), patch=uint8)
def test_tps110_start_up_of_029(occupied: bool, codes: list[int], patch: int) -> None:
    words = bosch_tps110.start_up_words_029(codes)
    start_up = bosch_tps110.start_up(occupied, firmware=(0, 29, patch), debug_words=words)
    told, health = decoded("bosch-tps110", start_up, 3)
    assert told == presence(occupied)
    assert isinstance(health, Health)
    assert (health.firmware, health.reset) == (f"0.29.{patch}", "power_on")
    assert list((health.diagnostics or {}).values()) == [code for code in codes if code]


@given(code=st.integers(0, 0xFFF), sequence=uint16, uptime_s=uint32)
def test_tps110_debug(code: int, sequence: int, uptime_s: int) -> None:
    expected = {"debug_code": code, "debug_sequence": sequence, "uptime_s": uptime_s}
    old = decoded("bosch-tps110", bosch_tps110.debug_029(code, sequence, uptime_s), 6, Knowledge(firmware="0.29.2"))
    frame = bosch_tps110.debug_039(code, sequence, uptime_s)
    new = decoded("bosch-tps110", frame, 6, Knowledge(firmware="0.39.2"))
    started = decoded("bosch-tps110", bosch_tps110.start_up(True, debug_words=frame + b"\0\0"), 3)
    assert health_of(old).diagnostics == health_of(new).diagnostics == health_of(started).diagnostics == expected


@given(
    selector=st.sampled_from([0, 1, 3, 4, 6]),
    value=uint32,
    uplinks=st.lists(st.integers(0, 2**24 - 1), min_size=6, max_size=6),
)
def test_tps110_usage(selector: int, value: int, uplinks: list[int]) -> None:
    figure = health_of(decoded("bosch-tps110", bosch_tps110.figure(selector, value), 5))
    sent = health_of(decoded("bosch-tps110", bosch_tps110.uplinks_sent(uplinks), 5))
    assert list((figure.diagnostics or {}).values()) == [value]
    assert list((sent.diagnostics or {}).values()) == uplinks


@given(occupied=st.booleans(), minutes=st.integers(0, 10_000))
def test_nps405_states_and_how_long_the_one_before_lasted(occupied: bool, minutes: int) -> None:
    (told,) = decoded("nwave-nps405", nwave_nps405.parking_status(occupied, minutes), 1)
    assert isinstance(told, Presence)
    assert told.occupied is occupied
    assert told.previous_state_s is not None
    longest_s = float("inf") if minutes >= 660 else told.previous_state_s + (told.previous_state_error_s or 0)
    assert told.previous_state_s <= minutes * 60 <= longest_s
    assert (told.previous_state_error_s is None) == (minutes >= 660)


@given(
    occupied=st.booleans(),
    battery=st.integers(0, 255),
    half_degrees=int8,
    hardware=st.integers(0, 63),
)
def test_nps405_heartbeats(occupied: bool, battery: int, half_degrees: int, hardware: int) -> None:
    battery_mv, temperature_c = 2500 + 4 * battery, half_degrees / 2 + 10
    heartbeat = nwave_nps405.heartbeat(occupied, battery_mv, temperature_c, health=hardware)
    told, health = decoded("nwave-nps405", heartbeat, 2)
    assert told == presence(occupied)
    assert isinstance(health, Health)
    assert (health.battery_v, health.temperature_c) == (battery_mv / 1000, temperature_c)
    assert (health.fault is not None) == bool(hardware)


@given(tag=st.binary(min_size=4, max_size=4), minutes=st.integers(0, 700))
def test_nps405_never_tells_a_driver_s_tag(tag: bytes, minutes: int) -> None:
    registration = nwave_nps405.tag_registration(minutes, tag)
    status = nwave_nps405.parking_status(True, minutes)
    assert decoded("nwave-nps405", registration, 10) == decoded("nwave-nps405", status, 1)


@given(occupied=st.booleans(), version=versions)
def test_nwave_start_ups(occupied: bool, version: tuple[int, int, int]) -> None:
    expected = [presence(occupied), Health(firmware=".".join(map(str, version)), reset="power_on")]
    assert decoded("nwave-nps405", nwave_nps405.start_up(occupied, firmware=version), 3) == expected
    assert decoded("nwave-nps310", nwave_nps310.start_up(occupied, firmware=version), 3) == expected


@given(occupied=st.booleans())
def test_nps310_states(occupied: bool) -> None:
    assert decoded("nwave-nps310", nwave_nps310.parking_status(occupied), 1) == [presence(occupied)]
    assert decoded("nwave-nps310", nwave_nps310.heartbeat(occupied), 2) == [presence(occupied)]


@given(occupied=st.booleans(), total=st.integers(0, 1000), centivolts=st.integers(0, 5000), keep_alive=st.booleans())
def test_placepod_records(occupied: bool, total: int, centivolts: int, keep_alive: bool) -> None:
    uplink = (
        pni_placepod.battery(centivolts * 10)
        + pni_placepod.vehicle_count(total, keep_alive=keep_alive)
        + pni_placepod.parking_status(occupied, keep_alive=keep_alive)
    )
    assert decoded("pni-placepod", uplink, pni_placepod.PORT) == [
        presence(occupied),
        Total(channel="line1", mode="vehicle", in_=total % 128, bits=7),
        Health(battery_v=centivolts / 100),
    ]


@given(tenths_c=st.integers(-600, 1000), sign_magnitude=st.booleans())
def test_placepod_temperatures_of_both_kinds_of_firmware(tenths_c: int, sign_magnitude: bool) -> None:
    record = pni_placepod.temperature(tenths_c, sign_magnitude=sign_magnitude)
    assert decoded("pni-placepod", record, 2) == [Health(temperature_c=tenths_c / 10)]


@given(occupied=st.booleans(), tenths_v=st.integers(0, 127), low=st.booleans())
def test_r719a_states(occupied: bool, tenths_v: int, low: bool) -> None:
    assert decoded("netvox-r719a", netvox_r719a.status(occupied, tenths_v, battery_low=low), 6) == [
        presence(occupied),
        Health(battery_v=tenths_v / 10, battery_low=low),
    ]


@given(software=uint8, hardware=uint8, minimum_s=uint16, maximum_s=uint16, change=uint8)
def test_r719a_versions_and_settings(software: int, hardware: int, minimum_s: int, maximum_s: int, change: int) -> None:
    version = health_of(decoded("netvox-r719a", netvox_r719a.version(software, hardware, "20261122"), 6))
    answer = netvox_r719a.report_configuration(minimum_s, maximum_s, change)
    settings = health_of(decoded("netvox-r719a", answer, 7))
    assert version.firmware == f"{software / 10:.1f}"
    assert version.diagnostics == {"hardware_version": hardware, "date_code": "20261122"}
    assert settings.diagnostics == {
        "minimum_period_s": minimum_s,
        "maximum_period_s": maximum_s,
        "battery_change_v": change / 10,
    }


@given(
    occupied=st.booleans(),
    good=st.booleans(),
    obstructed=st.booleans(),
    by_radar=st.booleans(),
    reset=st.booleans(),
    keep_alive=st.booleans(),
    temperature_c=st.integers(-60, 125),
    parking_id=uint8,
)
def test_tekzipark_states(
    occupied: bool,
    good: bool,
    obstructed: bool,
    by_radar: bool,
    reset: bool,
    keep_alive: bool,
    temperature_c: int,
    parking_id: int,
) -> None:
    flags = tekzitel_tekzipark.flags(
        occupied, battery_good=good, obstructed=obstructed, by_radar=by_radar, reset=reset, keep_alive=keep_alive
    )
    assert decoded("tekzitel-tekzipark", tekzitel_tekzipark.state(flags, temperature_c, parking_id), 1) == [
        presence(occupied),
        Health(
            battery_low=not good,
            temperature_c=temperature_c,
            fault="radar obstructed" if obstructed else None,
            reset="other" if reset else None,
            diagnostics={"keep_alive": keep_alive, "by_radar": by_radar, "parking_id": parking_id},
        ),
    ]


@given(rssi_dbm=int8, beacons=st.lists(uint16, max_size=5), others=st.lists(uint16, max_size=5))
def test_tekzipark_never_tells_which_beacons_it_heard(rssi_dbm: int, beacons: list[int], others: list[int]) -> None:
    state = tekzitel_tekzipark.state(tekzitel_tekzipark.flags(True), 20, 1)
    heard = [
        decoded("tekzitel-tekzipark", tekzitel_tekzipark.with_beacons(state, rssi_dbm, ids), 1)
        for ids in (beacons, others)
    ]
    assert heard[0] == heard[1]


@given(magnetic=st.lists(int8, min_size=6, max_size=6), fault=uint8, obstruction=uint8, reflection=uint8)
def test_tekzipark_debug(magnetic: list[int], fault: int, obstruction: int, reflection: int) -> None:
    state = tekzitel_tekzipark.state(tekzitel_tekzipark.flags(False), 20, 1)
    frame = tekzitel_tekzipark.debug(state, magnetic, fault, obstruction, reflection)
    health = health_of(decoded("tekzitel-tekzipark", frame, 2))
    assert list((health.diagnostics or {}).values())[3:] == [*magnetic, obstruction, reflection]
    assert health.fault == (f"fault code {fault}" if fault else None)


@pytest.mark.parametrize(
    ("model", "device_type"),
    [
        ("dingtek-do200", dingtek_parking.DO200),
        ("dingtek-do201", dingtek_parking.DO201),
        ("dingtek-do202", dingtek_parking.DO202),
    ],
)
@given(
    occupied=st.booleans(),
    low=st.booleans(),
    distance_mm=uint16,
    battery_cv=st.integers(0, 5000),
    magnetic=st.tuples(int16, int16, int16),
    temperature_c=st.integers(-40, 85),
    counter=uint16,
)
def test_dingtek_measurements(
    model: str,
    device_type: int,
    occupied: bool,
    low: bool,
    distance_mm: int,
    battery_cv: int,
    magnetic: tuple[int, int, int],
    temperature_c: int,
    counter: int,
) -> None:
    frame = dingtek_parking.measurement(
        device_type,
        occupied,
        distance_mm=distance_mm,
        battery_cv=battery_cv,
        battery_low=low,
        magnetic=magnetic,
        temperature_c=temperature_c,
        counter=counter,
    )
    told, *ranges, health = decoded(model, frame, 3)
    assert told == presence(occupied)
    assert ranges == ([Range(mm=distance_mm)] if distance_mm and model != "dingtek-do202" else [])
    assert isinstance(health, Health)
    assert (health.battery_v, health.battery_low) == (battery_cv / 100, low)
    assert health.temperature_c == (None if model == "dingtek-do200" else temperature_c)
    diagnostics = health.diagnostics or {}
    assert tuple(diagnostics[f"magnetic_{axis}_mgs"] for axis in "xyz") == magnetic
    assert diagnostics["frame_counter"] == counter
