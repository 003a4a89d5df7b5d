"""The stream cutter: frames out of noise, by a small framing made for the test."""

from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.links.stream_cutter import Piece, Rubbish, StreamCutter
from edge.drivers.model import Framing

HEADER = b"\xaa\xff"
OTHER_HEADER = b"\xfd\xfc"


def _length(seen: bytes) -> int | None:
    return seen[2] + 4 if len(seen) > 2 else None


def _problem(data: bytes) -> str | None:
    return None if data[-1] == 0x55 else f"byte {len(data) - 1}: tail"


FRAMING = Framing(header=(HEADER, OTHER_HEADER), length=_length, problem=_problem)


def _frame(body: bytes, header: bytes = HEADER) -> bytes:
    return header + bytes([len(body)]) + body + b"\x55"


def _cutter() -> StreamCutter:
    return StreamCutter(FRAMING)


def test_two_frames_in_one_read_are_two_frames() -> None:
    first, second = _frame(b"one"), _frame(b"two", OTHER_HEADER)
    assert _cutter().feed(first + second, 0) == [first, second]


def test_a_frame_in_three_pieces_is_one_frame() -> None:
    frame, cutter = _frame(b"three"), _cutter()
    assert cutter.feed(frame[:1], 0) == []
    assert cutter.feed(frame[1:5], 20) == []
    assert cutter.feed(frame[5:], 40) == [frame]


def test_noise_before_a_frame_is_one_rubbish_with_its_place() -> None:
    frame = _frame(b"x")
    assert _cutter().feed(b"\x00\xaa\x01" + frame, 0) == [Rubbish(0, 3, b"\x00\xaa\x01", None), frame]


def test_a_header_inside_a_broken_frame_is_found_one_byte_further() -> None:
    frame = _frame(b"good")
    broken = HEADER + bytes([len(frame) + 1]) + b"\x01"
    pieces = _cutter().feed(broken + frame + b"\x00", 0)
    assert pieces == [Rubbish(0, len(broken), broken, f"byte {len(broken + frame)}: tail"), frame]


def test_an_unfinished_frame_is_dropped_after_100_ms_of_silence() -> None:
    cutter = _cutter()
    assert cutter.feed(_frame(b"cut off")[:6], 1_000) == []
    assert cutter.quiet(1_099) == []
    [rubbish] = cutter.quiet(1_100)
    assert isinstance(rubbish, Rubbish)
    assert (rubbish.offset, rubbish.length, rubbish.problem) == (0, 6, "unfinished after 100 ms")


def test_a_whole_frame_inside_an_unfinished_one_is_rescued() -> None:
    frame, cutter = _frame(b"rescued"), _cutter()
    assert cutter.feed(HEADER + b"\xf0" + frame, 0) == []
    assert cutter.quiet(100) == [Rubbish(0, 3, HEADER + b"\xf0", "unfinished after 100 ms"), frame]


def test_endless_noise_is_told_once_a_second() -> None:
    cutter, pieces = _cutter(), list[Piece]()
    for now_ms in range(0, 3_000, 10):
        pieces += cutter.feed(bytes(100), now_ms)
    assert [piece.offset for piece in pieces if isinstance(piece, Rubbish)] == [0, 10_100]
    assert all(isinstance(piece, Rubbish) and len(piece.data) == 600 for piece in pieces)


def test_an_impossible_length_is_no_reason_to_wait() -> None:
    framing = Framing(header=(HEADER,), length=lambda _: 65_535, problem=_problem)
    cutter = StreamCutter(framing)
    assert cutter.feed(HEADER, 0) == []
    assert cutter.quiet(100) == [Rubbish(0, 2, HEADER, "impossible length 65535")]


@given(st.lists(st.binary(max_size=14) | st.binary(max_size=40).map(_frame), max_size=20), st.integers(1, 50))
def test_any_bytes_come_out_as_frames_and_rubbish_in_order(parts: list[bytes], chunk: int) -> None:
    stream, cutter, pieces = b"".join(parts), _cutter(), list[Piece]()
    for offset in range(0, len(stream), chunk):
        pieces += cutter.feed(stream[offset : offset + chunk], 0)
    pieces += cutter.quiet(100)
    assert b"".join(piece.data if isinstance(piece, Rubbish) else piece for piece in pieces) == stream
    assert sum(piece.length if isinstance(piece, Rubbish) else len(piece) for piece in pieces) == len(stream)


@given(st.lists(st.binary(max_size=40).map(_frame), max_size=20), st.integers(1, 50))
def test_frames_alone_come_out_as_they_went_in(frames: list[bytes], chunk: int) -> None:
    stream, cutter, pieces = b"".join(frames), _cutter(), list[Piece]()
    for offset in range(0, len(stream), chunk):
        pieces += cutter.feed(stream[offset : offset + chunk], 0)
    assert pieces == frames
