"""Where a serial model says that a frame ends: told as soon as its bytes tell it, and at once where they cannot be."""

import pytest

from edge.drivers.devices import catalogue

BENEWAKES = ["benewake-tfmini-plus", "benewake-tfmini-s", "benewake-tf-luna"]
COMMAND = "fdfcfbfa"
REPORT_2410 = "f4f3f2f1"
UNKNOWN = None


def length(model: str, seen: str) -> int | None:
    framing = catalogue()[model].framing
    assert framing is not None
    return framing.length(bytes.fromhex(seen))


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
