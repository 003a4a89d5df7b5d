"""`passerelle devices decode` and `encode`: bytes to readings and back, or one line that says why not."""

import re
import shlex
from collections.abc import Sequence

import pytest

from edge.devices_commands import decode_frame
from edge.drivers.devices import catalogue
from edge.readings import DeviceAddress, Frame, Knowledge
from firmware_sim.samples import SAMPLES
from tests.contract import vectors
from tests.system.devices_command import COUNTS, devices, refused

VECTOR_MODEL = "nwave-nps405"


def test_decode_prints_one_reading_a_line() -> None:
    outcome = devices("decode", "parametric-pcr2", "--port", "14", COUNTS)
    assert (outcome.status, outcome.err) == (0, "")
    assert [reading["kind"] for reading in outcome.readings] == ["total", "delta", "health"]


def test_decode_takes_several_groups_as_one_frame() -> None:
    groups = ["aaff0300", "0e03b18610004001", "0000000000000000|0000000000000000", "55cc"]
    assert devices("decode", "hlk-ld2450", *groups).readings == [
        {"kind": "track", "slot": 0, "x_mm": -782, "y_mm": 1713, "speed_mm_s": -160}
    ]


VECTORS = [
    pytest.param(expectation, id=f"{VECTOR_MODEL}[{index}]")
    for index, expectation in vectors.expectations(VECTOR_MODEL, vectors.adapters()[VECTOR_MODEL])
]


@pytest.mark.parametrize("expectation", VECTORS)
def test_decode_says_of_a_public_vector_what_it_expects(expectation: vectors.Expectation) -> None:
    frame = expectation.frame
    outcome = devices("decode", expectation.model, "--port", str(frame.port), frame.payload.hex())
    if expectation.refused is not None:
        refused(outcome, 1, expectation.refused)
        return
    assert len(outcome.readings) == len(expectation.readings)
    for reading, expected in zip(outcome.readings, expectation.readings, strict=True):
        assert reading.items() >= dict(expected).items()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["parametric-pcr3", "00"], 2, "unknown model 'parametric-pcr3': did you mean parametric-pcr2? `pass"),
        (["nothing-like-it", "00"], 2, "unknown model 'nothing-like-it'; `passerelle devices list` shows all"),
        (["parametric-pcr2", "--port", "14", "be0"], 2, "HEX: 3 digits; two are expected for every byte"),
        (["parametric-pcr2", "--port", "14", "bexx"], 2, "HEX: 'x' at digit 2 is not hexadecimal"),
        (["bthome-v2", "--key", "00ff", "40"], 2, "--key: expected 16 bytes (32 digits), got 2"),
        (["modbus-register", "--option", "unit", "00"], 2, "--option: expected NAME=VALUE, got 'unit'"),
        (
            ["modbus-register", "--option", "bogus=1", "00"],
            2,
            "--option: unknown option 'bogus' of modbus-register; exp",
        ),
        (["parametric-pcr2", COUNTS], 1, "DecodeError: parametric-pcr2: no fPort given: expected 14 or 190"),
        (["parametric-pcr2", "--port", "9", COUNTS], 1, "DecodeError: parametric-pcr2 port 9: unknown fPort"),
        (["parametric-pcr2", "--port", "14", COUNTS[:-2]], 1, "DecodeError: parametric-pcr2 port 14, byte 16: too sho"),
    ],
)
def test_decode_refuses_in_one_line(arguments: Sequence[str], status: int, words: str) -> None:
    refused(devices("decode", *arguments), status, words)


def test_the_examples_of_its_help_can_be_decoded() -> None:
    """What the docstring shows, because help at a terminal is folded."""
    shown = re.findall(r"^ +passerelle devices (decode .*)$", decode_frame.__doc__ or "", flags=re.MULTILINE)
    assert len(shown) == 3
    assert [devices(*shlex.split(example)).status for example in shown] == [0, 0, 0]


def test_decode_without_a_frame_is_misuse() -> None:
    outcome = devices("decode", "parametric-pcr2")
    assert (outcome.status, outcome.out) == (2, "")
    assert "HEX" in outcome.err


def test_what_encode_prints_decode_reads() -> None:
    encoded = devices("encode", "parametric-pcr2", "counts_v4", "--value", "ltr=7", "--value", "total_ltr=65535")
    assert encoded.status == 0
    hint = encoded.err.strip().removeprefix("decode it: passerelle devices ").split()
    assert hint[-1] == encoded.out.strip()
    total, delta, _ = devices(*hint).readings
    assert (total["in"], delta["in"]) == (65535, 7)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_is_a_frame_of_its_model(name: str) -> None:
    samples = {message: sample for message, sample in SAMPLES[name].items() if message != "refusal"}
    for sample in samples.values():
        frame = Frame(device=DeviceAddress("A4:C1:38:00:00:01"), payload=sample.payload({}), port=sample.port)
        assert isinstance(catalogue()[name].decode(frame, Knowledge()), list)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_can_be_asked_for_as_it_is_written(name: str) -> None:
    for sample in SAMPLES[name].values():
        wanted = dict(pair.split("=") for pair in sample.written.split())
        assert sample.payload(wanted) == sample.payload({})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["acme-gate1"], "no simulated 'acme-gate1'; expected one of benewake-tf-luna, "),
        (["nwave-ncc405", "parking"], "nwave-ncc405 has no message 'parking'; expected one of counter, heartbeat"),
        (["nwave-ncc405", "--value", "count=1"], "no value 'count': expected total"),
        (["nwave-ncc405", "--value", "total=many"], "value total: 'many' given, expected something like 1706"),
        (["nwave-ncc405", "--value", "total=65536"], "the values do not fit into the frame"),
        (["nwave-ncc405", "start_up", "--value", "firmware=2,4"], "expected something like 2,4,9"),
        (["nwave-ncc405", "--value", "total"], "--value: expected NAME=VALUE, got 'total'"),
    ],
)
def test_encode_refuses_in_one_line(arguments: Sequence[str], words: str) -> None:
    refused(devices("encode", *arguments), 2, words)


def test_encode_lists_the_messages_of_a_model() -> None:
    assert devices("encode", "pni-placepod", "--messages").out.splitlines()[:2] == [
        "parking_status occupied=true keep_alive=false",
        "vehicle_count total=17",
    ]
