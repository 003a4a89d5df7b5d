"""`deploy/edge/install` into an empty root, from a stick: what it makes, what it leaves alone, what it takes away."""

import os
import subprocess
from pathlib import Path

import pytest

from edge.config import load
from tests import wheels
from tests.wheels import REPOSITORY

INSTALL = REPOSITORY / "deploy" / "edge" / "install"
QUICKLY = {**os.environ, "PIP_NO_COMPILE": "0"}
"""Compiled ahead, a program starts sooner and is installed later. (Of an option that says no, pip wants to hear no.)"""


def install(root: Path, *arguments: str | Path) -> list[str]:
    """What it says, line by line."""
    ran = subprocess.run(
        [INSTALL, "--root", root, *arguments], env=QUICKLY, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def everything(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, time of change and content of all that is there, but for the program itself."""
    paths = [path for path in root.rglob("*") if "passerelle/a/" not in str(path) and not path.is_symlink()]
    return {
        str(path): (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in paths
    }


@pytest.mark.slow
def test_a_gateway_is_installed_from_a_stick_once_and_taken_away_but_for_its_counts(
    stick: Path, tmp_path: Path
) -> None:
    planned = install(tmp_path, "--dry-run", "--wheels", stick)
    assert [*tmp_path.iterdir()] == []

    said = install(tmp_path, "--wheels", stick)
    assert planned == [f"would {line}" for line in said]
    program = tmp_path / "opt" / "passerelle"
    assert (program / "current").readlink() == Path("a")
    version = subprocess.run([program / "current/bin/passerelle", "--version"], capture_output=True, check=True)
    assert version.stdout.decode().strip() == f"passerelle {wheels.VERSION}"
    assert load(tmp_path / "etc/passerelle/gateway.toml.example").gateway.data == Path("/var/lib/passerelle")
    assert (tmp_path / "etc/systemd/system/multi-user.target.wants/passerelle-edge.service").is_symlink()
    passwd = (tmp_path / "etc/passwd").read_text()
    assert "passerelle:" in passwd
    assert "/usr/sbin/nologin" in passwd

    (tmp_path / "etc/passerelle/gateway.toml").write_text("# an operator's own")
    (tmp_path / "var/lib/passerelle/outbox.db").write_bytes(b"counts")
    install(tmp_path, "--wheels", stick)
    before = everything(tmp_path)
    assert install(tmp_path, "--wheels", stick) == ["nothing to change"]
    assert everything(tmp_path) == before
    assert (tmp_path / "etc/passerelle/gateway.toml").stat().st_mode & 0o777 == 0o640

    assert all(line.startswith(("would ", "kept")) for line in install(tmp_path, "--uninstall", "--dry-run"))
    assert everything(tmp_path) == before
    install(tmp_path, "--uninstall")
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*passerelle*")}
    assert left == {"etc/passerelle", "var/lib/passerelle"}
    assert (tmp_path / "var/lib/passerelle/outbox.db").read_bytes() == b"counts"
    assert "nothing to remove" in install(tmp_path, "--uninstall")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--wheels", "/no/such"], "--wheels: there is no folder /no/such"),
        (["--wheels"], "--wheels: expected a folder"),
        (["--faster"], "unknown option --faster"),
        (["missing.whl"], "there is no wheel missing.whl"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_nothing_is_done(arguments: list[str], expected: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [INSTALL, "--root", tmp_path, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ran.returncode != 0
    assert ran.stderr.startswith(f"install: {expected}")
    assert len(ran.stderr.splitlines()) == 1
    assert [*tmp_path.iterdir()] == []
