"""What the public vectors of the parking, serial and BLE sensors expect, as readings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from edge.readings import DeviceAddress, Frame, Knowledge
from tests.contract.vectors import Adapter, Expectation, lorawan

Readings = Sequence[Mapping[str, object]]
TEMPERATURES_C = (-40, 85)
"""What Dingtek's temperature byte is believed in."""


def _presence(occupied: bool, **more: object) -> Mapping[str, object]:
    return {"kind": "presence", "channel": "1", "occupied": occupied, **more}


def _bosch(data: dict[str, Any]) -> Readings:
    if data["type"] == "parking status":
        return [_presence(data["occupied"])]
    if data["type"] == "heartbeat":
        return [_presence(data["occupied"]), {"kind": "health", "temperature_c": data["temperature"]}]
    diagnostics = {"debug_code": data["debug_code"], "debug_sequence": data["sequence_number"]}
    if data["type"] == "debug":
        failed = {"fault": "join failed"} if data["debug_code_description"] == "LoRa join request failed" else {}
        return [{"kind": "health", "diagnostics": diagnostics, **failed}]
    reset = {"System Request": "request"}[data["reset_reason"]]
    health = {"kind": "health", "firmware": data["firmware_version"], "reset": reset, "diagnostics": diagnostics}
    return [_presence(data["occupied"]), health]


def _bosch_of(firmware: str) -> Adapter:
    """Its debug frames need the firmware that an earlier frame told."""
    adapt = lorawan("bosch-tps110", _bosch)

    def adapt_knowing(raw: msgspec.Raw) -> Expectation | None:
        expectation = adapt(raw)
        assert expectation is not None
        return Expectation(
            model=expectation.model,
            frame=expectation.frame,
            readings=expectation.readings,
            knowledge=Knowledge(firmware=firmware),
        )

    return adapt_knowing


def _nwave(data: dict[str, Any]) -> Readings:
    if "previous_state_duration" not in data:
        return [_presence(data["occupied"])]
    duration_s, error_s = data["previous_state_duration"] * 60, data["previous_state_duration_error"] * 60
    return [_presence(data["occupied"], previous_state_s=duration_s, previous_state_error_s=error_s)]


def _netvox(data: dict[str, Any]) -> Readings:
    if "SWver" in data:
        diagnostics = {"hardware_version": data["HWver"], "date_code": data["Datecode"]}
        return [{"kind": "health", "firmware": f"{data['SWver']:.1f}", "diagnostics": diagnostics}]
    return [_presence(bool(data["CarOnOff"])), {"kind": "health", "battery_v": data["Volt"], "battery_low": False}]


def _tekzitel(data: dict[str, Any]) -> Readings:
    diagnostics = {
        "keep_alive": bool(data["keepAlive"]),
        "by_radar": bool(data["Radar"]),
        "parking_id": data["Parking_ID"],
    }
    if "Beacon_RSSI" in data:
        diagnostics["beacon_rssi_dbm"] = data["Beacon_RSSI"]
    health = {
        "kind": "health",
        "battery_low": not data["Good_Battery"],
        "temperature_c": data["Temperature"],
        "diagnostics": diagnostics,
    }
    return [_presence(bool(data["occupied"])), health]


def _dingtek(data: dict[str, Any]) -> Readings:
    diagnostics = {
        "level_alarm": data["alarmLevel"],
        "magnet_alarm": data["alarmMagnet"],
        "magnetic_x_mgs": data["xMagnet"],
        "magnetic_y_mgs": data["yMagnet"],
        "magnetic_z_mgs": data["zMagnet"],
        "frame_counter": data.get("frameCounter", data.get("Frame_Counter")),
    }
    health = {
        "kind": "health",
        "battery_v": data["volt"],
        "battery_low": data["alarmBattery"],
        "diagnostics": diagnostics,
    }
    if "humidity" in data:
        coldest, hottest = TEMPERATURES_C
        believed = coldest <= data["temperature"] <= hottest
        health |= (
            {"temperature_c": data["temperature"]} if believed else {"note": "temperature byte 0x8b not understood"}
        )
        diagnostics["humidity_pct"] = data["humidity"]
    distance = [{"kind": "range", "mm": data["level"]}] if data.get("level") else []
    return [_presence(data["alarmPark"]), *distance, health]


class PlacePodVector(msgspec.Struct, frozen=True):
    """A chain of records; every vector has one."""

    bytes_hex: str
    expected: dict[str, list[dict[str, Any]]]
    port: int = msgspec.field(name="fPort")


PLACEPOD: Mapping[str, Callable[[Any], Mapping[str, object]]] = {
    "temperature": lambda value: {"kind": "health", "temperature_c": value},
    "battery": lambda value: {"kind": "health", "battery_v": value},
    "occupied": _presence,
    "vehicle_count": lambda value: {"kind": "total", "channel": "line1", "mode": "vehicle", "in": value, "bits": 7},
    "recalibrated": lambda done: {
        "kind": "health",
        **({"reset": "request"} if done else {"fault": "recalibration failed"}),
    },
    "deactivated": lambda _: {"kind": "health", "fault": "deactivated: the state of the space is unknown"},
    "recalibration_or_reboot": lambda _: {"kind": "health", "reset": "other"},
}


