"""The files in `deploy/platform/compose`, read: the compose specification's own schema, and what services must say."""

import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from tests.compose import COMPOSE, FILE, Kind, Service, services
from tests.platform_files import REPORT, UNITS, command_of, environment_of
from tests.system.programs import REPOSITORY

ENVIRONMENT = environment_of(COMPOSE / ".env.example")
SERVICES = services(ENVIRONMENT)
OURS = "passerelle:"
VERSION = re.compile(r"[\w./-]+:\d+\.\d+(?:\.\d+)?(?:-[\w.]+)*(?:@sha256:[0-9a-f]{64})?")
"""An image's version to the last number that it has; a digest may stand behind it."""
ALONE_AS_ROOT = "bootstrap"
CAPABILITIES = {"front": {"NET_BIND_SERVICE"}, ALONE_AS_ROOT: {"CHOWN", "DAC_OVERRIDE"}}

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def test_the_file_is_sound_by_the_compose_specifications_own_schema() -> None:
    judge = [str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema", "vendor.compose-spec"]
    judged = subprocess.run([*judge, str(FILE)], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@every_service
def test_a_service_is_confined(service: Service) -> None:
    told = service.settings
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert set(told.get("cap_add", [])) == CAPABILITIES.get(service.name, set())
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert set(told["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert (service.owner == 0) == (service.name == ALONE_AS_ROOT)
    assert "privileged" not in told


def test_who_is_root_has_no_network_and_does_not_come_back() -> None:
    told = SERVICES[ALONE_AS_ROOT].settings
    assert (told["network_mode"], told["restart"], told["profiles"]) == ("none", "no", ["setup"])


@every_service
def test_an_image_has_a_version(service: Service) -> None:
    assert VERSION.fullmatch(service.settings["image"])


@every_service
def test_who_stays_has_a_health_check_and_who_ends_has_none(service: Service) -> None:
    assert ("healthcheck" in service.settings) == (service.settings["restart"] == "unless-stopped")


def test_what_is_made_beside_the_files_is_no_part_of_them() -> None:
    ignored = (COMPOSE / ".gitignore").read_text().split()
    made = {
        mount.source.split("/")[1] for told in SERVICES.values() for mount in told.mounts if mount.kind is Kind.MACHINE
    }
    made -= {path.name for path in COMPOSE.iterdir()} | {".."}
    assert {f"/{name}/" for name in made} | {"/.env", "/secrets/"} == set(ignored)


def test_only_the_front_and_the_brokers_tls_can_be_reached_from_outside() -> None:
    published = {name: told.settings["ports"] for name, told in SERVICES.items() if "ports" in told.settings}
    assert published == {"front": ["443:443"], "broker": ["8883:8883"]}
    assert yaml.safe_load(FILE.read_text())["networks"]["inside"] == {"internal": True}
    for name in ("influxdb", "postgres", "store"):
        assert SERVICES[name].settings["networks"] == ["inside"]


def test_no_file_holds_a_secret() -> None:
    secret = re.compile(r"password=|token=|://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE)
    for file in COMPOSE.iterdir():
        if file.is_file():
            assert not secret.search(file.read_text()), file


@every_service
def test_an_environment_names_a_secret_only_by_its_file(service: Service) -> None:
    for name, value in service.environment.items():
        assert not re.search("PASSWORD|TOKEN|KEY|SECRET", name) or value.startswith("/run/secrets/")


def test_the_second_worker_is_the_first_by_another_name() -> None:
    first, second = SERVICES["api-1"], SERVICES["api-2"]
    assert [word for word in second.words if word != "2"] == [word for word in first.words if word != "1"]
    assert second.health == first.health


def test_a_worker_is_told_what_its_unit_is_told() -> None:
    """Host, proxy and the broker's certificates are the network's; all else is of one configuration."""
    unit = command_of(UNITS / "passerelle-api@.service", environment_of(UNITS / "platform.env"), {"i": "1", "d": "/"})
    options = {word for word in unit if word.startswith("--")}
    assert {word for word in SERVICES["api-1"].words if word.startswith("--")} - options == {
        "--host",
        "--proxy",
        "--ca-file",
    }


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("backup", UNITS / "passerelle-backup.service"),
        ("certificates", UNITS / "passerelle-certificates.service"),
        ("reports", REPORT),
    ],
)
def test_what_runs_by_the_clock_is_what_its_unit_runs(name: str, unit: Path) -> None:
    options = {"OPTIONS": ENVIRONMENT["REPORT_OPTIONS"]}
    assert SERVICES[name].words == command_of(unit, {**ENVIRONMENT, **options}, {})


def test_one_environment_has_the_names_of_the_other() -> None:
    assert environment_of(UNITS / "platform.env").keys() <= ENVIRONMENT.keys()


def test_the_front_is_the_only_one_whose_word_for_who_asks_is_believed() -> None:
    words = SERVICES["api-1"].words
    believed = [words[at + 1] for at, word in enumerate(words) if word == "--proxy"]
    assert believed == [SERVICES["front"].settings["networks"]["outside"]["ipv4_address"]]
    network = yaml.safe_load(FILE.read_text())["networks"]["outside"]["ipam"]["config"][0]
    assert network == {"subnet": "172.30.83.0/24", "ip_range": "172.30.83.128/25"}, "nobody else is given that address"


def test_what_the_image_is_made_of_is_there_and_is_let_into_the_build() -> None:
    lines = (COMPOSE / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [
        word
        for line in lines
        if line.startswith("COPY") and "--from" not in line
        for word in shlex.split(line)[1:-1]
        if not word.startswith("--")
    ]
    let_in = [
        line.removeprefix("!")
        for line in (COMPOSE / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert copied
    for name in copied:
        assert any(REPOSITORY.glob(name)), name
        assert any(fnmatch(name, pattern) for pattern in let_in), name


def test_images_of_one_thing_have_one_version_and_ours_has_the_programs() -> None:
    lines = (COMPOSE / "Dockerfile").read_text().splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert all(VERSION.fullmatch(base) for base in bases)
    assert SERVICES["influxdb"].settings["image"] in bases
    project = (REPOSITORY / "pyproject.toml").read_text()
    ours = {told.settings["image"] for told in SERVICES.values() if told.settings["image"].startswith(OURS)}
    assert [f'version = "{image.removeprefix(OURS)}"' in project for image in ours] == [True]
