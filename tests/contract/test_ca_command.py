"""`passerelle ca`: certificates with their purpose; what cannot be is named, keys stay private."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner, Result

from cloud_api.authority import AuthorityError, create_authority, issued, open_authority
from cloud_api.ca_commands import ca

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def run(*words: str) -> Result:
    return CliRunner().invoke(ca, list(words))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = run("create", str(tmp_path / "ca"), "--town", "Châteaubriant")
    assert made.exit_code == 0, made.output
    return tmp_path / "ca"


def test_keys_are_for_their_owner_alone_and_are_never_overwritten(folder: Path) -> None:
    first = run("server", str(folder), "broker", "--host", "broker.example", "--host", "10.0.0.5")
    key = (folder / "broker.key").read_bytes()
    again = run("server", str(folder), "broker", "--host", "broker.example")

    assert first.exit_code == 0, first.output
    assert again.exit_code == 1
    assert "broker.pem is there already" in again.stderr
    assert (folder / "broker.key").read_bytes() == key
    assert {file.stat().st_mode & 0o777 for file in folder.glob("*.key")} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_certificate_says_what_it_is_for(folder: Path) -> None:
    run("server", str(folder), "broker", "--host", "brôker.example", "--host", "10.0.0.5")
    run("client", str(folder), "halles")
    listed = run("list", str(folder))

    hosts = {each.name: each.hosts for each in issued(folder)}
    assert hosts["broker"] == ("xn--brker-7ta.example", "10.0.0.5")
    assert hosts["halles"] == ()
    assert listed.exit_code == 0, listed.output
    assert "10.0.0.5" in listed.stdout
    client = x509.load_pem_x509_certificate((folder / "halles.pem").read_bytes())
    assert "clientAuth" in str(client.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_certificate_that_ends_soon_fails_the_list_so_that_a_timer_can_tell(folder: Path) -> None:
    run("server", str(folder), "broker", "--host", "broker.example", "--days", "5")
    listed = run("list", str(folder))

    assert listed.exit_code == 1
    assert "broker.pem: issue anew" in listed.stderr


def test_nothing_outlives_its_authority(tmp_path: Path) -> None:
    authority = create_authority(tmp_path / "ca", "Town", NOW)

    with pytest.raises(AuthorityError, match="the authority itself ends on 2036"):
        authority.server("broker", ["broker.example"], NOW + timedelta(days=3500))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("server", "CA", "broker", "--host", "a" * 70 + ".example"), "--host"),
        (("client", "CA", "n" * 65), "1 to 64 characters"),
        (("client", "ELSEWHERE", "halles"), "passerelle ca create"),
        (("create", "CA", "--town", "Other"), "is there already"),
    ],
)
def test_what_cannot_be_is_named(folder: Path, words: tuple[str, ...], says: str) -> None:
    places = {"CA": str(folder), "ELSEWHERE": str(folder / "none")}

    refused = run(*(places.get(word, word) for word in words))

    assert refused.exit_code == 1, refused.output
    assert says in refused.stderr


def test_a_key_of_another_authority_is_found_out(folder: Path, tmp_path: Path) -> None:
    create_authority(tmp_path / "other", "Other", NOW)
    (folder / "ca.key").unlink()
    (tmp_path / "other" / "ca.key").rename(folder / "ca.key")

    with pytest.raises(AuthorityError, match="is not the key of"):
        open_authority(folder)
