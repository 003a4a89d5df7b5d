"""`passerelle gateway invite`, `replace` and `revoke` on a real registry."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_api.gateway_commands import gateway
from cloud_api.registry import Gateway
from cloud_api.registry.codes import read_code
from cloud_api.registry.store import RegistryStore
from tests.registries import registry_at

URL = "https://passerelle.ville.example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with registry(tmp_path) as store:
        store.merge([Gateway(name="mairie", label="Mairie", managed=True)], by="test", at=datetime.now(UTC))
    return tmp_path


def registry(folder: Path) -> closing[RegistryStore]:
    return closing(registry_at(folder / "registry.db"))


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(gateway, [*words, "--registry", str(folder / "registry.db")])


def use(folder: Path, code: str, certificate_ends_at: datetime | None = None) -> None:
    at = datetime.now(UTC)
    with (
        registry(folder) as store,
        store.invitations.redeem(
            read_code(code), "a machine", by="test", at=at, certificate_ends_at=certificate_ends_at
        ),
    ):
        pass


def test_a_code_is_alone_on_standard_output_with_the_command_for_the_gateway_beside_it(folder: Path) -> None:
    made = run(folder, "invite", "mairie", "--url", f"{URL}/", "--minutes", "10", "--qr", str(folder / "code.svg"))

    assert made.exit_code == 0, made.output
    code = read_code(made.stdout.strip())
    assert f"sudo passerelle edge enrol {code} --url {URL}\n" in made.stderr
    assert (folder / "code.svg").read_text().startswith("<?xml")
    with registry(folder) as store:
        (kept,) = store.invitations.all()
    assert kept.expires_at - kept.created_at == timedelta(minutes=10)
    assert code not in f"{kept}"


def test_a_gateway_is_invited_then_replaced_then_revoked(folder: Path) -> None:
    assert run(folder, "replace", "mairie", "--url", URL).exit_code == 1
    use(folder, run(folder, "invite", "mairie", "--url", URL).stdout)

    again = run(folder, "invite", "mairie", "--url", URL)
    assert (again.exit_code, "passerelle gateway replace mairie" in again.stderr) == (1, True)
    assert run(folder, "replace", "mairie", "--url", URL).exit_code == 0
    revoked = run(folder, "revoke", "mairie")
    assert revoked.exit_code == 0, revoked.output
    assert "gateway mairie is revoked: mairie." in revoked.stdout
    assert run(folder, "revoke", "mairie").exit_code == 1


def test_the_list_tells_who_is_invited_enrolled_until_when_and_revoked(folder: Path) -> None:
    def line() -> str:
        return run(folder, "list").stdout

    assert "invited" not in line()
    code = run(folder, "invite", "mairie", "--url", URL).stdout
    assert "invited until" in line()
    use(folder, code, certificate_ends_at=datetime(2036, 11, 27, tzinfo=UTC))
    assert "enrolled, certificate until 2036-11-27" in line()
    assert "enrolled, certificate until 2036-11-27\n" in run(folder, "show", "mairie").stdout
    assert "invited" not in line()
    run(folder, "replace", "mairie", "--url", URL)
    assert "enrolled" in line()
    assert "invited until" in line()
    run(folder, "revoke", "mairie")
    assert "revoked 20" in line()
    assert "enrolled" not in line()


def test_mistakes_are_named_and_make_no_code(folder: Path) -> None:
    unknown = run(folder, "invite", "gare", "--url", URL)
    assert (unknown.exit_code, "no gateway 'gare'" in unknown.stderr) == (1, True)
    assert "--url 'ville.example'" in run(folder, "invite", "mairie", "--url", "ville.example").stderr
    assert ".png or .svg" in run(folder, "invite", "mairie", "--url", URL, "--qr", "code.pdf").stderr
    with registry(folder) as store:
        assert store.invitations.all() == []
