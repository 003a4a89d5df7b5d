"""The ciphers of sealed messages: AES-CCM (BTHome), AES in counter mode and AES-CMAC (LoRaWAN). Pure.

Whoever opens a message imports this module then, and not before: it brings 8 MB that a gateway without keys does not
hold.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.cmac import CMAC


def open_ccm(key: bytes, nonce: bytes, sealed: bytes, mic_length: int) -> bytes | None:
    """The plain bytes of `sealed`, whose last bytes are its MIC; None when that does not fit (RFC 3610)."""
    try:
        return AESCCM(key, tag_length=mic_length).decrypt(nonce, sealed, None)
    except InvalidTag:
        return None


def counter_mode(key: bytes, first_block: bytes, encrypted: bytes) -> bytes:
    """The plain bytes; the counter begins with `first_block`, 16 bytes (NIST SP 800-38A, 6.5)."""
    return Cipher(algorithms.AES(key), modes.CTR(first_block)).decryptor().update(encrypted)


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC, 16 bytes (RFC 4493)."""
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()
