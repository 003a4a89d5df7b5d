"""LoRaWAN data frames: the specification's rules, two computed examples, and a round trip with the other encoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.links.lorawan_frame import Opened, Rejected, SessionKeys, Why, open_frame
from firmware_sim.links.lorawan import Session, aes_cmac, uplink

KEYS = SessionKeys(bytes(range(16)), bytes(range(16, 32)))
SESSION = Session("260b1234", KEYS.nwk_skey, KEYS.app_skey)
OCCUPIED_65537 = bytes.fromhex("4034120b2600010001706a101b95")


def _open(phy: bytes, last: int | None = None, keys: SessionKeys | None = KEYS) -> Opened | Rejected:
    return open_frame(phy, lambda _: keys, lambda _: last)


def _opened(phy: bytes, last: int | None = None, keys: SessionKeys | None = KEYS) -> Opened:
    result = _open(phy, last, keys)
    assert isinstance(result, Opened), result
    return result


def _rejected(phy: bytes, last: int | None = None, keys: SessionKeys | None = KEYS) -> Rejected:
    result = _open(phy, last, keys)
    assert isinstance(result, Rejected), result
    return result


def test_the_public_example_opens() -> None:
    keys = SessionKeys(
        bytes.fromhex("44024241ed4ce9a68c6a8bc055233fd3"), bytes.fromhex("ec925802ae430ca77fd3dd73cb2cc588")
    )
    opened = _opened(bytes.fromhex("40F17DBE4900020001954378762B11FF0D"), last=1, keys=keys)
    assert opened == Opened(dev_addr="49be7df1", counter=2, port=1, payload=b"test", lost=0)


def test_the_high_half_of_the_counter_is_found_by_the_mic() -> None:
    expected = Opened(dev_addr="260b1234", counter=65_537, port=1, payload=b"\x95", lost=0)
    assert _opened(OCCUPIED_65537, last=65_536) == expected
    assert _opened(OCCUPIED_65537, last=None) == expected
    assert _opened(OCCUPIED_65537, last=65_535).lost == 1


def test_a_counter_two_high_halves_on_is_a_wrong_mic() -> None:
    assert _rejected(uplink(SESSION, 0x2_0001, 1, b"\x95"), last=5).why is Why.WRONG_MIC


def test_the_same_and_older_counters_are_replays() -> None:
    assert _rejected(OCCUPIED_65537, last=65_537).why is Why.REPLAY
    older = _rejected(uplink(SESSION, 7, 1, b"\x95"), last=5_000)
    assert older.why is Why.REPLAY
    assert "counter 7, expected more than 5000" in older.reason


def test_a_gap_is_counted_and_beyond_16384_suspicious() -> None:
    assert not _opened(uplink(SESSION, 16_384, 1, b"x"), last=0).suspicious
    far = _opened(uplink(SESSION, 16_385, 1, b"x"), last=0)
    assert (far.lost, far.suspicious) == (16_384, True)


def test_an_unknown_device_is_named() -> None:
    rejected = _rejected(OCCUPIED_65537, keys=None)
    assert (rejected.why, rejected.dev_addr) == (Why.UNKNOWN_DEVICE, "260b1234")


def test_the_last_counter_of_all_is_followed_by_none() -> None:
    assert _rejected(uplink(SESSION, 1, 1, b"x"), last=0xFFFF_FFFF).why is Why.WRONG_MIC


@pytest.mark.parametrize(
    ("phy", "reason"),
    [
        ("", "byte 0: 0 bytes, expected at least 12"),
        ("4034120b26000100aabbcc", "byte 11: 11 bytes, expected at least 12"),
        ("4034120b260f0100aabbccdd", "byte 5: FOptsLen 15, only 0 bytes follow"),
        ("6034120b26000100aabbccdd", "byte 0: MHDR 0x60, expected 0x40 or 0x80 (data up)"),
        ("00" + "11" * 22, "byte 0: a join request: OTAA needs a network server"),
    ],
)
def test_what_is_no_uplink_names_its_first_wrong_byte(phy: str, reason: str) -> None:
    rejected = _rejected(bytes.fromhex(phy))
    assert rejected.why is Why.MALFORMED
    assert rejected.reason.startswith(reason)
    assert rejected.dev_addr is None


def test_keys_are_not_shown() -> None:
    assert "0b" not in repr(KEYS)


counters = st.integers(0, 0xFFFF_FFFF)


@given(
    counter=counters,
    behind=st.integers(1, 0xFFFF),
    port=st.integers(0, 255),
    payload=st.binary(max_size=222),
    confirmed=st.booleans(),
    mac_commands=st.binary(max_size=15),
)
def test_what_the_other_encoder_wrote_opens(
    counter: int, behind: int, port: int, payload: bytes, *, confirmed: bool, mac_commands: bytes
) -> None:
    phy = uplink(SESSION, counter, port, payload, confirmed=confirmed, mac_commands=mac_commands)
    last = counter - behind if counter >= behind else None
    assert _opened(phy, last) == Opened(
        dev_addr="260b1234", counter=counter, port=port, payload=payload, lost=0 if last is None else behind - 1
    )


@given(counter=st.integers(1, 100), bit=st.integers(0, 8 * 20 - 1))
def test_a_flipped_bit_never_opens(counter: int, bit: int) -> None:
    phy = bytearray(uplink(SESSION, counter, 1, b"seven b"))
    phy[bit // 8] ^= 1 << bit % 8
    assert isinstance(_open(bytes(phy), last=counter - 1), Rejected)


@given(st.binary(max_size=64), st.none() | counters)
def test_any_bytes_open_or_are_rejected(phy: bytes, last: int | None) -> None:
    assert isinstance(_open(phy, last), Opened | Rejected)


def test_a_frame_without_a_port_is_a_sign_of_life() -> None:
    opened = _opened(uplink(SESSION, 3, None, mac_commands=b"\x02"), last=2)
    assert (opened.port, opened.payload) == (None, b"")


@pytest.mark.parametrize(
    ("message", "mac"),
    [
        ("", "bb1d6929e95937287fa37d129b756746"),
        ("6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c"),
    ],
)
def test_the_simulators_cmac_is_that_of_rfc_4493(message: str, mac: str) -> None:
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    assert aes_cmac(key, bytes.fromhex(message)).hex() == mac


def test_the_encoder_refuses_what_no_frame_can_carry() -> None:
    with pytest.raises(ValueError, match="needs a port"):
        uplink(SESSION, 1, None, b"x")
    with pytest.raises(ValueError, match="15 bytes"):
        uplink(SESSION, 1, 1, mac_commands=bytes(16))
