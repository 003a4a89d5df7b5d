"""The BLE link hears BTHome sensors through the real bleak scanner, a real message bus and a stand-in for BlueZ."""

import logging

import pytest

from edge.drivers.links.base import Refused, Report, Stranger
from edge.drivers.links.ble import HELD_AT_MOST, BleConfig
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress, Frame, Health
from firmware_sim.links.bluez import PrivateBus
from tests.ble_street import PLAIN, SEALED, Adopted, payloads, plain, play, sealed, street
from tests.bus import bus as bus

UNKNOWN = DeviceAddress("A4:C1:38:00:00:99")
PASSER_BY = "6E:11:22:33:44:55"
WORKED_EXAMPLE = bytes.fromhex("41a47266c95f730011223378237214")
"""The format description's encrypted example: 25.06 °C, 50.55 %."""
USER_DATA_UUID = "0000181c-0000-1000-8000-00805f9b34fb"
FAST_PAIR_UUID = "0000fe2c-0000-1000-8000-00805f9b34fb"
SILENCE_MS = 24 * 3_600_000


def refusals(items: list[object]) -> list[str]:
    return [item.name for item in items if isinstance(item, Refused)]


def strangers(items: list[object]) -> list[Stranger]:
    return [item for item in items if isinstance(item, Stranger)]


