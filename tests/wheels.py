"""Wheels on a stick: this tree's, built as for a release, and those of what it needs, without asking a network.

In goes a folder, out come files that `pip install --no-index --find-links` takes. What is needed is packed again from
where it is installed here: pip then does on a gateway's machine all that it does there.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
SOURCES = ("edge", "cloud_api", "firmware_sim", "pyproject.toml", "README.md", "passerelle.py")
VERSION = "0.1.0"
_LEFT_OUT = frozenset({"..", "__pycache__", "tests", ".pyi", ".h", "INSTALLER", "REQUESTED", "direct_url.json"})
"""What pip wrote here, and what no program needs."""
Edit = Callable[[str], str]


def build(folder: Path) -> Path:
    """The wheel of this tree, in `folder`, with everything that the gateway needs beside it."""
    source = folder / "source"
    source.mkdir()
    for path in (*(REPOSITORY / name for name in SOURCES), *REPOSITORY.glob("passerelle_*.py")):
        if path.is_dir():
            shutil.copytree(path, source / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(source)], check=True)
    shutil.rmtree(source)
    for needed in sorted(_needed("passerelle")):
        _pack(distribution(needed), folder)
    return next(folder.glob("passerelle-*.whl"))


def altered(wheel: Path, folder: Path, version: str, edits: Mapping[str, Edit]) -> Path:
    """Another version of a wheel, in `folder`, in which some files read otherwise."""
    old = wheel.name.split("-")[1]
    other = folder / wheel.name.replace(old, version)
    with ZipFile(wheel) as source, ZipFile(other, "w", ZIP_STORED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name in edits:
                text = edits[name](data.decode())
                assert text.encode() != data, f"the edit changes nothing in {name}"
                data = text.encode()
            if name.endswith("/METADATA"):
                data = data.replace(f"Version: {old}".encode(), f"Version: {version}".encode())
            target.writestr(name.replace(f"-{old}.dist-info", f"-{version}.dist-info"), data)
    return other


def _needed(name: str) -> set[str]:
    """The names of all that a distribution needs, directly or not."""
    needed: set[str] = set()
    to_see = [name]
    while to_see:
        requirements = [Requirement(line) for line in distribution(to_see.pop()).requires or ()]
        wanted = {each.name for each in requirements if each.marker is None or each.marker.evaluate({"extra": ""})}
        to_see.extend(wanted - needed)
        needed |= wanted
    return needed


def _pack(installed: Distribution, folder: Path) -> None:
    tags = [line.removeprefix("Tag: ") for line in (installed.read_text("WHEEL") or "").splitlines() if "Tag: " in line]
    python, abi, _ = tags[-1].split("-")
    platforms = ".".join(tag.split("-")[2] for tag in tags if tag.startswith(f"{python}-{abi}-"))
    name = installed.name.replace("-", "_")
    with ZipFile(folder / f"{name}-{installed.version}-{python}-{abi}-{platforms}.whl", "w", ZIP_STORED) as wheel:
        for file in installed.files or ():
            if not _LEFT_OUT & {*file.parts, file.suffix}:
                wheel.write(Path(str(file.locate())), str(file))
