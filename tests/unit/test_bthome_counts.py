"""Several counts in one BTHome message: which are directions of one channel, and which are channels of their own."""

from edge.drivers.devices.bthome_v2 import decode
from edge.readings import DeviceAddress, Frame, Knowledge, Total


def totals(hex_: str) -> list[tuple[str, int | None, int | None, int]]:
    frame = Frame(device=DeviceAddress("54:48:E6:8F:80:A5"), payload=bytes.fromhex(hex_))
    readings = decode(frame, Knowledge())
    return [(each.channel, each.in_, each.out, each.bits) for each in readings if isinstance(each, Total)]


def test_two_counts_of_one_width_are_two_directions_and_another_width_is_another_channel() -> None:
    assert totals("40 0903 3d0500 3d0700") == [("1", 3, None, 8), ("2", 5, 7, 16)]


def test_a_third_count_of_one_width_begins_another_channel() -> None:
    assert totals("40 0901 0902 0903") == [("1", 1, 2, 8), ("2", 3, None, 8)]
