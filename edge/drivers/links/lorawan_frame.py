"""LoRaWAN 1.0.x uplink data frames of devices activated by personalization, for modems without a network server.

In come the bytes off the air, the keys of a device and the last counter taken from it; out comes the payload, verified
and decrypted, or a `Rejected` that says why. Pure.
Content with a wrong MIC or an old counter never comes out.
Source: LoRaWAN Specification 1.0.x, chapters 4.1 to 4.4.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from hmac import compare_digest

DATA_UP = (0x40, 0x80)
"""Unconfirmed and confirmed."""
JOIN_REQUEST = 0x00
SHORTEST = 12
HEADER_LENGTH = 8
MIC_LENGTH = 4
GREATEST_LOSS = 16_384
"""A greater step of the counter (MAX_FCNT_GAP) is suspicious, though the MIC is right."""
FIRST_CONTACT_HALVES = range(16)
"""High halves of the counter to try for a device of which none is known: a million frames, years of reporting."""


class Why(StrEnum):
    """The names that rejected frames are counted under."""

    MALFORMED = "bad-lorawan-frame"
    UNKNOWN_DEVICE = "unknown-device"
    WRONG_MIC = "wrong-mic"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The two session keys of an ABP device, 16 bytes each."""

    nwk_skey: bytes = field(repr=False)
    app_skey: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A frame whose MIC is right and whose counter is new."""

    dev_addr: str
    """8 hexadecimal digits, lower case, most significant first, as labels show it."""
    counter: int
    """32 bits."""
    port: int | None
    """FPort; None when the frame carries no payload field. 0 is for the network, not for a codec."""
    payload: bytes
    lost: int
    """Frames missed since the last counter; 0 at first contact."""

    @property
    def suspicious(self) -> bool:
        """The counter stepped further than the specification allows."""
        return self.lost >= GREATEST_LOSS


@dataclass(frozen=True, slots=True)
class Rejected:
    """Bytes that yield nothing."""

    why: Why
    reason: str
    dev_addr: str | None = None
    """As the frame claims it; None when it is too malformed to say."""


@dataclass(frozen=True, slots=True)
class DataFrame:
    """The fields of an uplink as they are on the air, still encrypted."""

    dev_addr: str
    low_counter: int
    port: int | None
    encrypted: bytes
    signed: bytes
    """All bytes before the MIC."""
    mic: bytes

    @property
    def address(self) -> bytes:
        """DevAddr as it is on the air, least significant byte first."""
        return self.signed[1:5]


def open_frame(
    phy: bytes, keys_of: Callable[[str], SessionKeys | None], last_counter_of: Callable[[str], int | None]
) -> Opened | Rejected:
    """Parse, verify and decrypt one PHYPayload. Both functions are asked by DevAddr (8 hexadecimal digits)."""
    frame = parse(phy)
    if isinstance(frame, Rejected):
        return frame
    keys = keys_of(frame.dev_addr)
    if keys is None:
        return Rejected(Why.UNKNOWN_DEVICE, f"no keys for DevAddr {frame.dev_addr}", frame.dev_addr)
    last = last_counter_of(frame.dev_addr)
    counter = _signed_counter(frame, keys.nwk_skey, _candidates(frame.low_counter, last))
    if counter is None:
        return Rejected(Why.WRONG_MIC, "MIC is wrong: another network's frame, a wrong key or forged", frame.dev_addr)
    if last is not None and counter <= last:
        reason = f"counter {counter}, expected more than {last}: a repeat, or a device that restarted its counter"
        return Rejected(Why.REPLAY, reason, frame.dev_addr)
    return Opened(
        dev_addr=frame.dev_addr,
        counter=counter,
        port=frame.port,
        payload=_decrypt(frame, keys, counter),
        lost=0 if last is None else counter - last - 1,
    )


def parse(phy: bytes) -> DataFrame | Rejected:
    """The fields of an uplink, nothing verified."""
    if phy[:1] == bytes([JOIN_REQUEST]):
        return _malformed(0, "a join request: OTAA needs a network server; activate the device by personalization")
    if phy and phy[0] not in DATA_UP:
        return _malformed(0, f"MHDR 0x{phy[0]:02x}, expected 0x40 or 0x80 (data up)")
    if len(phy) < SHORTEST:
        return _malformed(len(phy), f"{len(phy)} bytes, expected at least {SHORTEST}")
    body = phy[:-MIC_LENGTH]
    options_end = HEADER_LENGTH + (phy[5] & 0x0F)
    if options_end > len(body):
        return _malformed(5, f"FOptsLen {phy[5] & 0x0F}, only {len(body) - HEADER_LENGTH} bytes follow")
    return DataFrame(
        dev_addr=phy[4:0:-1].hex(),
        low_counter=int.from_bytes(phy[6:8], "little"),
        port=body[options_end] if options_end < len(body) else None,
        encrypted=body[options_end + 1 :],
        signed=body,
        mic=phy[-MIC_LENGTH:],
    )


def _malformed(offset: int, reason: str) -> Rejected:
    return Rejected(Why.MALFORMED, f"byte {offset}: {reason}")


def _candidates(low: int, last: int | None) -> Iterable[int]:
    """What 16 bits may stand for: with the stored high half, and with the next one if they did not go forward."""
    if last is None:
        return [high << 16 | low for high in FIRST_CONTACT_HALVES]
    same = (last & ~0xFFFF) | low
    following = same + 0x1_0000
    return [same] if same > last or following > 0xFFFF_FFFF else [same, following]


def _signed_counter(frame: DataFrame, nwk_skey: bytes, candidates: Iterable[int]) -> int | None:
    """The counter that the MIC was made with."""
    return next((counter for counter in candidates if _verified(frame, nwk_skey, counter)), None)


def _verified(frame: DataFrame, nwk_skey: bytes, counter: int) -> bool:
    from edge.drivers.formats.ciphers import cmac  # brings 8 MB that a gateway without keys does not hold

    mic = cmac(nwk_skey, _block(0x49, frame.address, counter, len(frame.signed)) + frame.signed)[:MIC_LENGTH]
    return compare_digest(mic, frame.mic)


def _decrypt(frame: DataFrame, keys: SessionKeys, counter: int) -> bytes:
    """AES in counter mode from A1 on, whose last byte counts blocks; FPort 0 is encrypted with the network's key."""
    key = keys.nwk_skey if frame.port == 0 else keys.app_skey
    from edge.drivers.formats.ciphers import counter_mode  # brings 8 MB that a gateway without keys does not hold

    return counter_mode(key, _block(0x01, frame.address, counter, 1), frame.encrypted)


def _block(first: int, address: bytes, counter: int, last: int) -> bytes:
    """B0 of the MIC and A1, A2, … of the cipher differ in their first and last byte only; 0 is the direction up."""
    return bytes([first, 0, 0, 0, 0, 0]) + address + counter.to_bytes(4, "little") + bytes([0, last])
