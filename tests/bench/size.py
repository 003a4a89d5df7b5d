"""How many megabytes `pip install` brings for a gateway, beside what it brings for the city's platform too.

Installs from a copy of this checkout into fresh environments, so it needs the network (or pip's cache).
"""

import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from tests.bench.table import Row

CHECKOUT = Path(__file__).parents[2]
NOT_OURS = ("pip", "setuptools", "wheel", "_distutils_hack", "distutils-precedence.pth")
LEFT_OUT = ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests", "demo-data")


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with TemporaryDirectory() as name:
        source = Path(name) / "source"
        copytree(CHECKOUT, source, ignore=LEFT_OUT)
        gateway = _installed_mb(str(source), Path(name) / "gateway")
        platform = _installed_mb(f"{source}[cloud]", Path(name) / "platform")
    yield Row("site-packages of a gateway, without pip", gateway, "MB", platform, "with the extra `cloud`")


def _installed_mb(package: str, environment: Path) -> float:
    """Megabytes (10**6 bytes) in site-packages after installing the package into a fresh environment."""
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True, stdout=sys.stderr)
    (packages,) = environment.glob("lib/python*/site-packages")
    return sum(_bytes(each) for each in packages.iterdir() if not each.name.startswith(NOT_OURS)) / 1_000_000


def _bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
