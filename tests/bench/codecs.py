"""How long one frame takes to decode, model by model, beside merely unpacking as many bytes."""

from collections.abc import Callable, Iterator, Sequence
from struct import unpack

from edge.drivers.devices import catalogue
from edge.drivers.model import Decode
from tests.bench.table import Row, rate
from tests.contract.cases import Case, cases, models

FRAMES = 1_000
MICRO = 1_000_000


def rows() -> Iterator[Row]:
    """The figures of this file."""
    for model in models():
        good = [case for case in cases(model) if case.readings is not None]
        ours, bare = _decoding(catalogue()[model].decode, good), _unpacking(good)
        yield Row(model, MICRO / rate(ours), "µs/frame", MICRO / rate(bare), "struct.unpack of as many bytes")


def _decoding(decode: Decode, good: Sequence[Case]) -> Callable[[], int]:
    frames = [(case.frame, case.known) for case in good] * _rounds(good)

    def decode_all() -> int:
        for frame, known in frames:
            decode(frame, known)
        return len(frames)

    return decode_all


def _unpacking(good: Sequence[Case]) -> Callable[[], int]:
    payloads = [(f"{len(case.frame.payload)}B", case.frame.payload) for case in good] * _rounds(good)

    def unpack_all() -> int:
        for layout, payload in payloads:
            unpack(layout, payload)
        return len(payloads)

    return unpack_all


def _rounds(good: Sequence[Case]) -> int:
    return -(-FRAMES // len(good))
