"""Among all that is heard on a pair, a unit's own answer is found, and nobody else's is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.formats.modbus_rtu import find_answer
from firmware_sim.encoders.modbus_register import refusal, registers

OURS = registers(1, [40_000])
REFUSAL = refusal(1, 2)
OF_ANOTHER_UNIT, OF_ANOTHER_FUNCTION = registers(2, [5]), registers(1, [5], function=4)
GARBLED = OURS[:-1] + bytes([OURS[-1] ^ 1])


@pytest.mark.parametrize("before", [b"", b"\x00\x01", OF_ANOTHER_UNIT, OF_ANOTHER_FUNCTION, GARBLED, refusal(2, 2)])
@pytest.mark.parametrize("answer", [OURS, REFUSAL])
def test_the_units_own_answer_is_found_behind_anything_else(before: bytes, answer: bytes) -> None:
    assert find_answer(before + answer, unit=1, function=3) == answer
    assert find_answer(before + answer + b"\x00", unit=1, function=3) == answer


@pytest.mark.parametrize(
    "heard", [b"", b"\x01", OF_ANOTHER_UNIT, OF_ANOTHER_FUNCTION, GARBLED, OURS[:-1], REFUSAL[:-1]]
)
def test_what_is_no_whole_answer_of_the_unit_is_none(heard: bytes) -> None:
    assert find_answer(heard, unit=1, function=3) == b""


@given(st.binary(max_size=30))
def test_whatever_is_heard_is_searched_to_its_end(heard: bytes) -> None:
    assert find_answer(heard, unit=1, function=3) in heard
