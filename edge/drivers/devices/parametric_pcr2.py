"""Parametric PCR2: a radar that counts people passing left-to-right (in) and right-to-left (out), over LoRaWAN.

Counts arrive on fPort 14 in three layouts told apart by their first bytes, the configuration on fPort 190 after every
restart or rejoin. Multi-byte fields are big-endian. Source: Parametric, "PCR2 LoRaWAN payload" V2 to V4.
"""

from edge.drivers.formats.fields import celsius, celsius_note, require_length, signed, unknown_port, unsigned
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, DecodeError, Delta, Frame, Health, Knowledge, ResetCause, Total

NAME = "parametric-pcr2"
CHANNEL = "line1"
MODE = "pedestrian"
TOTAL_BITS = 16
COUNTS_PORT = 14
CONFIGURATION_PORT = 190

TLV_TAGS = {0x0A: "ltr", 0x16: "rtl", 0x01: "temperature"}
TLV_LENGTH = 9
EXTENDED_LENGTHS = {3: 16, 4: 17}
CONFIGURATION_V2_LENGTH = 14
CONFIGURATION_LENGTHS = {3: 20, 4: 31, 5: 34, 6: 35}
SENSITIVITY_OFFSETS = {3: 19, 4: 30, 5: 30, 6: 30}


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Totals, deltas and health of one uplink. Raises `DecodeError`."""
    if frame.port == COUNTS_PORT:
        return _counts(frame)
    if frame.port == CONFIGURATION_PORT:
        return _configuration(frame)
    raise unknown_port(NAME, frame, "14 or 190")


def _counts(frame: Frame) -> list[AnyReading]:
    if not frame.payload:
        raise DecodeError(NAME, "empty payload", port=frame.port, offset=0)
    first = frame.payload[0]
    if first == 0xBE:
        return _extended(frame)
    if frame.payload[:2] == b"\x00\x66":
        raise DecodeError(NAME, "Cayenne payload not supported: set payload type 2", port=frame.port, offset=0)
    return _tlv(frame)


def _tlv(frame: Frame) -> list[AnyReading]:
    payload = frame.payload
    values: dict[str, int] = {}
    for offset in range(0, len(payload), 3):
        name = TLV_TAGS.get(payload[offset])
        if name is None:
            raise DecodeError(NAME, f"unknown tag 0x{payload[offset]:02x}", port=frame.port, offset=offset)
        if offset + 3 > len(payload):
            raise DecodeError(NAME, f"tag 0x{payload[offset]:02x} lacks its 2 bytes", port=frame.port, offset=offset)
        if name in values:
            raise DecodeError(NAME, f"tag 0x{payload[offset]:02x} twice", port=frame.port, offset=offset)
        values[name] = signed(payload, offset + 1) if name == "temperature" else unsigned(payload, offset + 1)
    require_length(NAME, frame, TLV_LENGTH)
    temperature = values["temperature"] / 10
    return [
        _delta(values["ltr"], values["rtl"]),
        Health(temperature_c=celsius(temperature), note=celsius_note(temperature)),
    ]


def _extended(frame: Frame) -> list[AnyReading]:
    payload = frame.payload
    version = _version(frame, EXTENDED_LENGTHS)
    require_length(NAME, frame, EXTENDED_LENGTHS[version])
    tail = EXTENDED_LENGTHS[version] - 4
    fitted = any(payload[11 : tail + 2])
    temperature = signed(payload, tail + 2) / 10
    health = Health(
        temperature_c=celsius(temperature),
        note=celsius_note(temperature),
        battery_pct=payload[11] if fitted and version == 3 else None,
        battery_v=unsigned(payload, 11) / 1000 if fitted and version == 4 else None,
        diagnostics={"panel_mw": unsigned(payload, tail)} if fitted else None,
    )
    total = Total(channel=CHANNEL, mode=MODE, in_=unsigned(payload, 7), out=unsigned(payload, 9), bits=TOTAL_BITS)
    return [total, _delta(unsigned(payload, 3), unsigned(payload, 5)), health]


def _configuration(frame: Frame) -> list[AnyReading]:
    payload = frame.payload
    if payload[:1] == b"\xbe":
        version = _version(frame, CONFIGURATION_LENGTHS)
        require_length(NAME, frame, CONFIGURATION_LENGTHS[version])
        firmware, interval, sensitivity = 4, 11, SENSITIVITY_OFFSETS[version]
    else:
        require_length(NAME, frame, CONFIGURATION_V2_LENGTH)
        firmware, interval, sensitivity = 1, 7, 13
    return [
        Health(
            reset=ResetCause.REJOIN,
            firmware=".".join(str(part) for part in payload[firmware : firmware + 3]),
            diagnostics={
                "interval_min": unsigned(payload, interval),
                "link_check_min": unsigned(payload, interval + 2),
                "sensitivity_pct": payload[sensitivity],
            },
        )
    ]


def _version(frame: Frame, known: dict[int, int]) -> int:
    for offset, expected in enumerate((0xBE, 0x01)):
        if len(frame.payload) <= offset:
            raise DecodeError(NAME, "too short: expected be 01 and a version", port=frame.port, offset=offset)
        if frame.payload[offset] != expected:
            found = frame.payload[offset]
            raise DecodeError(NAME, f"expected 0x{expected:02x}, got 0x{found:02x}", port=frame.port, offset=offset)
    if len(frame.payload) < 3:
        raise DecodeError(NAME, "too short: expected the payload version", port=frame.port, offset=2)
    version = frame.payload[2]
    if version not in known:
        raise DecodeError(NAME, f"unknown payload version {version}", port=frame.port, offset=2)
    return version


def _delta(ltr: int, rtl: int) -> Delta:
    return Delta(channel=CHANNEL, mode=MODE, in_=ltr, out=rtl)


MODEL = Model(
    name=NAME,
    maker="Parametric",
    product="PCR2",
    kind=Kind.COUNTER,
    detects="people by radar, in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    ports={COUNTS_PORT: "counts", CONFIGURATION_PORT: "configuration, after a restart or rejoin"},
    channels=(Channel(name=CHANNEL, mode=MODE, first="left to right", second="right to left", bits=TOTAL_BITS),),
    reporting_period_s=600,
    mounting=(
        "Beside a door, corridor or footpath, looking across the way. Set payload type 2 (extended): type 1 (Cayenne) "
        "counts in 8 bits and is refused, the ELSYS layout sends no totals and loses what a lost frame carried."
    ),
    source="Parametric, PCR2 LoRaWAN payload description V2, V3, V4 (docs.pmx.systems)",
    decode=decode,
)
