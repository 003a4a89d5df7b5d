"""Public test vectors that lie beside the repository, and what a codec must make of them.

In comes a vector file (absent in a plain checkout: then there are no vectors), out come expectations. An engineer adds
vectors in a module `vectors_*.py` of this package with a dict `ADAPTERS`; nothing else needs to change.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import msgspec

from edge.readings import DeviceAddress, Frame, Knowledge

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "vectors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a vector says a frame must give."""

    model: str
    frame: Frame
    readings: Sequence[Mapping[str, object]] = ()
    """One JSON object per reading, in order; a key that is left out may hold anything, `pytest.approx` may be used."""
    refused: str | None = None
    """A part of the error's reason, where the frame must be refused."""
    knowledge: Knowledge = field(default_factory=Knowledge)


Adapter = Callable[[msgspec.Raw], Expectation | None]
"""Reads one vector of a file; None where it is no frame of a model of ours (a command to a device, for example)."""


class Expected(msgspec.Struct, frozen=True):
    """What a LoRaWAN vector expects, in the words of the decoder it was taken from."""

    data: dict[str, Any] = {}
    errors: list[str] = []
    emits: list[dict[str, Any]] = []


class LorawanVector(msgspec.Struct, frozen=True):
    """One LoRaWAN vector."""

    bytes_hex: str
    expected: Expected
    port: int = msgspec.field(name="fPort")

    @property
    def frame(self) -> Frame:
        """The frame that a network server would hand over."""
        return Frame(device=DeviceAddress(""), payload=bytes.fromhex(self.bytes_hex), port=self.port)


def lorawan(model: str, readings: Callable[[dict[str, Any]], Sequence[Mapping[str, object]]]) -> Adapter:
    """The adapter of a LoRaWAN file: `readings` maps a vector's `expected.data` to readings."""

    def adapt(raw: msgspec.Raw) -> Expectation:
        vector = msgspec.json.decode(raw, type=LorawanVector)
        return Expectation(model=model, frame=vector.frame, readings=readings(vector.expected.data))

    return adapt


def adapters() -> dict[str, Adapter]:
    """All adapters by the stem of their vector file."""
    package = __name__.rpartition(".")[0]
    names = [info.name for info in iter_modules([str(Path(__file__).parent)]) if info.name.startswith("vectors_")]
    return {stem: adapter for name in names for stem, adapter in import_module(f"{package}.{name}").ADAPTERS.items()}


def expectations(stem: str, adapter: Adapter) -> Iterator[tuple[int, Expectation]]:
    """The vectors of one file by their index; none where the file is not there."""
    path = FOLDER / f"{stem}.json"
    vectors = msgspec.json.decode(path.read_bytes(), type=list[msgspec.Raw]) if path.exists() else []
    for index, raw in enumerate(vectors):
        expectation = adapter(raw)
        if expectation is not None:
            yield index, expectation
