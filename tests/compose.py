"""`deploy/platform/compose` as Docker reads it: services with the values of an environment file, and their mounts.

Where no container can be run, a folder stands for the root of each: what is mounted there are links to one folder that
stands for the machine, and configuration files in which paths begin with that root.
"""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

import yaml

from tests.platform_files import PLATFORM

COMPOSE: Final = PLATFORM / "compose"
FILE: Final = COMPOSE / "compose.yaml"
_VARIABLE: Final = re.compile(r"\$(?:\$|\{(\w+)(?::-([^}]*))?\})")
_ABSOLUTE: Final = re.compile(r"(?<![\w./:-])/(?=(?:etc|run|var|data|config|mosquitto|bootstrap)(?:/|\b))")


class Kind(Enum):
    """Where it is that a container sees something of."""

    MACHINE = "beside compose.yaml"
    VOLUME = "with Docker"
    READ_BY_ONE = "a file that one may read"


@dataclass(frozen=True, slots=True)
class Mount:
    """What a container sees at a path."""

    kind: Kind
    source: str
    target: str

    @property
    def is_shipped(self) -> bool:
        """Whether it is a file of ours; all others are made on the machine."""
        return self.kind is Kind.MACHINE and (COMPOSE / self.source).is_file()


@dataclass(frozen=True, slots=True)
class Service:
    """One service, as `docker compose config` would show it."""

    name: str
    settings: dict[str, Any] = field(repr=False)
    mounts: tuple[Mount, ...]

    @property
    def words(self) -> list[str]:
        """Program and arguments; the image's own program is not among them."""
        return [*_words(self.settings.get("entrypoint", [])), *_words(self.settings.get("command", []))]

    @property
    def health(self) -> list[str]:
        """The words of its health check."""
        return list(self.settings["healthcheck"]["test"][1:])

    @property
    def owner(self) -> int:
        """As whom it runs."""
        return int(self.settings["user"].partition(":")[0])

    @property
    def environment(self) -> dict[str, str]:
        """What it is told by its environment."""
        return dict(self.settings.get("environment", {}))


def services(environment: Mapping[str, str]) -> dict[str, Service]:
    """All services, by name. Raises `KeyError` for a variable that has no value."""
    document = _filled(yaml.safe_load(FILE.read_text()), environment)
    secrets = {name: secret["file"] for name, secret in document["secrets"].items()}
    return {
        name: Service(name, settings, tuple(_mounts(settings, secrets)))
        for name, settings in document["services"].items()
    }


class Root:
    """The file system of one container, in a folder; `machine` stands for all that is made where Docker runs."""

    def __init__(self, service: Service, folder: Path, machine: Path, changes: Mapping[str, str]) -> None:
        """`changes`: words of configuration files that cannot be here, such as ports, and what stands for them."""
        self.folder = folder / service.name
        for target in service.settings.get("tmpfs", []):
            place = self._at(target.partition(":")[0])
            place.mkdir(parents=True)
            place.chmod(0o777)
        for mount in service.mounts:
            place = self._at(mount.target)
            place.parent.mkdir(parents=True, exist_ok=True)
            if mount.is_shipped:
                place.write_text(_changed(self.inside((COMPOSE / mount.source).read_text()), changes))
            else:
                place.symlink_to(_made(machine, mount))

    def inside(self, text: str) -> str:
        """Text in which absolute paths lead into this root."""
        return _ABSOLUTE.sub(f"{self.folder}/", text)

    def _at(self, target: str) -> Path:
        return self.folder / target.removeprefix("/")


def _made(machine: Path, mount: Mount) -> Path:
    """Docker makes a folder that is missing, never a file."""
    place = machine / ("volumes" if mount.kind is Kind.VOLUME else "") / mount.source
    if mount.kind is not Kind.READ_BY_ONE and not place.suffix:
        place.mkdir(parents=True, exist_ok=True)
    return Path(os.path.normpath(place))


def _changed(text: str, changes: Mapping[str, str]) -> str:
    for word, own in changes.items():
        text = text.replace(word, own)
    return text


def _mounts(settings: dict[str, Any], secrets: Mapping[str, str]) -> list[Mount]:
    named = [_volume(each) for each in settings.get("volumes", [])]
    for each in settings.get("secrets", []):
        secret: dict[str, str] = each if isinstance(each, dict) else {"source": each}
        target = secret.get("target", secret["source"])
        place = target if target.startswith("/") else f"/run/secrets/{target}"
        named.append(Mount(Kind.READ_BY_ONE, secrets[secret["source"]], place))
    return named


def _volume(told: str | dict[str, Any]) -> Mount:
    if isinstance(told, dict):
        return Mount(Kind.VOLUME, told["source"], told["target"])
    source, target, *_ = told.split(":")
    return Mount(Kind.MACHINE if source.startswith(".") else Kind.VOLUME, source, target)


def _words(told: str | list[str]) -> list[str]:
    return shlex.split(told) if isinstance(told, str) else list(told)


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, environment) for each in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, environment), value)
    return value


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    name, otherwise = found.groups()
    if name is None:
        return "$"
    return environment[name] if otherwise is None else environment.get(name, otherwise)
