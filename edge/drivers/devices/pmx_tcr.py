"""PMX TCR: a side-looking radar that counts people, bicycles and vehicles by category, in two directions.

In comes one uplink per category and interval, told apart by the fPort, out come deltas and health. It sends no total,
and the unfiltered count (fPort 13) contains the categories: the two must never be added.
Source: Actility device catalogue, vendors/pmx/drivers/pmx-tcr; PMX, "TCR LoRaWAN payload".
"""

from edge.drivers.formats.fields import require_length, unknown_port, unsigned
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Delta, Frame, Health, Knowledge, ResetCause

NAME = "pmx-tcr"
CHANNEL = "line1"
MODES = {13: "all", 14: "cat1", 15: "cat2", 16: "cat3", 17: "cat4"}
IDENTITY_PORT, ANSWER_PORT = 190, 1
COUNTS, IDENTITY, ANSWER = 0xA2, 0xD2, 0xC2
COUNTS_LENGTH, IDENTITY_LENGTH, ANSWER_LENGTHS = 10, 8, (3, 4)
OLDER_FIRMWARE = {0xBE, 0xC1}
"""First bytes of Parametric's firmware before PMX took over."""

DEVICE_TYPES = (
    *("LS", "LSS", "HS", "HSS", "LSA", "LSB", "HSA", "HSB", "LSBS", "HSBS", "DLI", "DLE", "SLI", "SLE"),
    *("PCR2-OD", "PCR2-ODS"),
)
FEATURE_LEVELS = ("basic", "advanced", "pro")
SPEED_CLASSES = ("P", "LS", "HS")


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """The counts or the identity that one uplink tells; nothing for an answer to a downlink. Raises `DecodeError`."""
    if frame.port in MODES:
        return _counts(frame, MODES[frame.port])
    if frame.port == IDENTITY_PORT:
        return _identity(frame)
    if frame.port == ANSWER_PORT:
        _require_type(frame, ANSWER)
        require_length(NAME, frame, *ANSWER_LENGTHS)
        return []
    raise unknown_port(NAME, frame, "1, 13 to 17 or 190")


def _require_type(frame: Frame, expected: int) -> None:
    if not frame.payload:
        raise DecodeError(NAME, "empty payload", port=frame.port, offset=0)
    found = frame.payload[0]
    if found == expected:
        return
    older = " (older Parametric firmware)" if found in OLDER_FIRMWARE else ""
    reason = f"payload type {found:02x} not supported on fPort {frame.port}{older}: expected {expected:02x}"
    raise DecodeError(NAME, reason, port=frame.port, offset=0)


def _counts(frame: Frame, mode: str) -> list[AnyReading]:
    _require_type(frame, COUNTS)
    require_length(NAME, frame, COUNTS_LENGTH)
    payload = frame.payload
    hour, minute = payload[1], payload[2]
    for offset, value, last, name in ((1, hour, 23, "hour"), (2, minute, 59, "minute")):
        if value > last:
            raise DecodeError(NAME, f"{name} {value}: expected 0 to {last}", port=frame.port, offset=offset)
    ltr, rtl = unsigned(payload, 3), unsigned(payload, 6)
    diagnostics: dict[str, int | float | bool | str] = {f"{mode}_interval_end": f"{hour:02}:{minute:02}"}
    if ltr:
        diagnostics[f"{mode}_ltr_speed_kmh"] = payload[5]
    if rtl:
        diagnostics[f"{mode}_rtl_speed_kmh"] = payload[8]
    return [
        Delta(channel=CHANNEL, mode=mode, in_=ltr, out=rtl),
        Health(battery_v=payload[9] / 10, diagnostics=diagnostics),
    ]


def _identity(frame: Frame) -> list[AnyReading]:
    _require_type(frame, IDENTITY)
    require_length(NAME, frame, IDENTITY_LENGTH)
    payload = frame.payload
    return [
        Health(
            reset=ResetCause.REJOIN,
            firmware=_version(payload, 4),
            diagnostics={
                "device_type": _name(DEVICE_TYPES, payload[1]),
                "feature_level": _name(FEATURE_LEVELS, payload[2]),
                "speed_class": _name(SPEED_CLASSES, payload[3]),
                "charger_firmware": _version(payload, 6),
            },
        )
    ]


def _name(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else f"unknown {number}"


def _version(payload: bytes, offset: int) -> str:
    first, second = payload[offset : offset + 2]
    return f"{first >> 4}.{first & 0x0F}.{second}"


MODEL = Model(
    name=NAME,
    maker="PMX",
    product="TCR",
    kind=Kind.COUNTER,
    detects="people, bicycles and vehicles by radar, with their speed, in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    ports={
        **{port: f"counts of {mode}" for port, mode in MODES.items()},
        IDENTITY_PORT: "identity, after a restart or rejoin",
        ANSWER_PORT: "answer to a configuration downlink, no reading",
    },
    channels=tuple(
        Channel(name=CHANNEL, mode=mode, first="left to right", second="right to left") for mode in MODES.values()
    ),
    reporting_period_s=600,
    mounting=(
        "Beside the path, looking across it. Set up the filter categories for what is to be told apart (people, "
        "bicycles, vehicles). The unfiltered count contains the categories: never add the two. It sends no totals, so "
        "a lost frame is lost: choose a place with good radio."
    ),
    source="actility/device-catalog, vendors/pmx/drivers/pmx-tcr; PMX, TCR LoRaWAN payload (docs.pmx.systems)",
    decode=decode,
)
