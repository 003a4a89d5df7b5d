"""Terabee People Counting L / XL: an overhead depth sensor above wide doors that counts people in and out.

In come counting data (fPort 1) and answers to commands (other fPorts), big-endian; out come totals and health. Without
the flags byte the health is unknown, not good. Source: Actility device catalogue, vendors/terabee/drivers/pc-l-xl.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.drivers.formats.fields import notes, require_length, unsigned
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Frame, Health, Knowledge, ResetCause, Total

NAME = "terabee-people-counting-l-xl"
CHANNEL = "line1"
MODE = "pedestrian"
TOTAL_BITS = 32
COUNTING_PORT, AREA_PORT = 1, 101
COUNTING_LENGTHS = (8, 9)
ACKNOWLEDGEMENT, ACKNOWLEDGEMENT_LENGTH, REFUSED = b"\xff", 3, 0xFF
POINT_BITS, POINT_Y_BITS = 13, 6

STOPPED, STUCK, MULTIPLE, WIFI = 0x01, 0x02, 0x04, 0x08
WIFI_ON = "Wi-Fi access point is on: anyone nearby can change its settings"

Read = Callable[[bytes], list[AnyReading]]
Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Response:
    """What a device answers to one command."""

    width: int
    """Bytes of the value behind the command id."""
    read: Read


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """The totals or the health that one uplink tells. Raises `DecodeError`."""
    if frame.port == COUNTING_PORT:
        return _counting(frame)
    if frame.payload[:1] == ACKNOWLEDGEMENT:
        return _acknowledgement(frame)
    if frame.port == AREA_PORT:
        return [_area(frame)]
    return _response(frame)


def _counting(frame: Frame) -> list[AnyReading]:
    require_length(NAME, frame, *COUNTING_LENGTHS)
    total = _total(frame.payload)
    return [total] if len(frame.payload) == 8 else [total, _flags(frame.payload[8])]


def _total(data: bytes) -> Total:
    return Total(channel=CHANNEL, mode=MODE, in_=unsigned(data, 0, 4), out=unsigned(data, 4, 4), bits=TOTAL_BITS)


def _flags(flags: int) -> Health:
    return Health(
        fault=notes(
            "counting stopped" if flags & STOPPED else None,
            "counting stuck" if flags & STUCK else None,
            "more than one device problem" if flags & MULTIPLE else None,
        ),
        note=WIFI_ON if flags & WIFI else None,
        diagnostics={
            "counting_stopped": bool(flags & STOPPED),
            "counting_stuck": bool(flags & STUCK),
            "multiple_problems": bool(flags & MULTIPLE),
            "wifi_access_point": bool(flags & WIFI),
        },
    )


def _response(frame: Frame) -> list[AnyReading]:
    """A command id and its value."""
    _require_command(frame, 0)
    response = RESPONSES[frame.port or 0][frame.payload[0]]
    require_length(NAME, frame, 1 + response.width)
    return response.read(frame.payload[1:])


def _acknowledgement(frame: Frame) -> list[AnyReading]:
    """Whether a command was accepted; where its response has no value, both mean the same."""
    if frame.port is None or frame.port not in RESPONSES:
        raise _unknown_command(frame, frame.payload[0])
    require_length(NAME, frame, ACKNOWLEDGEMENT_LENGTH)
    command, status = frame.payload[1], frame.payload[2]
    if frame.port != AREA_PORT:
        _require_command(frame, 1)
    response = RESPONSES[frame.port].get(command)
    if status == REFUSED:
        return [Health(note=f"command {command} on fPort {frame.port} refused")]
    if response is not None and not response.width:
        return response.read(b"")
    return [Health(note=f"command {command} on fPort {frame.port} accepted")]


def _require_command(frame: Frame, offset: int) -> None:
    if not frame.payload:
        raise DecodeError(NAME, "empty payload", port=frame.port, offset=0)
    if frame.payload[offset] not in RESPONSES.get(frame.port or 0, {}):
        raise _unknown_command(frame, frame.payload[offset])


def _unknown_command(frame: Frame, command: int) -> DecodeError:
    return DecodeError(NAME, f"unknown command {command} on fPort {frame.port}", port=frame.port, offset=0)


def _area(frame: Frame) -> Health:
    """The polygon in which it counts: points of 7 bits x and 6 bits y, packed to the right."""
    if not frame.payload:
        raise DecodeError(NAME, "empty payload", port=frame.port, offset=0)
    count, packed = frame.payload[0], frame.payload[1:]
    expected = -(-POINT_BITS * count // 8)
    if len(packed) != expected:
        reason = f"{count} points: expected {expected} bytes behind the number, got {len(packed)}"
        raise DecodeError(NAME, reason, port=frame.port, offset=1)
    bits = int.from_bytes(packed, "big")
    points = [bits >> POINT_BITS * index & 2**POINT_BITS - 1 for index in reversed(range(count))]
    area = " ".join(f"{point >> POINT_Y_BITS},{point & 2**POINT_Y_BITS - 1}" for point in points)
    return Health(diagnostics={"counting_area": area})


def _restarted(cause: ResetCause) -> Read:
    return lambda _value: [Health(reset=cause)]


def _done(note: str) -> Read:
    return lambda _value: [Health(note=note)]


def _figure(name: str, value: Callable[[bytes], Value]) -> Read:
    return lambda data: [Health(diagnostics={name: value(data)})]


def _version(data: bytes) -> str:
    return ".".join(str(part) for part in data)


def _number(data: bytes) -> int:
    return unsigned(data, 0)


def _is_one(data: bytes) -> bool:
    return data[0] == 1


def _read_back(data: bytes) -> list[AnyReading]:
    return [_total(data)]


def _firmware(data: bytes) -> list[AnyReading]:
    return [Health(firmware=_version(data))]


def _wifi(data: bytes) -> list[AnyReading]:
    on = _is_one(data)
    return [Health(note=WIFI_ON if on else None, diagnostics={"wifi_access_point": on})]


def _counts_set(_value: bytes) -> list[AnyReading]:
    return [Health(reset=ResetCause.OTHER, note="counts set to chosen values: the next total may step up or down")]


COUNTER_RESET = Response(0, _restarted(ResetCause.REQUEST))
"""Cleared, rebooted or started again by command: the next total may be lower."""

PARTS = {2: "web_gui", 3: "lora_agent", 4: "access_point", 5: "updater", 6: "fan_service"}
RESPONSES: Mapping[int, Mapping[int, Response]] = {
    2: {1: COUNTER_RESET, 2: Response(8, _read_back), 130: Response(0, _counts_set)},
    3: {1: COUNTER_RESET, 2: COUNTER_RESET},
    4: {
        1: Response(3, _firmware),
        **{command: Response(3, _figure(f"{part}_version", _version)) for command, part in PARTS.items()},
    },
    5: {1: Response(1, _wifi), 129: Response(0, _done("Wi-Fi access point set"))},
    6: {1: Response(0, _restarted(ResetCause.REJOIN))},
    7: {1: Response(0, _done("time sync forced"))},
    100: {
        1: Response(2, _figure("mounting_height_mm", _number)),
        129: Response(0, _done("mounting height set")),
        2: Response(1, _figure("direction_reversed", _is_one)),
        130: Response(0, _done("counting direction set: in and out may have changed places")),
        3: Response(2, _figure("push_period_min", _number)),
        131: Response(0, _done("push period set")),
    },
    AREA_PORT: {},
    102: {0: Response(0, _done("counting area set"))},
}
"""By fPort and command id; the counting area is told without an id."""

MODEL = Model(
    name=NAME,
    maker="Terabee",
    product="People Counting L / XL",
    kind=Kind.COUNTER,
    detects="people by depth from above, in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    ports={
        COUNTING_PORT: "counting data",
        2: "counts reset, read back or set",
        3: "reboot, counter restarted",
        4: "versions",
        5: "Wi-Fi access point",
        6: "rejoin",
        7: "time sync",
        100: "mounting height, direction, push period",
        AREA_PORT: "counting area",
        102: "counting area set",
    },
    channels=(Channel(name=CHANNEL, mode=MODE, first="in (forward)", second="out (backward)", bits=TOTAL_BITS),),
    reporting_period_s=900,
    mounting=(
        "Above a wide door or corridor, looking straight down, on mains power; give it its mounting height. Switch its "
        "Wi-Fi access point off when done. Never turn its direction round by downlink: turn the installation round."
    ),
    source="actility/device-catalog, vendors/terabee/drivers/pc-l-xl; akenza-io/device-type-library, peopleCountingXL",
    decode=decode,
)
