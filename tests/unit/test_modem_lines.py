"""What LoRa modems say: public examples, garbled lines, and the two-line form of old firmware."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.links.modem_lines import (
    BadLine,
    Banner,
    Done,
    Failed,
    Line,
    LineCutter,
    Note,
    OtherEvent,
    Packet,
    PacketHead,
    PacketJoiner,
    Text,
    parse_line,
)


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("+EVT:RXP2P:-28:5:48656C6C6F2052616B33313732", Packet(-28, 5, b"Hello Rak3172")),
        ("+EVT:RXP2P:-112:1:1234", Packet(-112, 1, b"\x12\x34")),
        ("+EVT:RXP2P:-112.5:-7.25:aBcD ", Packet(-112.5, -7.25, b"\xab\xcd")),
        ("at+recv=-50,10,5:48656C6C6F", Packet(-50, 10, b"Hello")),
        ("at+recv=-34,6,4:27111988", Packet(-34, 6, bytes.fromhex("27111988"))),
    ],
)
def test_packets_in_one_line(text: str, packet: Packet) -> None:
    assert parse_line(text) == packet


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("+EVT:RXP2P RECEIVE TIMEOUT", Note.RECEIVE_TIMEOUT),
        ("+EVT:RXP2P RECEIVE ERROR", Note.RECEIVE_ERROR),
        ("+EVT:TXP2P DONE", Note.SENT),
        ("+EVT:JOINED", OtherEvent("+EVT:JOINED")),
        ("+EVT:0102", OtherEvent("+EVT:0102")),
        ("+EVT:RXP2P, RSSI -47, SNR 9", PacketHead("+EVT:RXP2P, RSSI -47, SNR 9", -47, 9)),
        ("OK", Done("")),
        ("OK V3.0.0.14.H", Done("V3.0.0.14.H")),
        ("AT_BUSY_ERROR", Failed("AT_BUSY_ERROR")),
        ("ERROR: 2", Failed("ERROR: 2")),
        ("AT+VER=3.2.0-xyz", Text("AT+VER=3.2.0-xyz")),
        ("Current Work Mode: LoRa P2P.", Banner("Current Work Mode: LoRa P2P.")),
    ],
)
def test_other_lines(text: str, line: Line) -> None:
    assert parse_line(text) == line


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("+EVT:RXP2P:-28:5:486", 20),
        ("+EVT:RXP2P:-28:5:", 17),
        ("+EVT:RXP2P:-28:5:48xx", 19),
        ("+EVT:RXP2P:-28:48", 17),
        ("+EVT:RXP2P:-201:5:48", 11),
        ("+EVT:RXP2P:weak:5:48", 11),
        ("+EVT:RXP2P:-28:51:48", 15),
        ("+EVT:RXP2P, RSSI -47", 20),
        ("+EVT:RXP2P, RSSI 21, SNR 9", 17),
        ("at+recv=-50,10,5:48656C6C", 15),
        ("at+recv=-50,10,x:4865", 15),
        ("at+recv=-50,10:4865", 19),
        ("+EVT:RXP2P:-28:5:" + "00" * 300, 600),
    ],
)
def test_a_garbled_line_names_the_character(text: str, position: int) -> None:
    line = parse_line(text)
    assert isinstance(line, BadLine)
    assert line.position == position


def _take(joiner: PacketJoiner, text: str, now_ms: int) -> list[Line]:
    return joiner.take(parse_line(text), now_ms)


def test_two_lines_are_one_packet_whatever_comes_between() -> None:
    joiner = PacketJoiner()
    assert _take(joiner, "+EVT:RXP2P, RSSI -47, SNR 9", 0) == []
    assert _take(joiner, "+EVT:RXP2P RECEIVE TIMEOUT", 10) == [Note.RECEIVE_TIMEOUT]
    assert _take(joiner, "OK", 20) == [Done("")]
    assert _take(joiner, "+EVT:0102", 999) == [Packet(-47, 9, b"\x01\x02")]


def test_a_second_line_after_a_second_is_too_late() -> None:
    joiner = PacketJoiner()
    _take(joiner, "+EVT:RXP2P, RSSI -47, SNR 9", 0)
    assert joiner.expire(999) == []
    lines = _take(joiner, "+EVT:0102", 1_000)
    assert [line.reason for line in lines if isinstance(line, BadLine)] == [
        "no second line within 1000 ms",
        "a payload without its first line",
    ]


def test_a_first_line_after_a_first_line_replaces_it() -> None:
    joiner = PacketJoiner()
    _take(joiner, "+EVT:RXP2P, RSSI -47, SNR 9", 0)
    [lost] = _take(joiner, "+EVT:RXP2P, RSSI -60, SNR 2", 100)
    assert isinstance(lost, BadLine)
    assert _take(joiner, "+EVT:aa", 200) == [Packet(-60, 2, b"\xaa")]


def test_a_garbled_second_line_is_bad_and_not_forgotten() -> None:
    joiner = PacketJoiner()
    _take(joiner, "+EVT:RXP2P, RSSI -47, SNR 9", 0)
    [bad] = _take(joiner, "+EVT:01 2", 1)
    assert isinstance(bad, BadLine)
    assert bad.position == 7


def test_an_unknown_event_is_left_alone() -> None:
    assert _take(PacketJoiner(), "+EVT:JOINED", 0) == [OtherEvent("+EVT:JOINED")]


def test_lines_are_cut_at_any_line_end_and_in_any_pieces() -> None:
    cutter = LineCutter()
    assert cutter.feed(b"\r\n\nO") == []
    assert cutter.feed(b"K\r\n+EVT:JOI") == ["OK"]
    assert cutter.feed(b"NED\r") == ["+EVT:JOINED"]


def test_an_overlong_line_is_refused_and_the_next_one_read() -> None:
    cutter = LineCutter()
    for _ in range(10):
        assert cutter.feed(b"0" * 100) == []
    overlong, following = cutter.feed(b"0\r\nOK\r\n")
    assert isinstance(parse_line(overlong), BadLine)
    assert following == "OK"


@given(st.text(max_size=700))
def test_any_text_is_a_line_of_some_sort(text: str) -> None:
    joiner = PacketJoiner()
    _take(joiner, "+EVT:RXP2P, RSSI -47, SNR 9", 0)
    assert isinstance(_take(joiner, text, 1), list)


@given(st.lists(st.text("+EVT:RXP2 -0a,", max_size=30)), st.integers(1, 20))
def test_pieces_make_no_difference(lines: list[str], size: int) -> None:
    stream = "".join(line + "\r\n" for line in lines).encode()
    cutter = LineCutter()
    cut = [line for start in range(0, len(stream), size) for line in cutter.feed(stream[start : start + size])]
    assert cut == [line for line in lines if line.strip()]
