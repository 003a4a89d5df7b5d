"""What the simulator encodes from the sheets by itself, the codecs read back: sensors on cables and on Bluetooth."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.devices import catalogue
from edge.drivers.formats import modbus_rtu
from edge.readings import (
    AnyReading,
    DecodeError,
    Health,
    Knowledge,
    Presence,
    Range,
    Total,
    Track,
)
from firmware_sim.encoders import (
    benewake,
    bthome_v2,
    hlk_ld2410,
    hlk_ld2450,
    modbus_register,
)
from tests.read_back import (
    ADDRESS,
    decoded,
    health_of,
    presence,
    street_c,
    uint8,
    uint16,
    uint32,
    versions,
)

energy = st.integers(0, 100)

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
