"""Several counts in one BTHome message: which are directions of one channel, and which are channels of their own."""

import pytest

from edge.drivers.devices.bthome_v2 import decode
from edge.readings import AnyReading, DeviceAddress, Frame, Knowledge, Presence, Range, Total

GENERIC = ["0f", "10", "11", "1a", "1b", "21", "22", "2a", "2c", "2d"]
"""The yes-or-no objects that say something of a place only where somebody says so."""


def decoded(hex_: str, **options: bool | int | float | str) -> list[AnyReading]:
    frame = Frame(device=DeviceAddress("54:48:E6:8F:80:A5"), payload=bytes.fromhex(hex_))
    return decode(frame, Knowledge(options=options))


def totals(hex_: str) -> list[tuple[str, int | None, int | None, int]]:
    return [(each.channel, each.in_, each.out, each.bits) for each in decoded(hex_) if isinstance(each, Total)]


def test_two_counts_of_one_width_are_two_directions_and_another_width_is_another_channel() -> None:
    assert totals("40 0903 3d0500 3d0700") == [("1", 3, None, 8), ("2", 5, 7, 16)]


def test_a_third_count_of_one_width_begins_another_channel() -> None:
    assert totals("40 0901 0902 0903") == [("1", 1, 2, 8), ("2", 3, None, 8)]


def test_the_senders_own_numbers_name_its_channels() -> None:
    assert totals("40 3d0500 6003") == [("3", 5, None, 16)]
    assert totals("40 3d0500 3d0700 6003") == [("3", 5, 7, 16)]
    assert totals("40 3d0500 3d0700 6003 6004") == [("3", 5, None, 16), ("4", 7, None, 16)]


def test_more_counts_than_numbers_share_no_channel() -> None:
    assert totals("40 0903 3d0500 6002") == [("2", 3, None, 8), ("2.2", 5, None, 16)]
    assert totals("40 0901 0902 0903 6003 6004") == [("3", 1, None, 8), ("4", 2, None, 8), ("4.2", 3, None, 8)]


def test_two_presences_under_one_number_are_two_channels() -> None:
    assert decoded("40 2300 2501 6002") == [
        Presence(channel="2", occupied=False),
        Presence(channel="2.2", occupied=True),
    ]


def test_a_distance_has_a_channel_only_where_there_are_several_or_it_is_numbered() -> None:
    assert decoded("40 40f202") == [Range(mm=754)]
    assert decoded("40 40f202 6002") == [Range(channel="2", mm=754)]
    assert decoded("40 40f202 40f302") == [Range(channel="1", mm=754), Range(channel="2", mm=755)]


def test_counts_configured_as_lines_are_channels_however_many() -> None:
    readings = decoded("40 3d0100 3d0200 3d0300", repeated_counts="channels")
    assert readings == [Total(channel=str(number), in_=number, bits=16) for number in (1, 2, 3)]


@pytest.mark.parametrize("id_", GENERIC)
def test_a_yes_or_no_object_is_presence_where_configured_so(id_: str) -> None:
    assert decoded(f"40 {id_}01", presence_object=id_) == [Presence(channel="1", occupied=True)]
    assert decoded(f"40 {id_}00", presence_object=id_) == [Presence(channel="1", occupied=False)]


@pytest.mark.parametrize("id_", [id_ for id_ in GENERIC if id_.isdigit()])
def test_an_object_id_of_digits_may_be_written_as_a_number(id_: str) -> None:
    assert decoded(f"40 {id_}01", presence_object=int(id_)) == [Presence(channel="1", occupied=True)]
