"""A code survives being read aloud and typed, and a slip of the hand is found before it is taken for another code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.registry.codes import ALPHABET, DRAWN, Code, CodeError, complete, new_code, read_code

CODES = st.lists(st.integers(0, len(ALPHABET) - 1), min_size=DRAWN, max_size=DRAWN).map(complete)
PLACES = st.integers(0, DRAWN)


@given(CODES)
def test_a_code_is_read_as_it_was_shown_in_small_letters_and_without_its_hyphens_too(code: Code) -> None:
    assert read_code(code) == code
    assert read_code(f" {code.lower().replace('-', ' ')} ") == code
    assert read_code(code.replace("0", "o").replace("1", "L")) == code


@given(CODES, PLACES, st.sampled_from(ALPHABET))
def test_one_wrong_character_is_found(code: Code, place: int, other: str) -> None:
    letters = list(code.replace("-", ""))
    right, letters[place] = letters[place], other
    if right == other:
        assert read_code("".join(letters)) == code
    else:
        with pytest.raises(CodeError, match="a character is wrong"):
            read_code("".join(letters))


@given(CODES, PLACES, PLACES)
def test_two_characters_that_changed_places_are_found(code: Code, one: int, other: int) -> None:
    letters = list(code.replace("-", ""))
    letters[one], letters[other] = letters[other], letters[one]
    if letters[one] == letters[other]:
        assert read_code("".join(letters)) == code
    else:
        with pytest.raises(CodeError, match="changed places"):
            read_code("".join(letters))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("7K3M-9QXT-4B2W", "16 letters and digits expected, got 12"),
        ("", "got 0"),
        ("7K3M-9QXT-4B2W-HDUF", "'U' is in no code"),
        ("7K3M-9QXT-4B2W-HDé!", "'É' is in no code"),
    ],
)
def test_what_is_no_code_is_told(typed: str, says: str) -> None:
    with pytest.raises(CodeError, match=says):
        read_code(typed)


def test_no_code_comes_twice() -> None:
    assert len({new_code() for _ in range(1000)}) == 1000
