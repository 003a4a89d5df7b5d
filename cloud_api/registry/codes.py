"""One-time codes that are read aloud and typed: sixteen letters and digits in groups of four, the last one a check.

Crockford's alphabet has no letters that look like digits; what is typed instead of them is understood. Fifteen of the
sixteen are random, 75 bits. Over GF(32) the check finds every single character that is wrong, and every two that
changed places.
"""

import secrets
from typing import Final, NewType

Code = NewType("Code", str)
"""As it is shown: `7K3M-9QXT-4B2W-HD5F`."""

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
DRAWN: Final = 15
GROUP: Final = 4
REDUCTION: Final = 0b100101
"""x⁵ + x² + 1, whose root runs through all of GF(32)."""


class CodeError(ValueError):
    """What was typed is no code: why, and what to do."""


def new_code() -> Code:
    """A code that nobody can guess."""
    return complete([secrets.randbelow(len(ALPHABET)) for _ in range(DRAWN)])


def complete(drawn: list[int]) -> Code:
    """The code of fifteen numbers from 0 to 31."""
    letters = "".join(ALPHABET[each] for each in (*drawn, _times_root(_sum(drawn))))
    return Code("-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP)))


def read_code(text: str) -> Code:
    """The code that was typed, in capitals or not, with or without hyphens. Raises `CodeError`."""
    letters = "".join(text.replace("-", " ").split()).upper().translate(MISREAD)
    for letter in letters:
        if letter not in ALPHABET:
            raise CodeError(f"{letter!r} is in no code: digits and letters without I, L, O and U expected")
    if len(letters) != DRAWN + 1:
        raise CodeError(f"{DRAWN + 1} letters and digits expected, got {len(letters)}: read it again")
    numbers = [ALPHABET.index(letter) for letter in letters]
    if _sum(numbers):
        raise CodeError("a character is wrong, or two changed places: read it again")
    return complete(numbers[:DRAWN])


def _sum(numbers: list[int]) -> int:
    """The polynomial that has these coefficients, at the root; 0 for a whole code."""
    total = 0
    for number in numbers:
        total = _times_root(total) ^ number
    return total


def _times_root(number: int) -> int:
    doubled = number << 1
    return doubled ^ REDUCTION if doubled > len(ALPHABET) - 1 else doubled
