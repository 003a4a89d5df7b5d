"""The town's own certificate authority: small, in one folder, for the broker, the API and gateways (X.509, RFC 5280).

In come names and host names, out come certificates beside their keys. The authority's key never leaves its folder and
is needed only to issue: keep the folder on a stick, not on the broker. Whoever is given certificates by somebody else
needs none of this.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from cloud_api.new_files import PRIVATE, write_new

CERTIFICATE: Final = "ca.pem"
KEY: Final = "ca.key"
AUTHORITY_DAYS: Final = 3650
SERVER_DAYS: Final = 397
"""Browsers refuse more (CA/Browser Forum, Baseline Requirements 6.3.2)."""
CLIENT_DAYS: Final = 1825
"""A gateway hangs on its lamp-post for five years."""
BACKDATED: Final = timedelta(days=1)
"""Clocks differ: what is issued today must be good on a machine that lags."""
SOON_DAYS: Final = 30


class AuthorityError(Exception):
    """A certificate that cannot be issued or read: what is wrong, and what to do."""


class Purpose(StrEnum):
    """What a certificate is for."""

    SERVER = "server"
    """A broker or an API: it names hosts."""
    CLIENT = "client"
    """A gateway or a service that shows who it is: its common name is its user name at the broker."""


class Issued(Struct, frozen=True):
    """A certificate in a folder, as it is listed."""

    file: Path
    name: str
    hosts: tuple[str, ...]
    """Host names and addresses it is good for; none where it names a user."""
    ends: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends; negative when it has ended."""
        return (self.ends - now).days


class Authority:
    """Issues certificates with one key."""

    def __init__(self, folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._folder = folder
        self._certificate = certificate
        self._key = key

    def server(self, name: str, hosts: Sequence[str], now: datetime, days: int = SERVER_DAYS) -> tuple[Path, Path]:
        """A certificate and a new key for a server that is reached under `hosts`, as `NAME.pem` and `NAME.key`."""
        if not hosts:
            raise AuthorityError("--host: at least one host name or address expected, as clients write it")
        alternative = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        return self._issue(name, Purpose.SERVER, alternative, now, days)

    def client(self, name: str, now: datetime, days: int = CLIENT_DAYS) -> tuple[Path, Path]:
        """A certificate and a new key for who shows it to the broker, as `NAME.pem` and `NAME.key`."""
        return self._issue(name, Purpose.CLIENT, x509.SubjectAlternativeName([x509.DNSName(name)]), now, days)

    def _issue(
        self, name: str, purpose: Purpose, alternative: x509.SubjectAlternativeName, now: datetime, days: int
    ) -> tuple[Path, Path]:
        ends = now + timedelta(days=days)
        if ends > self._certificate.not_valid_after_utc:
            raise AuthorityError(
                f"the authority itself ends on {self._certificate.not_valid_after_utc:%Y-%m-%d}, before that; "
                "fewer --days, or a new authority expected"
            )
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if purpose is Purpose.SERVER else ExtendedKeyUsageOID.CLIENT_AUTH
        unsigned = (
            _unsigned(_named(name), self._certificate.subject, key.public_key(), now, ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(alternative, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        certificate = unsigned.sign(self._key, hashes.SHA256())
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        _write_pair(files, certificate, key)
        return files


def create_authority(folder: Path, town: str, now: datetime) -> Authority:
    """A new authority in a folder that has none. Raises `AuthorityError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"{town} (Passerelle)")
    unsigned = (
        _unsigned(name, name, key.public_key(), now, now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)
    )
    certificate = unsigned.sign(key, hashes.SHA256())
    _write_pair((folder / CERTIFICATE, folder / KEY), certificate, key)
    return Authority(folder, certificate, key)


def open_authority(folder: Path) -> Authority:
    """The authority of a folder. Raises `AuthorityError`."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        key = load_pem_private_key((folder / KEY).read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise AuthorityError(f"no authority in {folder}: {error}; `passerelle ca create` makes one") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or _raw(key.public_key()) != _raw(certificate.public_key()):
        raise AuthorityError(f"{folder / KEY} is not the key of {folder / CERTIFICATE}; restore the right one")
    return Authority(folder, certificate, key)


def issued(folder: Path) -> list[Issued]:
    """The certificates of a folder, the one that ends first at the top. Raises `AuthorityError`."""
    return sorted(_issued(folder), key=lambda each: each.ends)


def _issued(folder: Path) -> Iterator[Issued]:
    for file in sorted(folder.glob("*.pem")):
        try:
            certificate = x509.load_pem_x509_certificate(file.read_bytes())
        except (OSError, ValueError) as error:
            raise AuthorityError(f"{file}: no certificate: {error}") from error
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(names[0].value) if names else ""
        yield Issued(file, name, _hosts(certificate), certificate.not_valid_after_utc)


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(each.value) for each in alternative) if ExtendedKeyUsageOID.SERVER_AUTH in usage else ()


_SIGNS_CERTIFICATES: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _named(text: str) -> x509.Name:
    try:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    except ValueError as error:
        raise AuthorityError(f"{text!r}: a name of 1 to 64 characters expected") from error


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host.encode("idna").decode())
    except (UnicodeError, ValueError) as error:
        raise AuthorityError(f"--host {host!r}: a host name or an address expected") from error


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - BACKDATED,
        not_valid_after=ends,
    )
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _raw(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return b""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _write_pair(files: tuple[Path, Path], certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Neither file may be there: a key that is in use is never overwritten."""
    for file in files:
        if file.exists():
            raise AuthorityError(f"{file} is there already; move it away first, or choose another name")
    _write(files[1], key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), PRIVATE)
    _write(files[0], certificate.public_bytes(Encoding.PEM), 0o644)


def _write(file: Path, content: bytes, mode: int) -> None:
    try:
        write_new(file, content, mode)
    except OSError as error:
        raise AuthorityError(f"{file} cannot be written: {error.strerror}") from error
