"""What the town's authority signs for gateways is what it decides, whatever was asked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud_api.authority import create_authority
from cloud_api.provisioning.certificates import SigningRequestError, open_authority
from cloud_api.settings import ConfigError, SigningAuthority
from edge.signing_request import new_key

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
USER = "mairie.1f2e3d4c"


@pytest.fixture
def files(tmp_path: Path) -> SigningAuthority:
    create_authority(tmp_path / "ca", "Town", NOW)
    return SigningAuthority(certificate_file=tmp_path / "ca" / "ca.pem", key_file=tmp_path / "ca" / "ca.key")


def signed(files: SigningAuthority, request: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(open_authority(files).sign(request, USER, NOW).encode())


def test_a_certificate_names_the_brokers_user_for_the_machines_own_key(files: SigningAuthority) -> None:
    key = new_key()
    made = signed(files, key.request())
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(files.certificate_file.read_bytes()))
    assert made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == USER
    assert made.public_key() == key.key.public_key()
    assert made.not_valid_before_utc < NOW < NOW + timedelta(days=365) < made.not_valid_after_utc


def test_what_a_request_asks_to_be_is_not_heard(files: SigningAuthority) -> None:
    builder = x509.CertificateSigningRequestBuilder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "admin")]))
    greedy = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    request = greedy.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    made = signed(files, request)
    assert made.subject.rfc4514_string() == f"CN={USER}"
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_what_is_no_request_is_refused(files: SigningAuthority) -> None:
    for text in ("", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "é"):
        with pytest.raises(SigningRequestError, match="PKCS #10"):
            open_authority(files).sign(text, USER, NOW)


def test_files_that_are_no_authority_are_told_by_option_and_name(files: SigningAuthority, tmp_path: Path) -> None:
    create_authority(tmp_path / "other", "Other", NOW)
    other = tmp_path / "other" / "ca.key"
    with pytest.raises(ConfigError, match=r"--gateway-signing-key-file .*other/ca.key: not the key of .*ca.pem"):
        open_authority(SigningAuthority(certificate_file=files.certificate_file, key_file=other))
    with pytest.raises(ConfigError, match=r"--gateway-signing-key-file .*: no open private key"):
        open_authority(SigningAuthority(certificate_file=files.certificate_file, key_file=files.certificate_file))
    with pytest.raises(ConfigError, match=r"--gateway-signing-ca-file .*: no certificate"):
        open_authority(SigningAuthority(certificate_file=tmp_path / "nowhere.pem", key_file=other))