def _placepod(raw: msgspec.Raw) -> Expectation:
    vector = msgspec.json.decode(raw, type=PlacePodVector)
    records = [
        PLACEPOD[name](value)
        for record in vector.expected["records"]
        for name, value in record.items()
        if not name.startswith("_")
    ]
    frame = Frame(device=DeviceAddress(""), payload=bytes.fromhex(vector.bytes_hex), port=vector.port)
    return Expectation(model="pni-placepod", frame=frame, readings=records)


class SerialVector(msgspec.Struct, frozen=True):
    """One serial frame."""

    device: str
    hex: str
    expected: dict[str, Any]


SERIAL_MODELS = {"HLK-LD2450": "hlk-ld2450", "HLK-LD2410": "hlk-ld2410", "TFmini-Plus": "benewake-tfmini-plus"}


def _serial(raw: msgspec.Raw) -> Expectation:
    vector = msgspec.json.decode(raw, type=SerialVector)
    return Expectation(
        model=SERIAL_MODELS[vector.device],
        frame=Frame(device=DeviceAddress(""), payload=bytes.fromhex(vector.hex)),
        readings=_serial_readings(vector.expected),
    )


def _serial_readings(expected: dict[str, Any]) -> Readings:
    if "command" in expected:
        return [{"kind": "health", "note": f"command: {expected['command']}"}]
    if "targets" in expected:
        return [
            {
                "kind": "track",
                "slot": slot,
                "x_mm": target["x_mm"],
                "y_mm": target["y_mm"],
                "speed_mm_s": target["speed_cm_s"] * 10,
            }
            for slot, target in enumerate(expected["targets"])
        ]
    return _ld2410(expected)


def _ld2410(expected: dict[str, Any]) -> Readings:
    state = expected["target_state"]
    ranges = [
        {
            "kind": "range",
            "channel": channel,
            "mm": expected[f"{name}_distance_cm"] * 10,
            "strength": expected[f"{name}_energy"],
        }
        for channel, name, bit in (("moving", "moving", 1), ("still", "stationary", 2))
        if state & bit
    ]
    gates = {
        f"{channel}_gate_{gate}": energy
        for channel, name in (("moving", "motion_gates"), ("still", "stationary_gates"))
        for gate, energy in enumerate(expected.get(name, []))
    }
    health = [{"kind": "health", "diagnostics": gates}] if gates else []
    return [_presence(bool(state)), *ranges, *health]


class BthomeVector(msgspec.Struct, frozen=True):
    """Service data as a fresh receiver with (or without) a key read it."""

    description: str
    address: str
    bindkey: str | None
    service_data_hex: str
    expected: dict[str, float | bool]


BTHOME_REFUSED = {
    "test_encryption_key_needed": "needs the device's bind key",
    "test_incorrect_bindkey_length": "needs the device's bind key",
    "test_bindkey_wrong": "wrong MIC",
    "test_bindkey_verified_can_be_unset": "wrong MIC",
    "test_too_short_encryption_advertisement": "too short",
    "test_has_incorrect_version": "version 7",
}
BTHOME_HEALTH = {"battery": "battery_pct", "temperature": "temperature_c", "voltage": "battery_v"}


def _bthome(raw: msgspec.Raw) -> Expectation:
    vector = msgspec.json.decode(raw, type=BthomeVector)
    data = bytes.fromhex(vector.service_data_hex)
    key = None if vector.bindkey is None else bytes.fromhex(vector.bindkey)
    frame = Frame(device=DeviceAddress(vector.address), payload=data)
    refused = BTHOME_REFUSED.get(vector.description)
    if vector.description == "test_downgrade_detected_flag_v2" and data[0] & 1:
        refused = "wrong MIC"
    return Expectation(
        model="bthome-v2",
        frame=frame,
        readings=[] if refused else _bthome_readings(vector, plain_with_key=key is not None and not data[0] & 1),
        refused=refused,
        knowledge=Knowledge(key=key),
    )


def _bthome_readings(vector: BthomeVector, *, plain_with_key: bool) -> Readings:
    if plain_with_key:
        return [{"kind": "health", "fault": "downgrade: a plain message from a device that has a key; dropped"}]
    if "count" in vector.expected:
        return [{"kind": "total", "channel": "1", "in": vector.expected["count"], "bits": 8}]
    figures = {BTHOME_HEALTH[name]: value for name, value in vector.expected.items() if name in BTHOME_HEALTH}
    return [{"kind": "health", **figures}]


ADAPTERS: dict[str, Adapter] = {
    "bosch-tps110-fw0.29": _bosch_of("0.29.2"),
    "bosch-tps110-fw0.39": _bosch_of("0.39.2"),
    "bthome-v2": _bthome,
    "dingtek-do200": lorawan("dingtek-do200", _dingtek),
    "dingtek-do201": lorawan("dingtek-do201", _dingtek),
    "dingtek-do202": lorawan("dingtek-do202", lambda data: _dingtek({**data, "level": 0})),
    "netvox-r719a": lorawan("netvox-r719a", _netvox),
    "nwave-nps310": lorawan("nwave-nps310", _nwave),
    "nwave-nps405": lorawan("nwave-nps405", _nwave),
    "pni-placepod": _placepod,
    "serial-frames": _serial,
    "tekzitel-tekzipark": lorawan("tekzitel-tekzipark", _tekzitel),
}
