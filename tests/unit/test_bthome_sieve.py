"""What the sieve makes of advertisements that no sensor sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.links.base import Refused, Stranger
from edge.drivers.links.bthome_sieve import TOLD_AT_MOST, TOLD_EVERY_MS, Heard, Sieve
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress, Frame

KEYED = DeviceAddress("54:48:E6:8F:80:A5")
PLAIN = DeviceAddress("A4:C1:38:00:00:01")
UNKNOWN = DeviceAddress("A4:C1:38:00:00:99")


class Adopted:
    """Two adopted devices, one with a key."""

    def settings(self, device: DeviceAddress) -> DeviceSettings | None:
        keys = {KEYED: "231d39c1d7cc1ab1aee224cd096db932", PLAIN: None}
        return DeviceSettings(address=device, model="bthome-v2", key=keys[device]) if device in keys else None

    def last_counter(self, device: DeviceAddress) -> int | None:
        return 5 if device == KEYED else None


def heard(device: DeviceAddress, payload: bytes, at_ms: int = 0) -> Heard:
    return Heard(device=device, payload=payload, heard_ms=at_ms)


@given(
    st.sampled_from([KEYED, PLAIN, UNKNOWN]), st.lists(st.tuples(st.binary(max_size=40), st.booleans()), max_size=20)
)
def test_any_bytes_are_a_frame_or_named_and_never_an_error(
    device: DeviceAddress, advertised: list[tuple[bytes, bool]]
) -> None:
    sieve = Sieve(Adopted())
    for payload, version_1 in advertised:
        items = sieve.sift(Heard(device=device, payload=payload, heard_ms=0, version_1=version_1))
        assert len(items) <= 2
        assert all(isinstance(item, Frame | Refused | Stranger) for item in items)


@given(st.binary(min_size=10, max_size=40))
def test_no_forged_encrypted_message_is_a_frame(rest: bytes) -> None:
    items = Sieve(Adopted()).sift(heard(KEYED, b"\x41" + rest))
    assert [type(item) for item in items] == [Refused, Stranger]


@pytest.mark.parametrize("payload", ["", "e1", "41", "410203040506", "4300"])
def test_a_frame_with_no_room_for_a_counter_is_left_to_the_codec_to_refuse(payload: str) -> None:
    [frame] = Sieve(Adopted()).sift(heard(KEYED, bytes.fromhex(payload)))
    assert isinstance(frame, Frame)
    assert frame.counter is None


def test_invented_addresses_fill_no_memory_and_hide_no_stranger() -> None:
    sieve = Sieve(Adopted())
    told = [sieve.sift(heard(DeviceAddress(f"00:00:00:00:{n:04X}"), b"\x40")) for n in range(2 * TOLD_AT_MOST)]
    assert all(len(items) == 1 for items in told)
    assert len(sieve._told_ms) == TOLD_AT_MOST


def test_a_stranger_is_told_again_when_its_time_has_come() -> None:
    sieve = Sieve(Adopted())
    times = [0, 1, TOLD_EVERY_MS - 1, TOLD_EVERY_MS, TOLD_EVERY_MS + 1]
    assert [len(sieve.sift(heard(UNKNOWN, b"\x40\x09\x01", at))) for at in times] == [1, 0, 0, 1, 0]
