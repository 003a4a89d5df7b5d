"""`passerelle places` on real files and a real registry: import, export, check, in words and exit status."""

import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from cloud_api.places_commands import places
from cloud_api.registry import Audience, Closure, Counter, Installation, Registry, Space, Zone
from cloud_api.registry.national import NationalRecord
from cloud_api.registry.places import Capacity
from cloud_api.registry.refusals import RefusedChangeError
from cloud_api.registry.store import open_registry
from tests.town import HERE, NOW, START, kept

MARKET = Zone(
    id="marche",
    name="Place du Marché",
    position=HERE,
    operator="Effia",
    price="1,50 € l’heure",
    opening_hours="Mo-Sa 07:00-21:00; PH off",
    height_limit_m=1.9,
    capacity=Capacity(public=40, pmr=2),
    national=NationalRecord(id="44109-P-001", siret="21920044100018"),
)
TOWN = Registry(
    zones=[MARKET, Zone(id="gare", name="Gare", position=HERE)],
    spaces=[Space(id="g1", zone="gare", audience=Audience.PMR, position=HERE), Space(id="g2", zone="gare")],
    counters=[Counter(id="rue-haute", name="Rue Haute", position=HERE, in_="gare", out="mairie")],
    installations=[Installation(place="g1", device="d1", channel="1", start=START)],
    closures=[Closure(id="works", place="g2", start=NOW, end=NOW + timedelta(days=1), reason="travaux")],
)


def run(*words: str) -> Result:
    return CliRunner().invoke(places, words)


@pytest.fixture
def registry(tmp_path: Path) -> str:
    """The address of a registry with the town in it."""
    kept(TOWN, tmp_path)
    return str(tmp_path / "registry.db")


def known(address: str) -> Registry:
    with closing(open_registry(address)) as store:
        return store.snapshot()


@pytest.mark.parametrize("extension", ["toml", "geojson", "csv"])
def test_an_export_that_is_imported_again_changes_nothing(registry: str, tmp_path: Path, extension: str) -> None:
    file = str(tmp_path / f"town.{extension}")

    assert run("export", file, "--registry", registry).exit_code == 0
    again = run("import", file, "--registry", registry)

    assert again.exit_code == 0, again.output
    assert known(registry).entries == TOWN.entries
    with closing(open_registry(registry)) as store:
        assert store.revision() == 1


def test_a_town_moves_into_an_empty_registry_by_its_export(registry: str, tmp_path: Path) -> None:
    file, other = str(tmp_path / "town.toml"), str(tmp_path / "other.db")

    run("export", file, "--registry", registry)
    result = run("import", file, "--registry", other)

    assert result.exit_code == 0, result.output
    assert known(other).entries == TOWN.entries
    assert "added  zone marche" in result.output


def test_an_export_says_what_its_format_cannot_carry(registry: str, tmp_path: Path) -> None:
    map_ = run("export", str(tmp_path / "town.geojson"), "--registry", registry)
    table = run("export", str(tmp_path / "town.csv"), "--registry", registry)

    assert "geojson does not carry: installations (1)" in map_.stderr
    assert "bnls does not carry: zones without a national record (1)" in table.stderr
    assert "bnls does not carry: opening_hours of zones (1)" in table.stderr


def test_a_rehearsal_tells_what_would_be_added_changed_and_gone(registry: str, tmp_path: Path) -> None:
    file = tmp_path / "town.toml"
    run("export", str(file), "--registry", registry)
    text = file.read_text(encoding="utf-8").replace("Rue Haute", "Rue Basse").replace('"g2"', '"g3"')
    file.write_text(text, encoding="utf-8")

    result = run("import", str(file), "--registry", registry, "--dry-run")

    assert result.exit_code == 0, result.output
    assert "would be added  space g3" in result.output
    assert "would be changed  counter rue-haute: name" in result.output
    assert "not in the file, stays (see --prune)  space g2" in result.output
    assert known(registry).entries == TOWN.entries


