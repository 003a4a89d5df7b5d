"""Parametric PCR2: a radar that counts people passing left-to-right (in) and right-to-left (out), over LoRaWAN.

Counts arrive on fPort 14 in three layouts told apart by their first bytes, the configuration on fPort 190 after every
restart or rejoin. Multi-byte fields are big-endian. Source: Parametric, "PCR2 LoRaWAN payload" V2 to V4.
"""

from collections.abc import Mapping

from edge.drivers.formats.fields import (
    celsius,
    celsius_note,
    figures,
    notes,
    percent,
    percent_note,
    require_length,
    signed,
    unknown_port,
    unsigned,
    volts,
    volts_note,
)
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

Settings = Mapping[str, tuple[int, int]]
"""Settings by name, each as (offset, width)."""

SETTINGS_V2: Settings = {
    "device_type": (0, 1),
    "operating_mode": (4, 1),
    "payload_type": (5, 1),
    "confirmed_uplinks": (6, 1),
    "interval_min": (7, 2),
    "link_check_min": (9, 2),
    "holdoff_s": (11, 2),
    "sensitivity_pct": (13, 1),
}
SETTINGS_COMMON: Settings = {
    "device_type": (3, 1),
    "operating_mode": (7, 1),
    "payload_type": (8, 1),
    "device_class": (9, 1),
    "confirmed_uplinks": (10, 1),
    "interval_min": (11, 2),
    "link_check_min": (13, 2),
    "capacity_limit": (15, 2),
    "holdoff_s": (17, 2),
}
SETTINGS_RANGE: Settings = {
    "inactivity_timeout": (19, 2),
    "min_distance": (23, 2),
    "max_distance": (25, 2),
    "min_speed": (27, 1),
    "max_speed": (28, 1),
    "sensitivity_pct": (30, 1),
}
SETTINGS_V5: Settings = {
    **SETTINGS_COMMON,
    **SETTINGS_RANGE,
    "radar_on": (21, 1),
    "beam_angle": (22, 1),
    "autotune": (29, 1),
}
SETTINGS: Mapping[int, Settings] = {
    3: {**SETTINGS_COMMON, "sensitivity_pct": (19, 1)},
    4: {
        **SETTINGS_COMMON,
        "inactivity_timeout": (19, 2),
        "direction": (21, 1),
        "tilt": (22, 1),
        "angle": (23, 1),
        "min_distance": (24, 2),
        "max_distance": (26, 2),
        "min_speed": (28, 1),
        "max_speed": (29, 1),
        "sensitivity_pct": (30, 1),
    },
    5: SETTINGS_V5,
    6: {**SETTINGS_V5, "radar_channel": (34, 1)},
}
CHARGER_FIRMWARE_OFFSET = 31
"""Where the solar charger's firmware stands, from V5 on."""


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
    total = Total(channel=CHANNEL, mode=MODE, in_=unsigned(payload, 7), out=unsigned(payload, 9), bits=TOTAL_BITS)
    panel = EXTENDED_LENGTHS[version] - 4
    return [total, _delta(unsigned(payload, 3), unsigned(payload, 5)), _supply(payload, version, panel)]


def _supply(payload: bytes, version: int, panel: int) -> Health:
    """Temperature, and the solar charger where one is fitted: without one its battery and panel read 0."""
    temperature = signed(payload, panel + 2) / 10
    if not any(payload[11 : panel + 2]):
        return Health(temperature_c=celsius(temperature), note=celsius_note(temperature))
    diagnostics: dict[str, int | float | bool | str] = {"panel_mw": unsigned(payload, panel)}
    if version == 3:
        return Health(
            battery_pct=percent(payload[11]),
            temperature_c=celsius(temperature),
            note=notes(percent_note(payload[11]), celsius_note(temperature)),
            diagnostics=diagnostics,
        )
    battery = unsigned(payload, 11) / 1000
    return Health(
        battery_v=volts(battery),
        temperature_c=celsius(temperature),
        note=notes(volts_note(battery), celsius_note(temperature)),
        diagnostics=diagnostics,
    )


def _configuration(frame: Frame) -> list[AnyReading]:
    payload = frame.payload
    if payload[:1] != b"\xbe":
        require_length(NAME, frame, CONFIGURATION_V2_LENGTH)
        return [_restarted(payload, 1, SETTINGS_V2)]
    version = _version(frame, CONFIGURATION_LENGTHS)
    require_length(NAME, frame, CONFIGURATION_LENGTHS[version])
    return [_restarted(payload, 4, SETTINGS[version])]


def _restarted(payload: bytes, firmware: int, settings: Settings) -> Health:
    diagnostics = figures(payload, settings)
    if len(payload) > CHARGER_FIRMWARE_OFFSET:
        diagnostics["charger_firmware"] = _dotted(payload, CHARGER_FIRMWARE_OFFSET)
    return Health(reset=ResetCause.REJOIN, firmware=_dotted(payload, firmware), diagnostics=diagnostics)


def _dotted(payload: bytes, offset: int) -> str:
    return ".".join(str(part) for part in payload[offset : offset + 3])


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
