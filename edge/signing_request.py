"""A key of this machine's own, and the request to have a certificate for it. The key never leaves the machine."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True, slots=True)
class Key:
    """A private key."""

    key: ec.EllipticCurvePrivateKey

    def request(self) -> str:
        """A certificate signing request (PEM). It names nobody: the platform says who this is."""
        return (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([]))
            .sign(self.key, SHA256())
            .public_bytes(Encoding.PEM)
            .decode()
        )

    def private(self) -> bytes:
        """The key itself (PEM, without a passphrase)."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_key() -> Key:
    """A key that nobody else has."""
    return Key(ec.generate_private_key(ec.SECP256R1()))
