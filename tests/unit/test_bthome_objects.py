"""Every object on the list is stepped over by its own width, so that what follows it is read at its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.formats.bthome_objects import Item, Items, parse
from edge.readings import DecodeError, DeviceAddress, Frame

MODEL = "bthome-v2"
WIDTHS = {
    1: "00 01 09 0f 10 11 15 16 17 18 19 1a 1b 1c 1d 1e 1f 20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f"
    "3a 46 57 58 59 60 64 65",
    2: "02 03 06 07 08 0c 0d 0e 12 13 14 3c 3d 3f 40 41 43 44 45 47 48 49 4a 51 52 56 5a 5d 5e 5f 61 f0",
    3: "04 05 0a 0b 42 4b f2",
    4: "3e 4c 4d 4e 4f 50 55 5b 5c 62 63 f1",
}
"""The ids on the format's page, by the width of their value in bytes."""
LISTED = [(id_, width) for width, ids in WIDTHS.items() for id_ in bytes.fromhex(ids)]
OF_TOLD_LENGTH = [(0x53, b"\x02", 2), (0x54, b"\x03", 3), (0x3B, b"\x02", 3), (0x3B, b"\xe0", 1)]
"""Text, raw data and commands: id, length byte (a command's upper bits are flags), bytes behind it."""
LAST = b"\xf2\x01\x02\x03"


def parsed(objects: bytes, start: int = 1) -> Items:
    frame = Frame(device=DeviceAddress(""), payload=bytes(start) + objects)
    return parse(MODEL, frame, objects, start)


@pytest.mark.parametrize(("id_", "width"), LISTED, ids=lambda number: f"{number:02x}")
def test_a_listed_object_is_as_wide_as_the_format_says(id_: int, width: int) -> None:
    value = bytes(range(1, width + 1))
    items = parsed(bytes([id_]) + value + LAST).items
    assert items == (Item(id_, value, 1), Item(0xF2, LAST[1:], 2 + width))


@pytest.mark.parametrize(("id_", "length", "width"), OF_TOLD_LENGTH)
def test_text_raw_data_and_commands_are_as_long_as_they_say(id_: int, length: bytes, width: int) -> None:
    items = parsed(bytes([id_]) + length + bytes(width) + LAST).items
    assert items == (Item(id_, bytes(width), 1), Item(0xF2, LAST[1:], 3 + width))


def test_an_id_that_is_not_listed_ends_the_reading_and_says_where() -> None:
    listed = {id_ for id_, _ in LISTED} | {id_ for id_, _, _ in OF_TOLD_LENGTH}
    for id_ in set(range(256)) - listed:
        found = parsed(b"\x01\x5d" + bytes([id_]) + LAST, start=7)
        assert found.items == (Item(0x01, b"\x5d", 7),)
        assert found.notes == (f"undecoded from byte 9: unknown object 0x{id_:02x}",)


def test_an_object_twice_is_in_order_and_one_before_a_lower_id_is_not() -> None:
    assert parsed(bytes.fromhex("3d0100 3d0200")).notes == ()
    assert parsed(bytes.fromhex("0109 0005")).notes == ("objects out of order",)


@given(st.lists(st.sampled_from(LISTED), min_size=1, max_size=8), st.integers(1, 4))
def test_a_value_that_is_cut_is_refused_at_its_id(objects: list[tuple[int, int]], missing: int) -> None:
    whole = b"".join(bytes([id_, *range(width)]) for id_, width in objects)
    last_width = objects[-1][1]
    cut = whole[: len(whole) - min(missing, last_width)]
    with pytest.raises(DecodeError) as refused:
        parsed(cut)
    assert refused.value.offset == 1 + len(whole) - last_width - 1
