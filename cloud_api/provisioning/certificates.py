"""Certificates with which gateways show the broker who they are, signed by the town's own authority.

In comes a request made on the gateway, whose key never leaves it, out comes a certificate for the broker's user that
the gateway becomes. What the request asks to be called is not heard.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud_api.settings import ConfigError, SigningAuthority

GOOD_FOR: Final = timedelta(days=2 * 365)
"""It is renewed long before, while the gateway works."""
BEFORE: Final = timedelta(hours=1)
"""Clocks differ."""


class SigningRequestError(ValueError):
    """A request that cannot be signed: why."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The town's authority."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes

    def sign(self, request: str, user: str, now: datetime) -> str:
        """A certificate (PEM) for a broker's user, from a request (PEM). Raises `SigningRequestError`."""
        asked = _read_request(request)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        made = (
            x509.CertificateBuilder()
            .issuer_name(self.certificate.subject)
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user)]))
            .public_key(asked.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BEFORE)
            .not_valid_after(self.end_of(now))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(Encoding.PEM).decode()

    def end_of(self, now: datetime) -> datetime:
        """When a certificate ends that is signed now, in whole seconds: never after the authority's own."""
        return min((now + GOOD_FOR).replace(microsecond=0), self.certificate.not_valid_after_utc)


def open_authority(files: SigningAuthority) -> Authority:
    """The authority whose certificate and key are in these files. Raises `ConfigError`."""
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate_file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"--gateway-signing-ca-file {files.certificate_file}: no certificate (PEM): {error}"
        ) from error
    try:
        key = load_pem_private_key(files.key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"--gateway-signing-key-file {files.key_file}: no open private key (PEM): {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ConfigError(f"--gateway-signing-key-file {files.key_file}: an elliptic-curve or RSA key expected")
    if key.public_key() != certificate.public_key():
        raise ConfigError(f"--gateway-signing-key-file {files.key_file}: not the key of {files.certificate_file}")
    return Authority(certificate, key)


def _read_request(text: str) -> x509.CertificateSigningRequest:
    try:
        request = x509.load_pem_x509_csr(text.encode())
    except ValueError as error:
        raise SigningRequestError("a certificate signing request (PEM, PKCS #10) expected") from error
    if not request.is_signature_valid:
        raise SigningRequestError("not signed by the key that it is for")
    return request
