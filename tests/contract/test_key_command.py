"""`passerelle key` makes, lists and revokes keys in a real registry."""

from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_api.key_commands import key
from cloud_api.registry.keys import digest_of
from tests.registries import registry_at


@pytest.fixture(autouse=True)
def _registry(tmp_path: Path) -> None:
    registry_at(tmp_path / "registry.db").close()


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(key, [*words, "--registry", str(folder / "registry.db")])


def test_a_key_is_shown_once_alone_on_standard_output_and_only_its_digest_is_kept(tmp_path: Path) -> None:
    made = run(tmp_path, "create", "office de commerce", "--scope", "report", "--scope", "read:flows")

    secret = made.stdout.strip()
    assert made.exit_code == 0, made.output
    assert secret.startswith("psl_")
    assert len(secret.split()) == 1
    with closing(registry_at(tmp_path / "registry.db")) as store:
        assert [each.digest for each in store.keys.all()] == [digest_of(secret)]
    listed = run(tmp_path, "list").stdout
    assert "office de commerce" in listed
    assert "read:flows, report" in listed
    assert secret not in listed


def test_a_revoked_key_is_listed_as_such(tmp_path: Path) -> None:
    made = run(tmp_path, "create", "lost phone", "--scope", "provision")
    name = made.stderr.split()[1]

    revoked = run(tmp_path, "revoke", name)

    assert revoked.exit_code == 0, revoked.output
    assert "lost phone is revoked" in revoked.stdout
    assert "revoked" in run(tmp_path, "list").stdout


def test_mistakes_are_named(tmp_path: Path) -> None:
    assert "no keys yet" in run(tmp_path, "list").stdout
    unknown = run(tmp_path, "revoke", "9f3a6b01")
    assert (unknown.exit_code, "no key '9f3a6b01'" in unknown.stderr) == (1, True)
    assert run(tmp_path, "create", "somebody").exit_code == 2
    assert run(tmp_path, "create", "somebody", "--scope", "everything").exit_code == 2
    assert run(tmp_path, "create", " ", "--scope", "report").exit_code == 2
