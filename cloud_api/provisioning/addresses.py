"""Addresses of devices as people type them: brought into the contract's form, or refused by name. Pure.

A devEUI is 16 hexadecimal digits in lower case, a DevAddr 8, a Bluetooth address six pairs in upper case with colons.
Whatever is none of them names what hangs on a wire: the gateway's file or the technician gave it that name.
"""

import re
from collections.abc import Iterable
from typing import Final

from cloud_api.provisioning.plan import NotPossibleError, nearest

HEXADECIMAL: Final = re.compile(r"[0-9a-f]+")
EUI_DIGITS: Final = (16, 8)
BLUETOOTH_DIGITS: Final = 12
ON_A_WIRE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
SEPARATORS: Final = str.maketrans("", "", " :-")
NO_NAME: Final = range(10, 21)
"""So many digits are an address that was mistyped, not a name."""
EXPECTED: Final = (
    "a devEUI (16 hexadecimal digits), a Bluetooth address (AA:BB:CC:DD:EE:FF) or the name of what hangs on a wire"
)


def parse_address(text: str) -> str:
    """A device's address in the contract's form. Raises `NotPossibleError`."""
    typed = text.strip()
    digits = typed.translate(SEPARATORS).lower()
    if HEXADECIMAL.fullmatch(digits):
        if len(digits) in EUI_DIGITS:
            return digits
        if len(digits) == BLUETOOTH_DIGITS:
            return ":".join(re.findall("..", digits.upper()))
    if ON_A_WIRE.fullmatch(typed) and not _is_mistyped(digits):
        return typed
    raise NotPossibleError("wrong-address", "device", address=repr(text), expected=_expected(digits))


def address_meant(text: str, known: Iterable[str]) -> str:
    """The same; what is none comes with the nearest address that is known. Raises `NotPossibleError`."""
    try:
        return parse_address(text)
    except NotPossibleError as error:
        raise NotPossibleError(error.name, error.field, nearest=nearest(text, known), **error.facts) from error


def _is_mistyped(digits: str) -> bool:
    """Digits of an address, too many or too few, or with a letter that is none."""
    wrong = sum(not HEXADECIMAL.fullmatch(each) for each in digits)
    return len(digits) in NO_NAME and wrong <= 2


def _expected(digits: str) -> str:
    if not _is_mistyped(digits):
        return EXPECTED
    wrong = sorted({each for each in digits if not HEXADECIMAL.fullmatch(each)})
    return f"hexadecimal digits without {' '.join(wrong)}" if wrong else f"16 hexadecimal digits, not {len(digits)},"