def test_a_plain_advertisement_becomes_a_frame(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(PLAIN, plain(96, packet=9), rssi=-71)
            items = await here.until_payload(plain(96, packet=9))
            assert items == [Frame(device=PLAIN, payload=plain(96, packet=9), heard_ms=here.clock.now_ms, rssi_dbm=-71)]

    play(scene())


def test_an_encrypted_advertisement_becomes_a_frame_with_its_counter(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(SEALED, WORKED_EXAMPLE, rssi=-80)
            [frame] = await here.until_payload(WORKED_EXAMPLE)
            assert isinstance(frame, Frame)
            assert (frame.device, frame.counter) == (SEALED, 0x33221100)

    play(scene())


@pytest.mark.parametrize("scanning", ["active", "passive"])
def test_both_ways_of_scanning_hear_new_values_of_a_known_device(bus: PrivateBus, scanning: str) -> None:
    async def scene() -> None:
        config = BleConfig(name="ble", scanning="passive" if scanning == "passive" else "active")
        async with street(bus, config=config) as here:
            for count in range(1, 4):
                await here.air.advertise(PLAIN, plain(count, packet=count), rssi=-70)
            items = await here.until_payload(plain(3, packet=3))
            assert payloads(items) == [plain(count, packet=count) for count in range(1, 4)]

    play(scene())


def test_a_message_advertised_three_times_is_one_frame(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            for message in (plain(1, packet=1), plain(2, packet=2)):
                for _ in range(3):
                    await here.air.advertise(PLAIN, message, rssi=-70)
            await here.air.advertise(SEALED, sealed(1, counter=1), rssi=-70)
            await here.air.advertise(SEALED, sealed(1, counter=1), rssi=-70)
            await here.air.advertise(SEALED, sealed(2, counter=2), rssi=-70)
            items = await here.until_payload(sealed(2, counter=2))
            expected = [plain(1, packet=1), plain(2, packet=2), sealed(1, counter=1), sealed(2, counter=2)]
            assert payloads(items) == expected
            assert here.link.repeats == 5

    play(scene())


def test_a_recorded_message_played_again_is_refused(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            for message in (sealed(1, counter=7), sealed(2, counter=8), sealed(1, counter=7)):
                await here.air.advertise(SEALED, message, rssi=-70)
            items = await here.until(lambda items: len(items) == 3)
            assert payloads(items) == [sealed(1, counter=7), sealed(2, counter=8)]
            assert refusals(items) == ["replay"]

    play(scene())


def test_a_message_older_than_the_durable_counter_is_refused_after_a_restart(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus, Adopted(counters={SEALED: 1000})) as here:
            await here.air.advertise(SEALED, sealed(1, counter=999), rssi=-70)
            await here.air.advertise(SEALED, sealed(1, counter=1001), rssi=-70)
            items = await here.until_payload(sealed(1, counter=1001))
            assert refusals(items) == ["replay"]
            assert payloads(items) == [sealed(1, counter=1001)]

    play(scene())


def test_a_counter_that_restarts_after_a_long_silence_is_noted_and_begins_a_session(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(SEALED, sealed(1, counter=5000), rssi=-70)
            await here.until_payload(sealed(1, counter=5000))
            here.clock.now_ms += SILENCE_MS
            await here.air.advertise(SEALED, sealed(2, counter=1), rssi=-70)
            before, note, after = await here.until_payload(sealed(2, counter=1))
            assert isinstance(note, Report)
            assert isinstance(note.readings[0], Health)
            assert isinstance(before, Frame)
            assert isinstance(after, Frame)
            assert before.session != after.session

    play(scene())


def test_a_forged_message_moves_no_counter(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            forged = sealed(9, counter=0xFFFFFFFF, key=bytes(16))
            await here.air.advertise(SEALED, sealed(1, counter=1), rssi=-70)
            await here.air.advertise(SEALED, forged, rssi=-70)
            await here.air.advertise(SEALED, sealed(2, counter=2), rssi=-70)
            items = await here.until_payload(sealed(2, counter=2))
            assert payloads(items) == [sealed(1, counter=1), sealed(2, counter=2)]
            assert refusals(items) == ["wrong-mic"]
            assert [stranger.hint for stranger in strangers(items)] == ["BTHome v2, wrong key"]

    play(scene())


def test_a_device_nobody_adopted_is_told_once_in_ten_seconds(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            for count in range(5):
                await here.air.advertise(UNKNOWN, plain(count, packet=count), rssi=-90)
            await here.air.advertise(PLAIN, plain(1, packet=1), rssi=-70)
            items = await here.until_payload(plain(1, packet=1))
            assert strangers(items) == [Stranger(device=UNKNOWN, hint="BTHome v2", models=("bthome-v2",), rssi_dbm=-90)]
            here.clock.now_ms += 10_000
            await here.air.advertise(UNKNOWN, sealed(1, counter=1, address=UNKNOWN), rssi=-91)
            items = await here.until(lambda items: len(strangers(items)) == 2)
            assert strangers(items)[1].hint == "BTHome v2, needs a key"

    play(scene())


def test_an_adopted_device_without_key_is_told_to_need_one(bus: PrivateBus) -> None:
    async def scene() -> None:
        keyless = Adopted((DeviceSettings(address=SEALED, model="bthome-v2"),))
        async with street(bus, keyless) as here:
            await here.air.advertise(SEALED, WORKED_EXAMPLE, rssi=-70)
            items = await here.until(bool)
            assert items == [
                Stranger(device=SEALED, hint="BTHome v2, needs a key", models=("bthome-v2",), rssi_dbm=-70)
            ]

    play(scene())


def test_a_passer_by_leaves_no_trace(bus: PrivateBus, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(PASSER_BY, b"\x01\x02\x03", rssi=-60, uuid=FAST_PAIR_UUID)
            await here.air.advertise(PASSER_BY, b"\x04\x05\x06", rssi=-61, uuid=FAST_PAIR_UUID)
            await here.air.advertise(PASSER_BY, b"a name", rssi=-62, uuid=USER_DATA_UUID)
            await here.air.advertise(PLAIN, plain(1, packet=1), rssi=-70)
            items = await here.until_payload(plain(1, packet=1))
            assert refusals(items) == ["bthome-v1"]
            assert payloads(items) == [plain(1, packet=1)]
            assert len(items) == 2
            assert all(PASSER_BY not in repr(item) and "a name" not in repr(item) for item in items)

    with caplog.at_level(logging.DEBUG):
        play(scene())
    assert PASSER_BY.replace(":", "_") not in caplog.text
    assert PASSER_BY not in caplog.text


def test_an_adopted_device_that_speaks_version_1_is_refused_by_name(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            await here.air.advertise(PLAIN, b"\x02\x00\x09", rssi=-60, uuid=USER_DATA_UUID)
            [refused] = await here.until(bool)
            assert isinstance(refused, Refused)
            assert (refused.name, refused.device, refused.data) == ("bthome-v1", PLAIN, b"\x02\x00\x09")

    play(scene())


def test_what_a_busy_gateway_cannot_hold_is_counted(bus: PrivateBus) -> None:
    async def scene() -> None:
        async with street(bus) as here:
            here.open_gate.clear()
            surplus = 4
            for counter in range(1, HELD_AT_MOST + surplus + 2):
                await here.air.advertise(SEALED, sealed(counter % 256, counter), rssi=-70)
            here.open_gate.set()
            items = await here.until(lambda items: bool(refusals(items)) and len(payloads(items)) > HELD_AT_MOST)
            assert refusals(items) == ["overflow"]

    play(scene())
