"""What the public vectors of the people counters expect, as readings."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from tests.contract.vectors import Adapter, Expectation, LorawanVector, lorawan

Readings = Sequence[Mapping[str, object]]
LINE = {"channel": "line1", "mode": "pedestrian"}


def _parametric_pcr2(data: dict[str, Any]) -> Readings:
    if "FirmwareVersion" in data:
        diagnostics = {
            "device_type": data["DeviceType"],
            "operating_mode": data["OperatingMode"],
            "payload_type": data["PayloadType"],
            "interval_min": data["UplinkInterval"],
            "link_check_min": data["LinkCheckInterval"],
            "holdoff_s": data["HoldoffTime"],
            "sensitivity_pct": data["RadarSensitivity"],
        }
        return [{"kind": "health", "firmware": data["FirmwareVersion"], "diagnostics": diagnostics}]
    delta = {"kind": "delta", **LINE, "in": data["LTR"], "out": data["RTL"]}
    floored = pytest.approx(data["TEMP"] + 0.5, abs=0.5)
    if "LTR_SUM" not in data:
        return [delta, {"kind": "health", "temperature_c": floored}]
    total = {"kind": "total", **LINE, "in": data["LTR_SUM"], "out": data["RTL_SUM"], "bits": 16}
    percent = data["SBX_BATT"] <= 100
    battery = {"battery_pct": data["SBX_BATT"]} if percent else {"battery_v": data["SBX_BATT"] / 1000}
    health = {"kind": "health", "temperature_c": floored, "diagnostics": {"panel_mw": data["SBX_PV"]}, **battery}
    return [total, delta, health]


def _imbuildings(raw: msgspec.Raw) -> Expectation:
    """Two catalogues describe this counter: one with a flat document, one with a list of topics."""
    vector = msgspec.json.decode(raw, type=LorawanVector)
    told = vector.expected.data or _akenza(vector.expected.emits)
    readings = [
        {"kind": "total", **LINE, "in": told["total_counter_a"], "out": told["total_counter_b"], "bits": 16},
        {"kind": "delta", **LINE, "in": told["counter_a"], "out": told["counter_b"]},
        {
            "kind": "health",
            "battery_v": told["battery_voltage"],
            "diagnostics": {
                "device_status": told["device_status"],
                "sensor_status": told["sensor_status"],
                "payload_counter": told["payload_counter"],
            },
        },
    ]
    return Expectation(model="imbuildings-people-counter", frame=vector.frame, readings=readings)


def _akenza(emits: list[dict[str, Any]]) -> dict[str, Any]:
    by_topic = {emit["topic"]: emit["data"] for emit in emits}
    counted, totals, lifecycle = by_topic["default"], by_topic["total_counter"], by_topic["lifecycle"]
    return {
        "counter_a": counted["counterA"],
        "counter_b": counted["counterB"],
        "total_counter_a": totals["totalCounterA"],
        "total_counter_b": totals["totalCounterB"],
        "battery_voltage": lifecycle["batteryVoltage"],
        "payload_counter": lifecycle["payloadCounter"],
        "device_status": {"BATTERY_NOT_FULL": 8}[lifecycle["deviceStatus"]],
        "sensor_status": {"RECEIVER_LOW_BATTERY": 32}[lifecycle["sensorStatus"]],
    }


def _presence(channel: str, occupied: bool) -> Mapping[str, object]:
    return {"kind": "presence", "channel": channel, "occupied": occupied}


def _milesight_vs121(raw: msgspec.Raw) -> Expectation:
    vector = msgspec.json.decode(raw, type=LorawanVector)
    if bytes.fromhex("4b04") in vector.frame.payload:
        return Expectation(model="milesight-vs121", frame=vector.frame, refused="unknown record 4b04")
    readings = _vs121(vector.expected.data)
    return Expectation(model="milesight-vs121", frame=vector.frame, readings=readings)


def _vs121(data: dict[str, Any]) -> Readings:
    if "sn" in data:
        return [_identity(data, data["protocol_version"])]
    if "people_counter_all" in data:
        # This decoder compares where it should shift: 0x0002 is region 2 alone.
        regions = [_presence(f"region{region}", region == 2) for region in range(1, data["region_count"] + 1)]
        return [_presence("view", True), *regions, {"kind": "health"}]
    if "region_count" in data:
        regions = [_presence(f"region{n}", bool(data[f"region_{n}"])) for n in range(1, data["region_count"] + 1)]
        people = {"people": data["people_count_all"], "people_max": data["people_count_max"]}
        return [_presence("view", True), *regions, {"kind": "health", "diagnostics": people}]
    if "people_in" in data:
        return [{"kind": "delta", **LINE, "in": data["people_in"], "out": data["people_out"]}]
    if "region_1_count" in data:
        return _regions(data)
    return [{"kind": "delta", "channel": pair, "in": count} for pair, count in data.items()]


def _identity(data: dict[str, Any], protocol: object) -> Mapping[str, object]:
    told = {"serial": data["sn"], "hardware_version": data["hardware_version"], "protocol_version": protocol}
    return {"kind": "health", "reset": "rejoin", "firmware": data["firmware_version"], "diagnostics": told}


def _regions(data: dict[str, Any]) -> Readings:
    counts = {name.removesuffix("_count").replace("_", ""): count for name, count in data.items()}
    people = {f"{region}_people": count for region, count in counts.items()}
    present = [_presence(region, count > 0) for region, count in counts.items()]
    return [*present, {"kind": "health", "diagnostics": people}]


def _milesight_lines(data: dict[str, Any]) -> Readings:
    if "sn" in data:
        counts = {f"line_1_{name.replace('_counter', '')}": value for name, value in data.items() if "counter" in name}
        counts = {name.replace("periodic", "period"): value for name, value in counts.items()}
        return [*_line_counts(counts), _identity(data, "0.1")]
    if "region_1_count" in data:
        return _regions(data)
    if "region_1_avg_dwell" in data:
        told = {name.replace("_", "", 1).replace("avg", "mean"): value for name, value in data.items()}
        return [{"kind": "health", "diagnostics": told}]
    return _line_counts(_flat(data))


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    """Counts of lines as `line_1_total_in`, however deep they are nested."""
    if any(isinstance(value, dict) for value in data.values()):
        return {f"{line}_{name}": value for line, counts in data.items() for name, value in counts.items()}
    return data


def _line_counts(data: dict[str, Any]) -> Readings:
    """Totals of all lines, then periods of all lines."""
    readings: list[Mapping[str, object]] = []
    for word, extra in (("total", {"kind": "total", "bits": 32}), ("period", {"kind": "delta"})):
        for line in range(1, 5):
            name = f"line_{line}_{word}"
            if f"{name}_in" in data:
                counts = {"in": data[f"{name}_in"], "out": data[f"{name}_out"]}
                readings.append({**extra, "channel": f"line{line}", "mode": "pedestrian", **counts})
    return readings


TEMPERATURE_ALARMS = {
    "threshold alarm": "threshold",
    "threshold alarm release": "over",
    "high temperature alarm": "too hot",
    "high temperature alarm release": "too hot over",
}


def _milesight_passage(data: dict[str, Any]) -> Readings:
    readings: list[Mapping[str, object]] = []
    if "total_in" in data:
        readings.append({"kind": "total", **LINE, "in": data["total_in"], "out": data["total_out"], "bits": 16})
        running = {"running": True} if "period_count_alarm" in data else {}
        readings.append({"kind": "delta", **LINE, "in": data["period_in"], "out": data["period_out"], **running})
    health = _passage_health(data)
    return [*readings, {"kind": "health", **health}] if health else readings


def _passage_health(data: dict[str, Any]) -> dict[str, object]:
    health: dict[str, object] = {}
    if "battery" in data:
        health["battery_pct"] = data["battery"]
    if "battery_main" in data:
        health["battery_pct"] = min(data["battery_main"], data["battery_node"])
    if "temperature" in data:
        health["temperature_c"] = data["temperature"]
    if "temperature_alarm" in data:
        health["diagnostics"] = {"temperature_alarm": TEMPERATURE_ALARMS[data["temperature_alarm"]]}
    if "total_count_alarm" in data:
        health["diagnostics"] = {"total_alarm": "threshold", "period_alarm": "threshold"}
    if "event" in data:
        health["diagnostics"] = {"counting_anomaly": False, "node_silent": True, "misaligned": True}
        health["fault"] = "node silent; misaligned"
    return health


def _terabee(raw: msgspec.Raw) -> Expectation:
    vector = msgspec.json.decode(raw, type=LorawanVector)
    if vector.expected.errors:
        return Expectation(model=TERABEE, frame=vector.frame, refused="unknown command 1 on fPort 255")
    return Expectation(model=TERABEE, frame=vector.frame, readings=_terabee_readings(vector.expected.data))


TERABEE = "terabee-people-counting-l-xl"


def _terabee_readings(data: dict[str, Any]) -> Readings:
    counted = data if "count_in" in data else data["cmd"]["value"]
    if "count_in" in counted:
        total = {"kind": "total", **LINE, "in": counted["count_in"], "out": counted["count_out"], "bits": 32}
        return [total, {"kind": "health", "fault": "counting stopped"}] if counted.get("flags") else [total]
    (name, value), *_ = counted.items()
    told = {
        "state": {"wifi_access_point": value == "enabled"},
        "direction": {"direction_reversed": value == "reversed"},
        "mounting_height": {"mounting_height_mm": value},
    }
    return [{"kind": "health", "diagnostics": told[name]}]


def _pmx_tcr(data: dict[str, Any]) -> Readings:
    if "typestr" in data:
        told = {
            "device_type": data["typestr"].removeprefix("TCR-"),
            "feature_level": data["fu_level"].lower(),
            "speed_class": data["speedclass"],
            "charger_firmware": data["sbx_version"],
        }
        return [{"kind": "health", "reset": "rejoin", "firmware": data["fw_version"], "diagnostics": told}]
    prefix, mode = ("ud", "all") if "ud_time" in data else ("cat1", "cat1")
    hour, minute = divmod(data[f"{prefix}_time"], 100)
    told = {
        f"{mode}_interval_end": f"{hour:02}:{minute:02}",
        f"{mode}_ltr_speed_kmh": data[f"{prefix}_ltr_spd"],
        f"{mode}_rtl_speed_kmh": data[f"{prefix}_rtl_spd"],
    }
    counts = {"in": data[f"{prefix}_ltr_cnt"], "out": data[f"{prefix}_rtl_cnt"]}
    return [
        {"kind": "delta", "channel": "line1", "mode": mode, **counts},
        {"kind": "health", "battery_v": data["volts"], "diagnostics": told},
    ]


def _nwave_ncc405(data: dict[str, Any]) -> Readings:
    if "counter_value" in data:
        return [{"kind": "total", "channel": "line1", "mode": "vehicle", "in": data["counter_value"], "bits": 16}]
    return [
        {
            "kind": "health",
            "battery_v": data["battery_voltage"],
            "fault": f"hardware health code {data['hw_health_status']}",
            "diagnostics": {"battery_mean_24h_v": data["battery_voltage_mean_24h"]},
        }
    ]


def _dingtek(data: dict[str, Any]) -> Readings:
    health: dict[str, object] = {
        "kind": "health",
        "battery_v": data["volt"],
        "battery_low": bool(data["alarmBattery"]),
        "diagnostics": {"frame_counter": data["frameCounter"]},
    }
    if "temperature" in data:
        health["temperature_c"] = data["temperature"]
    counts = {"in": data["peopleCounter"]} if "peopleCounter" in data else {}
    if "inCounter" in data:
        counts = {"in": data["inCounter"], "out": data["outCounter"]}
    return [{"kind": "total", **LINE, "bits": 16, **counts}, health]


ADAPTERS: dict[str, Adapter] = {
    "parametric-pcr2": lorawan("parametric-pcr2", _parametric_pcr2),
    "imbuildings-people-counter": _imbuildings,
    "milesight-vs121": _milesight_vs121,
    **{model: lorawan(model, _milesight_lines) for model in ("milesight-vs132", "milesight-vs133", "milesight-vs135")},
    **{
        model: lorawan(model, _milesight_passage) for model in ("milesight-vs350", "milesight-vs351", "milesight-vs360")
    },
    TERABEE: _terabee,
    "pmx-tcr": lorawan("pmx-tcr", _pmx_tcr),
    "nwave-ncc405": lorawan("nwave-ncc405", _nwave_ncc405),
    **{model: lorawan(model, _dingtek) for model in ("dingtek-dc500", "dingtek-dc510", "dingtek-dc520")},
}
