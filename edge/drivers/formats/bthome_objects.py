"""The objects of a BTHome v2 message: an id, then a value whose width the id tells.

In come the plain objects of one message, out come their ids, values and places. An id that is not on the list has no
known width: what stands before it is kept, and the place is told. Source: bthome.io/format, version 2.
"""

from dataclasses import dataclass
from itertools import pairwise

from edge.readings import DecodeError, Frame

WIDTHS: dict[int, int] = {
    **dict.fromkeys((0x00, 0x01, 0x09, 0x0F, 0x10, 0x11, *range(0x15, 0x30)), 1),
    **dict.fromkeys((0x3A, 0x46, 0x57, 0x58, 0x59, 0x60, 0x64, 0x65), 1),
    **dict.fromkeys((0x02, 0x03, 0x06, 0x07, 0x08, 0x0C, 0x0D, 0x0E, 0x12, 0x13, 0x14), 2),
    **dict.fromkeys((0x3C, 0x3D, 0x3F, 0x40, 0x41, 0x43, 0x44, 0x45, 0x47, 0x48, 0x49, 0x4A), 2),
    **dict.fromkeys((0x51, 0x52, 0x56, 0x5A, 0x5D, 0x5E, 0x5F, 0x61, 0xF0), 2),
    **dict.fromkeys((0x04, 0x05, 0x0A, 0x0B, 0x42, 0x4B, 0xF2), 3),
    **dict.fromkeys((0x3E, 0x4C, 0x4D, 0x4E, 0x4F, 0x50, 0x55, 0x5B, 0x5C, 0x62, 0x63, 0xF1), 4),
}
"""Value width in bytes by object id."""
TEXT, RAW, COMMAND = 0x53, 0x54, 0x3B
"""Objects whose first byte tells their length."""


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a message."""

    id: int
    value: bytes
    """Little-endian; without the length byte of text and raw data."""
    offset: int
    """Of its id in the service data."""


@dataclass(frozen=True, slots=True)
class Items:
    """The objects of a message, in its order, and what is odd about them."""

    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()


def parse(model: str, frame: Frame, objects: bytes, start: int) -> Items:
    """The objects, decrypted where they were not plain, that stand at `start` of the frame. Raises `DecodeError`."""
    items: list[Item] = []
    notes: list[str] = []
    place = 0
    while place < len(objects):
        extent = _extent(objects, place)
        if extent is None:
            notes.append(f"undecoded from byte {start + place}: unknown object 0x{objects[place]:02x}")
            break
        first, end = extent
        if end > len(objects):
            reason = f"object 0x{objects[place]:02x}: its value runs past the end"
            raise DecodeError(model, reason, port=frame.port, offset=start + place)
        items.append(Item(objects[place], objects[first:end], start + place))
        place = end
    notes += [f"empty object 0x{item.id:02x} at byte {item.offset}" for item in items if not item.value]
    if any(later.id < earlier.id for earlier, later in pairwise(items)):
        notes.append("objects out of order")
    return Items(tuple(items), tuple(notes))


def _extent(objects: bytes, place: int) -> tuple[int, int] | None:
    """Where the value of the object at `place` begins and ends; None for an unknown id."""
    id_ = objects[place]
    if id_ in WIDTHS:
        return place + 1, place + 1 + WIDTHS[id_]
    if id_ not in (TEXT, RAW, COMMAND):
        return None
    if place + 1 >= len(objects):
        return place + 1, len(objects) + 1
    told = objects[place + 1]
    width = told if id_ != COMMAND else 1 + (told & 0x1F)
    return place + 2, place + 2 + width
