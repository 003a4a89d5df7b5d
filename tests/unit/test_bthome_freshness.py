"""No message is new twice, and no recording is taken for one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.drivers.devices.bthome_v2 import decrypt
from edge.drivers.formats.bthome_freshness import (
    PACKET_MEMORY_MS,
    RESTART_SILENCE_MS,
    Freshness,
    Verdict,
    encryption_counter,
    packet_id,
)
from edge.readings import DecodeError, DeviceAddress


def plain(packet: int, state: int = 1) -> bytes:
    return bytes([0x40, 0x00, packet, 0x23, state])


def encrypted(counter: int) -> bytes:
    return b"\x41" + b"\xaa\xbb\xcc" + counter.to_bytes(4, "little") + b"mic!"


def after(*heard: tuple[bytes, int], last_counter: int | None = None) -> Freshness:
    freshness = Freshness(last_counter)
    for payload, now_ms in heard:
        freshness.accept(payload, now_ms)
    return freshness


def test_the_first_message_is_new() -> None:
    assert Freshness(None).accept(plain(200), 0) is Verdict.NEW
    assert Freshness(None).accept(encrypted(7), 0) is Verdict.NEW


def test_a_packet_id_heard_again_is_a_repeat_whatever_it_carries() -> None:
    assert after((plain(9), 0)).accept(plain(9, state=0), 3_000) is Verdict.REPEAT


def test_repeats_hold_the_message_for_as_long_as_they_go_on() -> None:
    assert after((plain(9), 0), (plain(9), 3_000)).accept(plain(9), 6_000) is Verdict.REPEAT


@given(last=st.integers(0, 255), ahead=st.integers(1, 63))
@example(last=255, ahead=63)
@example(last=0, ahead=63)
def test_a_packet_id_up_to_63_ahead_is_new(last: int, ahead: int) -> None:
    assert after((plain(last), 0)).accept(plain((last + ahead) % 256), 1) is Verdict.NEW


@given(last=st.integers(0, 255), ahead=st.integers(64, 255), waited_ms=st.integers(0, PACKET_MEMORY_MS))
@example(last=255, ahead=64, waited_ms=PACKET_MEMORY_MS)
@example(last=1, ahead=255, waited_ms=0)
def test_a_packet_id_further_ahead_is_an_old_one(last: int, ahead: int, waited_ms: int) -> None:
    assert after((plain(last), 0)).accept(plain((last + ahead) % 256), waited_ms) is Verdict.REPLAY


@given(packet=st.integers(0, 255))
def test_after_four_seconds_any_packet_id_is_new(packet: int) -> None:
    assert after((plain(9), 0)).accept(plain(packet), PACKET_MEMORY_MS + 1) is Verdict.NEW


def test_an_old_packet_does_not_lengthen_the_memory() -> None:
    freshness = after((plain(9), 0), (plain(8), 4_000))
    assert freshness.accept(plain(8), 4_001) is Verdict.NEW


def test_without_a_packet_id_the_same_bytes_are_a_repeat_for_four_seconds() -> None:
    free, taken = b"\x40\x23\x00", b"\x40\x23\x01"
    assert after((free, 0)).accept(free, 4_000) is Verdict.REPEAT
    assert after((free, 0)).accept(taken, 1) is Verdict.NEW
    assert after((free, 0), (free, 4_000)).accept(free, 4_001) is Verdict.NEW


def test_a_message_without_a_packet_id_after_one_with_it_is_judged_by_its_bytes() -> None:
    without = b"\x40\x23\x01"
    assert after((plain(9), 0)).accept(without, 1) is Verdict.NEW
    assert after((without, 0)).accept(plain(9), 1) is Verdict.NEW


def test_a_greater_counter_is_new_and_the_same_one_a_repeat() -> None:
    freshness = after((encrypted(1_000), 0))
    assert freshness.accept(encrypted(1_000), 100_000) is Verdict.REPEAT
    assert freshness.accept(encrypted(1_001), 100_001) is Verdict.NEW
    assert freshness.last_counter == 1_001


def test_the_counter_outlives_a_restart_of_the_gateway() -> None:
    assert Freshness(1_000).accept(encrypted(1_000), 0) is Verdict.REPEAT
    assert Freshness(1_000).accept(encrypted(999), 0) is Verdict.REPLAY


def test_a_low_counter_is_a_restart_only_after_silence() -> None:
    freshness = after((encrypted(1_000), 0))
    assert freshness.accept(encrypted(3), RESTART_SILENCE_MS - 1) is Verdict.REPLAY
    assert freshness.accept(encrypted(3), RESTART_SILENCE_MS) is Verdict.RESTARTED
    assert freshness.accept(encrypted(4), RESTART_SILENCE_MS + 1) is Verdict.NEW


def test_silence_is_measured_from_the_last_message_however_long_the_gateway_has_been_running() -> None:
    freshness = after((encrypted(1_000), 2 * RESTART_SILENCE_MS))
    assert freshness.accept(encrypted(3), 3 * RESTART_SILENCE_MS - 1) is Verdict.REPLAY
    assert freshness.accept(encrypted(99), 3 * RESTART_SILENCE_MS) is Verdict.RESTARTED


def test_a_lower_counter_that_is_not_low_is_never_a_restart() -> None:
    assert after((encrypted(1_000), 0)).accept(encrypted(100), 10 * RESTART_SILENCE_MS) is Verdict.REPLAY


def test_a_counter_that_rolls_over_is_a_restart_after_silence() -> None:
    assert after((encrypted(2**32 - 1), 0)).accept(encrypted(0), RESTART_SILENCE_MS) is Verdict.RESTARTED


@given(counters=st.lists(st.integers(0, 300), min_size=1), steps_ms=st.integers(0, 10_000))
def test_no_counter_is_new_twice_while_the_device_talks(counters: list[int], steps_ms: int) -> None:
    freshness = Freshness(None)
    taken = [
        counter
        for place, counter in enumerate(counters)
        if freshness.accept(encrypted(counter), place * min(steps_ms, RESTART_SILENCE_MS // 300)) is Verdict.NEW
    ]
    assert taken == sorted(set(taken))


def test_the_counter_and_the_packet_id_are_found_behind_an_address() -> None:
    address = bytes(6)
    assert encryption_counter(b"\x43" + address + encrypted(77)[1:]) == 77
    assert packet_id(b"\x42" + address + plain(5)[1:]) == 5


def test_the_shortest_message_that_holds_a_counter_or_a_packet_id_tells_it() -> None:
    assert encryption_counter(b"\x41\x01\x02\x03\x04mic!") == 0x04030201
    assert encryption_counter(b"\x41\x01\x02\x03mic!") is None
    assert packet_id(b"\x40\x00\x05") == 5
    assert packet_id(b"\x40\x00") is None


def test_what_has_neither_counter_nor_packet_id_has_none() -> None:
    assert encryption_counter(plain(1)) is None
    assert encryption_counter(b"\x40" + bytes(20)) is None
    assert packet_id(b"\x41\x00\x05") is None
    assert encryption_counter(b"\x41\x01\x02") is None
    assert packet_id(encrypted(1)) is None
    assert packet_id(b"\x40\x23\x01") is None
    assert packet_id(b"") is None


def test_a_sealed_message_opens_with_its_key_and_address() -> None:
    sealed = bytes.fromhex("41 a47266c95f73 00112233 78237214")
    key = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
    assert decrypt(sealed, DeviceAddress("54:48:E6:8F:80:A5"), key) == bytes.fromhex("02ca09 03bf13")


def test_a_plain_frame_is_never_decrypted() -> None:
    with pytest.raises(DecodeError, match="not encrypted") as refused:
        decrypt(bytes.fromhex("400160"), DeviceAddress("54:48:E6:8F:80:A5"), bytes(16))
    assert refused.value.offset == 0
