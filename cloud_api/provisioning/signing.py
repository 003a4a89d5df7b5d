"""The platform's own signature on records: Ed25519 (RFC 8032), one key in a file of mode 0600, made at first use.

In come bytes, out come signatures in base64 and whether one is good. Several replicas are given the same file; a record
names the key that signed it, so an older one can still be checked.
"""

from base64 import b64decode, b64encode
from pathlib import Path
from secrets import token_hex

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from cloud_api.new_files import write_new
from cloud_api.settings import ConfigError


class Signer:
    """Signs with one key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = b64encode(key.public_key().public_bytes_raw()).decode()
        """The public key: 32 bytes in base64."""

    def sign(self, body: bytes) -> str:
        """64 bytes in base64."""
        return b64encode(self._key.sign(body)).decode()


def is_signed(body: bytes, signature: str, public: str) -> bool:
    """Whether a signature is good, by a public key as `Signer.public` gives it."""
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(public, validate=True)).verify(
            b64decode(signature, validate=True), body
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def open_signer(file: Path) -> Signer:
    """The key in a file, made when there is none. Raises `ConfigError`."""
    try:
        return Signer(_read(file) if file.exists() else _make(file))
    except FileExistsError:
        return open_signer(file)  # another worker made it between our two looks
    except (OSError, ValueError) as error:
        raise ConfigError(f"the signing key {file} cannot be used: {error}") from error


def _read(file: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(file.read_bytes(), password=None)
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise ConfigError(f"the signing key {file}: an Ed25519 key expected")


def _make(file: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = file.with_name(f".{file.name}.{token_hex(8)}")
    write_new(draft, text)
    try:
        file.hardlink_to(draft)
    finally:
        draft.unlink()
    return key
