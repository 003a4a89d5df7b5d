"""A first codec and case file for a new model: complete, tested by the contract of all codecs, and to be changed.

In comes a model name, out come two new files in a checkout. It must never overwrite one.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from string import Template

MODEL_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
LONGEST_NAME = 40
CODECS = Path("edge/drivers/devices")
CASES = Path("tests/cases")


class Pattern(StrEnum):
    """What a skeleton decodes."""

    COUNTER = "counter"
    """Two totals of 16 bits."""
    PARKING = "parking"
    """One space, occupied or free."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The two files of a model that is not there yet."""

    model: str
    """maker-model in lower case."""
    pattern: Pattern

    def write(self, checkout: Path) -> tuple[Path, Path]:
        """Write both files and return their paths.

        Raises `ValueError` for a bad name or a folder that is no checkout, `FileExistsError` when either file exists.
        """
        if not MODEL_NAME.fullmatch(self.model) or len(self.model) > LONGEST_NAME:
            expected = f"maker-model in lower case, at most {LONGEST_NAME} characters"
            raise ValueError(f"MODEL {self.model!r}: expected {expected}, like acme-gate1")
        if not (checkout / CODECS).is_dir() or not (checkout / CASES).is_dir():
            raise ValueError(f"{checkout.resolve()} is no checkout of Passerelle: {CODECS} or {CASES} is not in it")
        codec = checkout / CODECS / f"{self.model.replace('-', '_')}.py"
        cases = checkout / CASES / f"{self.model}.json"
        for path in (codec, cases):
            if path.exists():
                raise FileExistsError(0, "is there already; nothing was written", str(path))
        codec.write_text(self.codec, encoding="utf-8")
        cases.write_text(CASE_FILES[self.pattern], encoding="utf-8")
        return codec, cases

    @property
    def codec(self) -> str:
        """The codec file."""
        maker, _, product = self.model.partition("-")
        return CODEC_FILES[self.pattern].substitute(name=self.model, maker=maker.capitalize(), product=product.upper())


COUNTER_CODEC = Template('''\
"""$maker $product: people passing a line in two directions, over LoRaWAN.

Two totals of 16 bits arrive on fPort 1, big-endian. Source: the sheet this file is written from.
"""

from edge.drivers.formats.fields import require_length, unknown_port, unsigned
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Knowledge, Total

NAME = "$name"
CHANNEL = "line1"
MODE = "pedestrian"
TOTAL_BITS = 16
COUNTS_PORT = 1
COUNTS_LENGTH = 4


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Totals of one uplink. Raises `DecodeError`."""
    if frame.port != COUNTS_PORT:
        raise unknown_port(NAME, frame, str(COUNTS_PORT))
    require_length(NAME, frame, COUNTS_LENGTH)
    ins, outs = unsigned(frame.payload, 0), unsigned(frame.payload, 2)
    return [Total(channel=CHANNEL, mode=MODE, in_=ins, out=outs, bits=TOTAL_BITS)]


MODEL = Model(
    name=NAME,
    maker="$maker",
    product="$product",
    kind=Kind.COUNTER,
    detects="people by what the sheet says, in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    ports={COUNTS_PORT: "totals"},
    channels=(Channel(name=CHANNEL, mode=MODE, first="in", second="out", bits=TOTAL_BITS),),
    reporting_period_s=600,
    mounting="Where it is mounted, how high, which way it looks, and the settings without which its counts are lost.",
    source="Maker, title and version of the sheet",
    decode=decode,
)
''')

PARKING_CODEC = Template('''\
"""$maker $product: whether one parking space is occupied, over LoRaWAN.

One byte of state and one of battery arrive on fPort 1. Source: the sheet this file is written from.
"""

from edge.drivers.formats.fields import require_length, unknown_port
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, Presence

NAME = "$name"
SPACE = "1"
STATUS_PORT = 1
STATUS_LENGTH = 2
STATES = {0x00: False, 0x01: True}


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Presence and battery of one uplink. Raises `DecodeError`."""
    if frame.port != STATUS_PORT:
        raise unknown_port(NAME, frame, str(STATUS_PORT))
    require_length(NAME, frame, STATUS_LENGTH)
    state, battery = frame.payload
    if state not in STATES:
        reason = f"expected 0x00 (free) or 0x01 (occupied), got 0x{state:02x}"
        raise DecodeError(NAME, reason, port=frame.port, offset=0)
    return [Presence(channel=SPACE, occupied=STATES[state]), Health(battery_v=battery / 10)]


MODEL = Model(
    name=NAME,
    maker="$maker",
    product="$product",
    kind=Kind.PARKING,
    detects="a car on one space, by what the sheet says",
    links=frozenset({LinkKind.LORAWAN}),
    ports={STATUS_PORT: "state and battery"},
    reporting_period_s=3600,
    mounting="Where it is mounted on the space, and the settings without which a silent sensor looks like a free one.",
    source="Maker, title and version of the sheet",
    decode=decode,
)
''')

COUNTER_CASES = """\
[
  {
    "name": "both totals",
    "port": 1,
    "hex": "0012 0016",
    "readings": [
      {"kind": "total", "channel": "line1", "mode": "pedestrian", "in": 18, "out": 22, "bits": 16}
    ]
  },
  {
    "name": "totals at their widest",
    "port": 1,
    "hex": "ffff ffff",
    "readings": [
      {"kind": "total", "channel": "line1", "mode": "pedestrian", "in": 65535, "out": 65535, "bits": 16}
    ]
  },
  {
    "name": "the last byte is missing",
    "port": 1,
    "hex": "0012 00",
    "error": {"offset": 3, "reason": "too short"}
  },
  {
    "name": "a port that the sheet does not list",
    "port": 2,
    "hex": "0012 0016",
    "error": {"offset": null, "reason": "unknown fPort: expected 1"}
  }
]
"""

PARKING_CASES = """\
[
  {
    "name": "occupied",
    "port": 1,
    "hex": "01 24",
    "readings": [
      {"kind": "presence", "channel": "1", "occupied": true},
      {"kind": "health", "battery_v": 3.6}
    ]
  },
  {
    "name": "free",
    "port": 1,
    "hex": "00 1f",
    "readings": [
      {"kind": "presence", "channel": "1", "occupied": false},
      {"kind": "health", "battery_v": 3.1}
    ]
  },
  {
    "name": "a state that the sheet does not list",
    "port": 1,
    "hex": "02 24",
    "error": {"offset": 0, "reason": "expected 0x00 (free) or 0x01 (occupied)"}
  },
  {
    "name": "the battery is missing",
    "port": 1,
    "hex": "01",
    "error": {"offset": 1, "reason": "too short"}
  },
  {
    "name": "a port that the sheet does not list",
    "port": 2,
    "hex": "01 24",
    "error": {"offset": null, "reason": "unknown fPort: expected 1"}
  }
]
"""

CODEC_FILES = {Pattern.COUNTER: COUNTER_CODEC, Pattern.PARKING: PARKING_CODEC}
CASE_FILES = {Pattern.COUNTER: COUNTER_CASES, Pattern.PARKING: PARKING_CASES}