def test_what_a_pruning_import_leaves_out_is_removed_with_what_hangs_on_it(registry: str, tmp_path: Path) -> None:
    file = tmp_path / "town.geojson"
    run("export", str(file), "--registry", registry)
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(line for line in lines if '"g1"' not in line), encoding="utf-8")

    result = run("import", str(file), "--registry", registry, "--prune")

    assert result.exit_code == 0, result.output
    assert [space.id for space in known(registry).spaces] == ["g2"]
    assert not known(registry).installations
    with closing(open_registry(registry)) as store:
        assert store.trail(key="g1")[0].before is not None, "what it was is in the audit trail"


def test_all_mistakes_are_told_by_line_and_field_and_nothing_is_changed(registry: str, tmp_path: Path) -> None:
    file = tmp_path / "spaces.toml"
    file.write_text('[[space]]\nid = "g3"\nzone = "gare"\n[[space]]\nid = "g 4"\nzone = 5\n', encoding="utf-8")

    result = run("import", str(file), "--registry", registry)

    assert result.exit_code == 2
    assert f"{file}, line 5, field id: " in result.stderr
    assert f"{file}, line 6, field zone: " in result.stderr
    assert "Error: 2 mistakes; nothing is changed" in result.stderr
    assert known(registry).entries == TOWN.entries


def test_what_contradicts_the_registry_is_told_by_the_files_line(registry: str, tmp_path: Path) -> None:
    file = tmp_path / "more.toml"
    file.write_text(
        '[[space]]\nid = "m1"\nzone = "nowhere"\n'
        '[[installation]]\nplace = "g1"\ndevice = "d2"\nchannel = "1"\nfrom = 2026-06-01T00:00:00Z\n',
        encoding="utf-8",
    )

    result = run("import", str(file), "--registry", registry)

    assert f"{file}, line 3, field zone: no zone 'nowhere'" in result.stderr
    assert f"{file}, line 5, field place: 'g1' is served by another device" in result.stderr


def test_a_file_is_checked_by_itself_or_with_a_registry(registry: str, tmp_path: Path) -> None:
    file = tmp_path / "spaces.toml"
    file.write_text('[[space]]\nid = "g3"\nzone = "gare"\n', encoding="utf-8")

    alone, together = run("check", str(file)), run("check", str(file), "--registry", registry)

    assert alone.exit_code == 2
    assert "line 3, field zone: no zone 'gare'" in alone.stderr
    assert together.exit_code == 0
    assert "1 space" in together.output


def test_the_format_follows_the_name_or_the_option(registry: str, tmp_path: Path) -> None:
    file = str(tmp_path / "town.geojson")
    run("export", file, "--registry", registry)
    shutil.copy(file, tmp_path / "town.txt")

    unknown = run("check", str(tmp_path / "town.txt"))
    told = run("check", str(tmp_path / "town.txt"), "--format", "geojson")

    assert unknown.exit_code == 2
    assert ".geojson, .json, .csv or --format expected" in unknown.stderr
    assert told.exit_code == 0, told.output


def test_hours_that_nobody_can_read_are_refused_by_every_door(registry: str) -> None:
    with closing(open_registry(registry)) as store, pytest.raises(RefusedChangeError, match="zone x, opening_hours"):
        store.add(replace(MARKET, id="x", national=None, opening_hours="9h-18h"), by="test", at=NOW)


@pytest.mark.parametrize("command", ["import", "export", "check"])
def test_the_help_shows_examples(command: str) -> None:
    assert f"passerelle places {command}" in run(command, "--help").output


def test_a_position_is_where_the_map_says(tmp_path: Path, registry: str) -> None:
    file = tmp_path / "town.geojson"
    run("export", str(file), "--registry", registry)

    assert f'"coordinates":[{HERE.lon},{HERE.lat}]' in file.read_text(encoding="utf-8")
