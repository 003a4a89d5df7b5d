"""`passerelle devices list`, `show` and every help: which models there are, told without opening anything."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from edge.drivers.devices import catalogue
from tests.system.devices_command import PATIENCE_S, devices, refused


def test_decode_loads_no_link() -> None:
    program = (
        "import sys; sys.argv = ['passerelle', 'devices', 'list']\n"
        "from passerelle import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'bleak', 'paho', 'serial', 'pymodbus', 'dbus_fast', 'firmware_sim'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_list_filters_by_link_and_kind() -> None:
    lines = devices("list", "--link", "lorawan", "--kind", "parking").out.splitlines()[1:]
    expected = [name for name, model in catalogue().items() if model.kind == "parking" and "lorawan" in model.links]
    assert [line.split()[0] for line in lines] == expected


def test_list_says_when_there_is_none() -> None:
    outcome = devices("list", "--link", "modbus", "--kind", "parking")
    assert (outcome.status, outcome.out) == (0, "")
    assert "no model" in outcome.err


def test_list_names_the_kinds_there_are_when_asked_for_another() -> None:
    outcome = devices("list", "--kind", "nonsense")
    assert (outcome.status, outcome.out) == (2, "")
    said = " ".join(outcome.err.replace("│", " ").split())
    assert "'--kind': expected counter, parking, presence, distance, got 'nonsense'" in said


def test_show_of_a_misspelt_model_names_the_nearest() -> None:
    refused(devices("show", "milesight-vs131"), 2, ": did you mean milesight-vs351, milesight-vs13")
    refused(devices("show", "PCR2"), 2, ": did you mean parametric-pcr2?")


def test_show_tells_how_to_mount_a_model() -> None:
    outcome = devices("show", "hlk-ld2450")
    model = catalogue()["hlk-ld2450"]
    assert f"baud:        {model.baud}" in outcome.out
    assert model.mounting in outcome.out


@pytest.mark.parametrize(
    "words",
    [[word] for word in ("list", "show", "decode", "encode", "new", "ports", "scan")]
    + [["listen", word] for word in ("serial", "chirpstack", "things-stack", "modem", "ble", "modbus")],
    ids=" ".join,
)
def test_every_command_has_help_with_an_example(words: Sequence[str]) -> None:
    outcome = devices(*words, "--help")
    assert outcome.status == 0
    assert "Example" in outcome.out
    assert f"passerelle devices {' '.join(words)}" in outcome.out
