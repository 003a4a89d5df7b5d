"""LoRaWAN 1.0.x uplinks as a sensor activated by personalization sends them.

In come address, keys, counter and payload, out comes the PHYPayload for the air. Written from the specification alone
(chapters 4.1 to 4.4; AES-CMAC from RFC 4493), so that encoder and decoder cannot be wrong together.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


@dataclass(frozen=True, slots=True)
class Session:
    """An ABP device's identity: DevAddr as printed (8 hexadecimal digits) and its two 16-byte session keys."""

    dev_addr: str
    nwk_skey: bytes = field(repr=False)
    app_skey: bytes = field(repr=False)


def uplink(
    session: Session,
    counter: int,
    port: int | None,
    payload: bytes = b"",
    *,
    confirmed: bool = False,
    mac_commands: bytes = b"",
) -> bytes:
    """One data frame. `counter` is the full 32-bit one, of which 16 bits travel.

    `port` None leaves FPort and payload out; port 0 carries MAC commands encrypted with NwkSKey. Raises ValueError for
    a payload without a port and for more than 15 bytes of `mac_commands` (FOpts).
    """
    if port is None and payload:
        raise ValueError("a payload needs a port")
    if len(mac_commands) > 15:
        raise ValueError(f"FOpts takes 15 bytes, got {len(mac_commands)}")
    address = bytes.fromhex(session.dev_addr)[::-1]
    frame = bytearray([0x80 if confirmed else 0x40])
    frame += address
    frame.append(len(mac_commands))
    frame += (counter & 0xFFFF).to_bytes(2, "little")
    frame += mac_commands
    if port is not None:
        key = session.nwk_skey if port == 0 else session.app_skey
        frame.append(port)
        frame += _encrypted(key, address, counter, payload)
    b0 = b"\x49" + bytes(5) + address + counter.to_bytes(4, "little") + b"\x00" + bytes([len(frame)])
    return bytes(frame) + aes_cmac(session.nwk_skey, b0 + bytes(frame))[:4]


def _encrypted(key: bytes, address: bytes, counter: int, payload: bytes) -> bytes:
    cipher = bytearray()
    for number, start in enumerate(range(0, len(payload), 16), start=1):
        a_i = b"\x01" + bytes(5) + address + counter.to_bytes(4, "little") + b"\x00" + bytes([number])
        s_i = _aes(key, a_i)
        cipher += bytes(clear ^ secret for clear, secret in zip(payload[start : start + 16], s_i, strict=False))
    return bytes(cipher)


def aes_cmac(key: bytes, message: bytes) -> bytes:
    """The 16-byte AES-CMAC of RFC 4493."""
    first = _doubled(_aes(key, bytes(16)))
    whole = len(message) > 0 and len(message) % 16 == 0
    subkey = first if whole else _doubled(first)
    padded = message if whole else message + b"\x80" + bytes(-(len(message) + 1) % 16)
    mac = bytes(16)
    for start in range(0, len(padded), 16):
        block = padded[start : start + 16]
        if start + 16 == len(padded):
            block = _xor(block, subkey)
        mac = _aes(key, _xor(mac, block))
    return mac


def _doubled(block: bytes) -> bytes:
    """Multiplication by x in GF(2**128)."""
    number = int.from_bytes(block, "big") << 1
    return (number ^ 0x87 if number >> 128 else number).to_bytes(17, "big")[1:]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))


def _aes(key: bytes, block: bytes) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - single blocks, as the specification builds on
    return cipher.encryptor().update(block)
