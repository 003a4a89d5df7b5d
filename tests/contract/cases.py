"""Case files: what each model must make of given bytes, as data that any language can read.

In comes `tests/cases/MODEL.json`, out come typed cases; a misspelt key is an error. `readings` are written exactly as
`passerelle devices decode` prints them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.readings import AnyReading, DeviceAddress, Frame, Knowledge

FOLDER = Path(__file__).parents[1] / "cases"

Printed = dict[str, Any]
"""One reading as the JSON object that is printed for it."""


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The error that a frame must give."""

    offset: int | None
    reason: str
    """A part of the error's reason."""


class CaseKnowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`Knowledge` as JSON can say it: the key in hexadecimal."""

    firmware: str | None = None
    key: str | None = None
    options: dict[str, bool | int | float | str] = {}


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes in; readings or an error out."""

    name: str
    hex: str
    """The payload; blanks and bars are for reading only."""
    port: int | None = None
    device: str = ""
    knowledge: CaseKnowledge = CaseKnowledge()
    readings: list[Printed] | None = None
    error: Refusal | None = None

    @property
    def frame(self) -> Frame:
        """The frame as a link would hand it over."""
        payload = bytes.fromhex(self.hex.replace("|", " "))
        return Frame(device=DeviceAddress(self.device), payload=payload, port=self.port)

    @property
    def known(self) -> Knowledge:
        """What the codec may know beside the frame."""
        key = None if self.knowledge.key is None else bytes.fromhex(self.knowledge.key)
        return Knowledge(firmware=self.knowledge.firmware, key=key, options=self.knowledge.options)


def models() -> list[str]:
    """The models that have a case file."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def cases(model: str) -> list[Case]:
    """All cases of one model; none where it has no file."""
    path = FOLDER / f"{model}.json"
    return msgspec.json.decode(path.read_bytes(), type=list[Case]) if path.exists() else []


def printed(readings: Sequence[AnyReading]) -> list[Printed]:
    """Readings as the JSON objects that are printed for them."""
    return msgspec.json.decode(msgspec.json.encode(readings), type=list[Printed])
