"""`passerelle person` adds people, invites them and signs them out in a real registry."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_api.people_commands import person
from cloud_api.registry.people import Asking
from tests.registries import registry_at

TOWN = ("--url", "https://parking.example.fr/")


@pytest.fixture(autouse=True)
def _registry(tmp_path: Path) -> None:
    registry_at(tmp_path / "registry.db").close()


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(person, [*words, "--registry", str(folder / "registry.db")])


def test_a_person_is_added_and_a_link_stands_alone_on_standard_output(tmp_path: Path) -> None:
    added = run(tmp_path, "add", "Zoé d’Arc", "--email", "zoe@example.fr")
    assert added.stdout.startswith("zoe-darc:")

    link = run(tmp_path, "invite", "zoe-darc", *TOWN).stdout.strip()

    assert link.startswith("https://parking.example.fr/technician/sign-in/")
    with closing(registry_at(tmp_path / "registry.db")) as store:
        asked = store.people.ask(link.rpartition("/")[2], datetime.now(UTC))
    assert (asked.how, asked.person and asked.person.name) == (Asking.GOOD, "Zoé d’Arc")


def test_a_code_has_eight_characters_and_the_last_invitation_is_the_good_one(tmp_path: Path) -> None:
    run(tmp_path, "add", "Marie Dupont")
    first, second = (run(tmp_path, "invite", "Marie Dupont", "--code", *TOWN).stdout.strip() for _ in range(2))

    assert [len(code.replace("-", "")) for code in (first, second)] == [8, 8]
    now = datetime.now(UTC)
    with closing(registry_at(tmp_path / "registry.db")) as store:
        assert [store.people.ask(code, now).how for code in (first, second)] == [Asking.REVOKED, Asking.GOOD]
        store.people.sign_in(second, now)
    assert "Marie Dupont" in run(tmp_path, "list").stdout
    assert "signed out of 1 telephone;" in run(tmp_path, "sign-out", "marie-dupont").stdout


def test_mistakes_are_named(tmp_path: Path) -> None:
    assert "nobody yet" in run(tmp_path, "list").stdout
    unknown = run(tmp_path, "invite", "nobody", *TOWN)
    assert (unknown.exit_code, "no person 'nobody'" in unknown.stderr) == (1, True)
    run(tmp_path, "add", "Marie Dupont")
    twice = run(tmp_path, "add", "marie dupont")
    assert (twice.exit_code, "already" in twice.stderr) == (1, True)
    assert run(tmp_path, "add", "!").exit_code == 2
    assert run(tmp_path, "add", "Jean", "--email", "jean").exit_code == 2
    assert run(tmp_path, "invite", "marie-dupont", "--url", "parking").exit_code == 2
