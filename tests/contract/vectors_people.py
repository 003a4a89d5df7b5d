"""What the public vectors of the people counters expect, as readings."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.contract.vectors import lorawan

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


ADAPTERS = {"parametric-pcr2": lorawan("parametric-pcr2", _parametric_pcr2)}
