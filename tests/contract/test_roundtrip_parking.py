"""What the simulator encodes from the sheets by itself, the codecs read back: parking, serial and BLE sensors."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.devices import catalogue
from edge.drivers.formats import modbus_rtu
from edge.readings import (
    AnyReading,
    DecodeError,
    DeviceAddress,
    Frame,
    Health,
    Knowledge,
    Presence,
    Range,
    Total,
    Track,
)
from firmware_sim.encoders import (
    benewake,
    bosch_tps110,
    bthome_v2,
    dingtek_parking,
    hlk_ld2410,
    hlk_ld2450,
    modbus_register,
    netvox_r719a,
    nwave_nps310,
    nwave_nps405,
    pni_placepod,
    tekzitel_tekzipark,
)

ADDRESS = "54:48:E6:8F:80:A5"
uint8, uint16, uint32 = st.integers(0, 2**8 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
int8, int16 = st.integers(-128, 127), st.integers(-(2**15), 2**15 - 1)
energy = st.integers(0, 100)
street_c = st.integers(-60, 125)
versions = st.tuples(uint8, uint8, uint8)


def decoded(
    model: str, payload: bytes, port: int | None = None, knowledge: Knowledge | None = None
) -> list[AnyReading]:
    frame = Frame(device=DeviceAddress(ADDRESS), payload=payload, port=port)
    return catalogue()[model].decode(frame, knowledge or Knowledge())


def presence(occupied: bool) -> Presence:
    return Presence(channel="1", occupied=occupied)


def health_of(readings: list[AnyReading]) -> Health:
    (health,) = [reading for reading in readings if isinstance(reading, Health)]
    return health


targets = st.builds(
    hlk_ld2450.Target,
    x_mm=st.integers(-8000, 8000),
    y_mm=st.integers(0, 8000),
    speed_cm_s=st.integers(-1000, 1000),
    resolution_mm=st.sampled_from([320, 360]),
)


@given(seen=st.lists(targets, max_size=3))
def test_ld2450_targets(seen: list[hlk_ld2450.Target]) -> None:
    assert decoded("hlk-ld2450", hlk_ld2450.report(seen)) == [
        Track(slot=slot, x_mm=target.x_mm, y_mm=target.y_mm, speed_mm_s=target.speed_cm_s * 10)
        for slot, target in enumerate(seen)
    ]


@given(status=st.integers(1, 2**16 - 1))
def test_ld2450_refusals_are_faults(status: int) -> None:
    assert health_of(decoded("hlk-ld2450", hlk_ld2450.command_answer(0x0090, status))).fault is not None


@given(seen=st.lists(targets, max_size=3), cut=st.integers(0, 29))
def test_a_serial_frame_has_no_problem_and_the_length_its_framing_tells(
    seen: list[hlk_ld2450.Target], cut: int
) -> None:
    framing = catalogue()["hlk-ld2450"].framing
    frame = hlk_ld2450.report(seen)
    assert framing is not None
    assert framing.length(frame[:4]) == len(frame)
    assert framing.problem(frame) is None
    assert framing.problem(frame[:cut]) is not None


sights = st.builds(
    hlk_ld2410.Sight,
    moving=st.booleans(),
    still=st.booleans(),
    moving_cm=uint16,
    moving_energy=energy,
    still_cm=uint16,
    still_energy=energy,
    detection_cm=uint16,
)


def seen_by_ld2410(sight: hlk_ld2410.Sight) -> list[AnyReading]:
    readings: list[AnyReading] = [presence(sight.moving or sight.still)]
    if sight.moving:
        readings.append(Range(channel="moving", mm=sight.moving_cm * 10, strength=sight.moving_energy))
    if sight.still:
        readings.append(Range(channel="still", mm=sight.still_cm * 10, strength=sight.still_energy))
    return readings


@given(sight=sights)
def test_ld2410_basic(sight: hlk_ld2410.Sight) -> None:
    frame = hlk_ld2410.basic(sight)
    framing = catalogue()["hlk-ld2410"].framing
    assert decoded("hlk-ld2410", frame) == seen_by_ld2410(sight)
    assert framing is not None
    assert framing.length(frame[:6]) == len(frame)


gates = st.lists(energy, min_size=1, max_size=9)


@given(sight=sights, moving=gates, still=gates, retained=st.binary(max_size=4))
def test_ld2410_engineering(sight: hlk_ld2410.Sight, moving: list[int], still: list[int], retained: bytes) -> None:
    *readings, health = decoded("hlk-ld2410", hlk_ld2410.engineering(sight, moving, still, retained))
    assert readings == seen_by_ld2410(sight)
    assert isinstance(health, Health)
    assert health.diagnostics == {
        **{f"moving_gate_{gate}": value for gate, value in enumerate(moving)},
        **{f"still_gate_{gate}": value for gate, value in enumerate(still)},
        **({"retained": retained.hex()} if retained else {}),
    }


lidars = pytest.mark.parametrize("model", ["benewake-tfmini-plus", "benewake-tfmini-s", "benewake-tf-luna"])


@lidars
@given(distance_cm=st.integers(20, 800), strength=st.integers(100, 2**15), temperature_c=street_c)
def test_lidar_distances(model: str, distance_cm: int, strength: int, temperature_c: int) -> None:
    assert decoded(model, benewake.data(distance_cm, strength, temperature_c)) == [
        Range(mm=distance_cm * 10, strength=strength),
        Health(temperature_c=temperature_c),
    ]


@lidars
@given(distance=uint16, strength=st.integers(0, 99) | st.just(65535))
def test_lidars_see_nothing_by_a_weak_or_blinding_signal(model: str, distance: int, strength: int) -> None:
    assert not any(isinstance(reading, Range) for reading in decoded(model, benewake.data(distance, strength)))


@lidars
@given(version=versions)
def test_lidar_firmware(model: str, version: tuple[int, int, int]) -> None:
    firmware = ".".join(str(part) for part in version)
    assert decoded(model, benewake.firmware(*version)) == [Health(firmware=firmware)]


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


counts = st.sampled_from([8, 16, 32])


@given(total=uint32, bits=counts, packet=uint8)
def test_bthome_counts_wrap_at_their_width(total: int, bits: int, packet: int) -> None:
    message = bthome_v2.plain([bthome_v2.count(total, bits)], packet)
    assert decoded("bthome-v2", message) == [Total(channel="1", in_=total % 2**bits, bits=bits)]


@given(
    occupied=st.booleans(),
    percent=st.integers(0, 100),
    hundredths_c=st.integers(-6000, 12500),
    mm=uint16,
    at_s=st.integers(1_577_836_800, 2**32 - 1),
)
def test_bthome_objects(occupied: bool, percent: int, hundredths_c: int, mm: int, at_s: int) -> None:
    objects = [
        bthome_v2.unix_time(at_s),
        bthome_v2.distance(mm),
        bthome_v2.occupancy(occupied),
        bthome_v2.temperature(hundredths_c / 100),
        bthome_v2.battery(percent),
    ]
    at = datetime.fromtimestamp(at_s, UTC)
    assert decoded("bthome-v2", bthome_v2.plain(objects)) == [
        Presence(channel="1", occupied=occupied, at=at),
        Range(mm=mm, at=at),
        Health(battery_pct=percent, temperature_c=hundredths_c / 100, at=at),
    ]


@given(
    key=st.binary(min_size=16, max_size=16),
    counter=uint32,
    inside=st.booleans(),
    total=uint16,
    flipped=st.integers(0, 7),
)
def test_bthome_encryption(key: bytes, counter: int, inside: bool, total: int, flipped: int) -> None:
    objects = [bthome_v2.count(total)]
    message = bthome_v2.encrypted(objects, key, ADDRESS, counter, include_address=inside)
    expected = decoded("bthome-v2", bthome_v2.plain(objects))
    assert decoded("bthome-v2", message, knowledge=Knowledge(key=key)) == expected
    altered = message[:-1] + bytes([message[-1] ^ 1 << flipped])
    with pytest.raises(DecodeError, match="wrong MIC"):
        decoded("bthome-v2", altered, knowledge=Knowledge(key=key))


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


@given(unit=st.integers(1, 247), mm=st.integers(1, 2**16 - 1), tenths_c=st.integers(-600, 1250))
def test_modbus_answers(unit: int, mm: int, tenths_c: int) -> None:
    values = [mm, tenths_c % 65536]
    answer = modbus_register.registers(unit, values)
    knowledge = Knowledge(options={"unit": unit, "count": 2, "temperature_at": 1})
    assert decoded("modbus-register", answer, knowledge=knowledge) == [
        Range(mm=mm),
        Health(temperature_c=tenths_c / 10),
    ]
    assert answer == modbus_rtu.answer(unit, 3, values)


@given(unit=st.integers(1, 247), code=uint8)
def test_modbus_refusals_are_errors_with_their_code(unit: int, code: int) -> None:
    refusal = modbus_register.refusal(unit, code)
    assert refusal == modbus_rtu.refusal(unit, 3, code)
    with pytest.raises(DecodeError, match=f"refused, code {code}:"):
        decoded("modbus-register", refusal)
