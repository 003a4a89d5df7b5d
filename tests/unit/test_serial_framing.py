"""Where a serial model says that a frame ends: told as soon as its bytes tell it, and at once where they cannot be."""

import pytest

from edge.drivers.devices import catalogue
from edge.drivers.model import Framing

BENEWAKES = ["benewake-tfmini-plus", "benewake-tfmini-s", "benewake-tf-luna"]
COMMAND = "fdfcfbfa"
REPORT_2410 = "f4f3f2f1"
UNKNOWN = None


def framing(model: str) -> Framing:
    told = catalogue()[model].framing
    assert told is not None
    return told


def length(model: str, seen: str) -> int | None:
    return framing(model).length(bytes.fromhex(seen))


@pytest.mark.parametrize("model", BENEWAKES)
@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ("5959", 9),
        ("5a", UNKNOWN),
        ("5a04", 4),
        ("5a10", 16),
        ("5a03", 2),
        ("5a11", 2),
        ("5a0801", 8),
    ],
)
def test_a_lidars_measurement_has_nine_bytes_and_a_command_what_it_says(model: str, seen: str, told: int) -> None:
    assert length(model, seen) == told


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (f"{REPORT_2410}0d", UNKNOWN),
        (f"{REPORT_2410}0d00", 23),
        (f"{REPORT_2410}c800", 210),
        (f"{REPORT_2410}0c00", 6),
        (f"{REPORT_2410}c900", 6),
        (f"{COMMAND}0400", 14),
    ],
)
def test_a_presence_radars_report_is_as_long_as_its_length_field_says(seen: str, told: int) -> None:
    assert length("hlk-ld2410", seen) == told


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ("aaff0300", 30),
        (f"{COMMAND}02", UNKNOWN),
        (f"{COMMAND}0200", 12),
        (f"{COMMAND}4000", 74),
        (f"{COMMAND}0100", 6),
        (f"{COMMAND}4100", 6),
    ],
)
def test_a_tracking_radars_report_has_thirty_bytes_and_a_command_what_it_says(seen: str, told: int) -> None:
    assert length("hlk-ld2450", seen) == told


@pytest.mark.parametrize("model", BENEWAKES)
def test_the_problem_of_a_lidars_frame_names_the_byte(model: str) -> None:
    problem = framing(model).problem
    assert problem(bytes.fromhex("5959c8003c0548090c")) is None
    assert problem(bytes.fromhex("5959c8003c0548090d")) == "byte 8: checksum: expected 0x0c, got 0x0d"


@pytest.mark.parametrize(
    ("model", "baud"),
    [*((model, 115_200) for model in BENEWAKES), ("hlk-ld2410", 256_000), ("hlk-ld2450", 256_000)],
)
def test_a_serial_model_is_heard_at_the_speed_of_its_sheet(model: str, baud: int) -> None:
    assert catalogue()[model].baud == baud
