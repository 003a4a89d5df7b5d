"""BTHome v2 service data, plain and encrypted, as a sensor of one's own making would send it under UUID 0xFCD2.

In come objects, out comes the service data after the UUID. Source: bthome.io/format, version 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

PLAIN, ENCRYPTED, WITH_MAC = 0x40, 0x41, 0x02
UUID_ON_AIR = b"\xd2\xfc"


@dataclass(frozen=True, slots=True)
class Object:
    """One measured value as it goes on the air."""

    id: int
    value: bytes


def count(value: int, bits: int = 16) -> Object:
    """A count that wraps at 2**bits; bits is 8, 16 or 32."""
    ids = {8: 0x09, 16: 0x3D, 32: 0x3E}
    return Object(ids[bits], (value % 2**bits).to_bytes(bits // 8, "little"))


def occupancy(occupied: bool) -> Object:
    """Whether somebody (or a car) is there."""
    return Object(0x23, bytes([occupied]))


def battery(percent: int) -> Object:
    """Battery, 0 to 100 %."""
    return Object(0x01, bytes([percent]))


def temperature(celsius: float) -> Object:
    """Temperature in steps of 0.01 °C."""
    return Object(0x02, round(celsius * 100).to_bytes(2, "little", signed=True))


def distance(millimetres: int) -> Object:
    """Distance, up to 65535 mm."""
    return Object(0x40, millimetres.to_bytes(2, "little"))


def channel(number: int) -> Object:
    """The number of the quantity that this message is about, 0 to 255."""
    return Object(0x60, bytes([number]))


def unix_time(seconds: int) -> Object:
    """When it was measured."""
    return Object(0x50, seconds.to_bytes(4, "little"))


def plain(objects: Sequence[Object], packet_id: int | None = None) -> bytes:
    """A plain message; `packet_id` (taken modulo 256) tells repeats of it from the next one."""
    return bytes([PLAIN]) + _on_air(objects, packet_id)


def encrypted(
    objects: Sequence[Object], key: bytes, address: str, counter: int, *, include_address: bool = False
) -> bytes:
    """A message encrypted with a 16-byte key by the sender at `address` (AA:BB:…); the counter grows with each."""
    mac = bytes.fromhex(address.replace(":", ""))
    information = bytes([ENCRYPTED | (WITH_MAC if include_address else 0)])
    on_air_counter = counter.to_bytes(4, "little")
    nonce = mac + UUID_ON_AIR + information + on_air_counter
    sealed = AESCCM(key, tag_length=4).encrypt(nonce, _on_air(objects, None), None)
    return information + (mac[::-1] if include_address else b"") + sealed[:-4] + on_air_counter + sealed[-4:]


def _on_air(objects: Sequence[Object], packet_id: int | None) -> bytes:
    first = [] if packet_id is None else [Object(0x00, bytes([packet_id % 256]))]
    ascending = sorted([*first, *objects], key=lambda item: item.id)
    return b"".join(bytes([item.id]) + item.value for item in ascending)
