"""What `deploy/platform` says, as systemd and Docker read it, moved to a folder and ports of a test's own."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

from tests.system.programs import REPOSITORY

PLATFORM: Final = REPOSITORY / "deploy" / "platform"
UNITS: Final = PLATFORM / "systemd"
REPORT: Final = REPOSITORY / "deploy" / "reports" / "passerelle-report.service"


def settings_of(unit: Path) -> list[tuple[str, str]]:
    """A unit's lines in their order: name and value; a line that ends in a backslash goes on."""
    lines = unit.read_text().replace("\\\n", " ").splitlines()
    named = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return [(name, value) for name, value in named]


def environment_of(file: Path) -> dict[str, str]:
    """An environment file's variables, without the quotes around them."""
    lines = (line for line in file.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name: value.strip('"') for name, value in (line.split("=", 1) for line in lines)}


def command_of(unit: Path, environment: Mapping[str, str], specifiers: Mapping[str, str]) -> list[str]:
    """The words after a unit's program: `$NAME` becomes several words, `${NAME}` and `%d` parts of one."""
    line = dict(settings_of(unit))["ExecStart"]
    for letter, value in specifiers.items():
        line = line.replace(f"%{letter}", value)
    words = [word for text in line.split() for word in _words(text, environment)]
    return words[1:]


def _words(text: str, environment: Mapping[str, str]) -> list[str]:
    if text.startswith("$") and not text.startswith("${"):
        return shlex.split(environment[text[1:]])
    return [Template(text).substitute(environment)]
