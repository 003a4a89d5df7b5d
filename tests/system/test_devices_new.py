"""`passerelle devices new`: a model that a newcomer adds passes all checks from its first line on."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.drivers.devices import catalogue
from edge.skeleton import CODEC_FILES, Pattern
from tests.system.devices_command import ROOT, devices, refused


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what a checkout holds of codecs and their tests, without the example of the newcomers page."""
    copy = tmp_path / "checkout"
    leave = shutil.ignore_patterns("__pycache__", ".*", "acme*")
    for folder in ("edge", "docs", "tests/contract", "tests/cases"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=leave)
    for file in ("pyproject.toml", "tests/__init__.py"):
        shutil.copy(ROOT / file, copy / file)
    return copy


CODEC, CASES = "edge/drivers/devices/acme_gate1.py", "tests/cases/acme-gate1.json"


def check(checkout: Path, *models: str) -> None:
    """Lint, types and the contract of codecs, for these models."""
    codecs = [f"edge/drivers/devices/{model.replace('-', '_')}.py" for model in models]
    for command in (
        ["ruff", "format", "--check", *codecs],
        ["ruff", "check", *codecs],
        ["mypy", "--config-file", "pyproject.toml", *codecs],
        ["pytest", "-q", "-p", "no:cacheprovider", "tests/contract/test_codecs.py", "-k", " or ".join(models)],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=checkout, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_new_models_of_each_kind_and_the_newcomers_example_pass_lint_types_and_contract_as_they_are(
    checkout: Path,
) -> None:
    models = [f"acme-{kind}1" for kind in Pattern]
    for kind, model in zip(Pattern, models, strict=True):
        outcome = devices("new", model, "--kind", kind, "--checkout", str(checkout))
        assert outcome.status == 0, outcome.err
    page = (ROOT / "docs/adding-a-device.md").read_text()
    for path, language in ((CODEC, "python"), (CASES, "json")):
        _, _, block = page.partition(f"```{language}\n")
        (checkout / path).write_text(block.partition("```")[0])
    check(checkout, *models, "acme-gate1")


def test_the_newcomers_page_names_files_and_commands_that_are_there() -> None:
    page = (ROOT / "docs/adding-a-device.md").read_text()
    ours = {CODEC, CASES, "firmware_sim/encoders/acme_gate1.py"}
    files = {
        name
        for name in re.findall(r"`((?:edge|tests|firmware_sim|docs)/[\w./-]+\.\w+)`", page)
        if name not in ours and not (ROOT / name).exists()
    }
    neighbours = {
        name
        for name in re.findall(r"`(\w+\.py)`", page)
        if not [*(ROOT / "edge/drivers/devices").glob(name), *(ROOT / "tests/contract").glob(name)]
    }
    assert (files, neighbours) == (set(), set())


def test_new_overwrites_nothing(checkout: Path) -> None:
    cases = checkout / CASES
    cases.write_text("mine")
    refused(devices("new", "acme-gate1", "--checkout", str(checkout)), 1, "is there already; nothing was written")
    assert cases.read_text() == "mine"
    assert not (checkout / CODEC).exists()


@pytest.mark.parametrize("name", ["Acme-Gate", "gate", "acme_gate", "acme-", "../acme-gate", "a-" + "b" * 40])
def test_new_wants_a_maker_and_a_model(checkout: Path, name: str) -> None:
    refused(devices("new", name, "--checkout", str(checkout)), 2, "expected maker-model in lower case")


def test_new_wants_a_checkout(tmp_path: Path) -> None:
    refused(devices("new", "acme-gate1", "--checkout", str(tmp_path)), 2, "is no checkout of Passerelle")


def test_no_model_was_left_as_new_wrote_it() -> None:
    skeletons = " ".join(template.template for template in CODEC_FILES.values())
    assert not [
        model.name for model in catalogue().values() if model.mounting in skeletons or model.source in skeletons
    ]
