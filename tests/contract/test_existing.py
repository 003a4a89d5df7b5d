"""A mistyped address is named, with what makes what is missing; nothing is made at it."""

from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from cloud_api.key_commands import key
from cloud_api.places_commands import places
from cloud_api.report_commands import report
from cloud_api.stores import open_store

MONTH = ("flows", "--from", "2026-10-01", "--to", "2026-11-01")


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (report, (*MONTH, "--store", "sqlite:///{folder}/history.db")),
        (key, ("create", "office", "--scope", "report")),
        (places, ("export", "{folder}/town.toml")),
    ],
    ids=["report", "key", "places"],
)
@pytest.mark.parametrize(("name", "told"), [("rgistry.db", "no such file"), ("empty.db", "holds no registry")])
def test_a_mistyped_registry_is_named_and_not_made(
    tmp_path: Path, app: Typer, words: tuple[str, ...], name: str, told: str
) -> None:
    open_store(f"sqlite:///{tmp_path}/history.db").close()
    (tmp_path / "empty.db").touch()
    before = sorted(tmp_path.iterdir())

    done = CliRunner().invoke(
        app, [*(word.format(folder=tmp_path) for word in words), "--registry", f"{tmp_path}/{name}"]
    )

    assert done.exit_code == 2
    assert f"--registry {tmp_path}/{name}: " in done.output
    assert told in done.output
    assert f"`passerelle places import FILE --registry {tmp_path}/{name}` makes a new one" in done.output
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "empty.db").stat().st_size == 0


def test_a_mistyped_store_is_named_and_not_made(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        report, [*MONTH, "--store", f"sqlite:///{tmp_path}/histry.db", "--registry", f"{tmp_path}/registry.db"]
    )

    assert done.exit_code == 2
    assert f"`passerelle store init sqlite:///{tmp_path}/histry.db` makes a new one" in done.output
    assert list(tmp_path.iterdir()) == []
