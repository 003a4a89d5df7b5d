"""Frames to try a codec with: each model's messages by name, with values to begin from, made by the encoders.

In come a model, a message and values in text, out comes a frame's payload and the fPort it travels on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from firmware_sim.encoders import (
    benewake,
    bosch_tps110,
    bthome_v2,
    dingtek_parking,
    dingtek_people,
    hlk_ld2410,
    hlk_ld2450,
    imbuildings_people_counter,
    milesight,
    modbus_register,
    netvox_r719a,
    nwave_ncc405,
    nwave_nps310,
    nwave_nps405,
    parametric_pcr2,
    pmx_tcr,
    pni_placepod,
    tekzitel_tekzipark,
    terabee_people_counting,
)

Value = bool | int | float | str | tuple[int, ...]


class SampleError(Exception):
    """A value that the message does not have, or that does not fit into it, and what was expected."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One message of a model."""

    encode: Callable[..., bytes]
    values: Mapping[str, Value] = field(default_factory=dict)
    """Arguments of `encode` by name, as they are when nothing else is asked for. Their types are the types allowed."""
    port: int | None = None
    """LoRaWAN fPort; None where the link has no such thing."""

    def payload(self, wanted: Mapping[str, str]) -> bytes:
        """The message with these values instead of its own, each written as text. Raises `SampleError`."""
        for name in wanted:
            if name not in self.values:
                raise SampleError(f"no value {name!r}: expected {', '.join(self.values) or 'none'}")
        values = {name: _read(name, own, wanted.get(name)) for name, own in self.values.items()}
        try:
            return self.encode(**values)
        except (OverflowError, ValueError, KeyError) as error:
            raise SampleError(f"the values do not fit into the frame: {error}") from error

    @property
    def written(self) -> str:
        """Its values as `--value` would take them."""
        return " ".join(f"{name}={_text(value)}" for name, value in self.values.items())


Messages = Mapping[str, Sample]
"""A model's messages by name; the first is the usual one."""


def _read(name: str, own: Value, text: str | None) -> Value:
    """A value from text, of the type that the sample's own has."""
    if text is None:
        return own
    try:
        match own:
            case bool():
                return {"true": True, "false": False}[text]
            case tuple():
                return tuple(int(part) for part, _ in zip(text.split(","), own, strict=True))
            case _:
                return type(own)(text)
    except (KeyError, ValueError) as error:
        raise SampleError(f"value {name}: {text!r} given, expected something like {_text(own)}") from error


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one_target(x_mm: int, y_mm: int, speed_cm_s: int) -> bytes:
    return hlk_ld2450.report([hlk_ld2450.Target(x_mm, y_mm, speed_cm_s)])


def _nobody() -> bytes:
    return hlk_ld2450.report([])


def _sight(moving: bool, still: bool, detection_cm: int) -> bytes:
    return hlk_ld2410.basic(hlk_ld2410.Sight(moving=moving, still=still, detection_cm=detection_cm))


def _distance_register(unit: int, distance: int) -> bytes:
    return modbus_register.registers(unit, [distance])


def _count_and_battery(count: int, battery: int, packet_id: int) -> bytes:
    return bthome_v2.plain([bthome_v2.count(count, 32), bthome_v2.battery(battery)], packet_id)


def _occupancy(occupied: bool, packet_id: int) -> bytes:
    return bthome_v2.plain([bthome_v2.occupancy(occupied)], packet_id)


def _tekzipark_state(occupied: bool, temperature_c: int, parking_id: int) -> bytes:
    return tekzitel_tekzipark.state(tekzitel_tekzipark.flags(occupied), temperature_c, parking_id)


def _dingtek_parking(device_type: int) -> Messages:
    def measurement(occupied: bool, distance_mm: int, battery_cv: int, counter: int) -> bytes:
        return dingtek_parking.measurement(
            device_type, occupied, distance_mm=distance_mm, battery_cv=battery_cv, counter=counter
        )

    values = {"occupied": True, "distance_mm": 180, "battery_cv": 360, "counter": 1}
    return {"measurement": Sample(measurement, values, dingtek_parking.PORT)}


def _benewake() -> Messages:
    return {
        "data": Sample(benewake.data, {"distance": 75, "strength": 1200, "temperature_c": 40.0}),
        "firmware": Sample(benewake.firmware, {"major": 1, "minor": 0, "patch": 3}),
    }


def _milesight(**samples: Sample) -> Messages:
    return {**samples, "started": Sample(milesight.started, {}, milesight.PORT)}


TOTALS = {"total_in": 18, "total_out": 22}
PERIOD = {"counted_in": 1, "counted_out": 2}
MIDNIGHT = 1_795_305_600
"""2026-11-22 00:00 UTC, in seconds since 1970."""

LINE_TOTALS = Sample(milesight.line_totals, {"line": 1, **TOTALS}, milesight.PORT)
LINE_PERIOD = Sample(milesight.line_period, {"line": 1, **PERIOD}, milesight.PORT)
LINE_HISTORY = Sample(milesight.line_history, {"unix_s": MIDNIGHT, "line": 1, **PERIOD}, milesight.PORT)
REGION_PEOPLE = Sample(milesight.region_people, {"counts": (1, 0, 2, 0)}, milesight.PORT)
LENS_ALARM = Sample(milesight.lens_alarm, {"node": 0, "raised": True}, milesight.PORT)
PASSAGE_TOTALS = Sample(milesight.passage_totals, TOTALS, milesight.PORT)
PASSAGE_PERIOD = Sample(milesight.passage_period, PERIOD, milesight.PORT)
PASSAGE_HISTORY = Sample(milesight.passage_history, {"unix_s": MIDNIGHT, **PERIOD, **TOTALS}, milesight.PORT)
BATTERY = Sample(milesight.battery, {"percent": 98}, milesight.PORT)
NODE_BATTERY = Sample(milesight.node_battery, {"percent": 97}, milesight.PORT)
TEMPERATURE = Sample(milesight.temperature, {"celsius": 22.5}, milesight.PORT)
CUMULATIVE = Sample(milesight.cumulative, TOTALS, milesight.PORT)

WIDE_LINES = _milesight(
    line_totals=LINE_TOTALS,
    line_period=LINE_PERIOD,
    line_history=LINE_HISTORY,
    region_people=REGION_PEOPLE,
    lens_alarm=LENS_ALARM,
)
PASSAGES = _milesight(
    passage_totals=PASSAGE_TOTALS,
    passage_period=PASSAGE_PERIOD,
    passage_history=PASSAGE_HISTORY,
    battery=BATTERY,
    temperature=TEMPERATURE,
)
PERIOD_AND_TOTALS = {"ltr": 1, "rtl": 2, "total_ltr": 18, "total_rtl": 22}
PCR2_SETTINGS: Mapping[str, Value] = {
    "firmware": (2, 4, 9),
    "interval_min": 10,
    "link_check_min": 60,
    "sensitivity_pct": 90,
}

SAMPLES: Mapping[str, Messages] = {
    "benewake-tf-luna": _benewake(),
    "benewake-tfmini-plus": _benewake(),
    "benewake-tfmini-s": _benewake(),
    "bosch-tps110": {
        "parking_status": Sample(bosch_tps110.parking_status, {"occupied": True}, bosch_tps110.STATUS_PORT),
        "heartbeat": Sample(
            bosch_tps110.heartbeat, {"occupied": True, "temperature_c": 21}, bosch_tps110.HEARTBEAT_PORT
        ),
        "start_up": Sample(
            bosch_tps110.start_up,
            {"occupied": False, "firmware": (0, 39, 2), "reset_cause": bosch_tps110.POWER_ON},
            bosch_tps110.START_UP_PORT,
        ),
    },
    "bthome-v2": {
        "count": Sample(_count_and_battery, {"count": 42, "battery": 98, "packet_id": 1}),
        "occupancy": Sample(_occupancy, {"occupied": True, "packet_id": 1}),
    },
    "dingtek-dc500": {
        "dc500": Sample(
            dingtek_people.dc500, {"people": 18, "centivolts": 360, "frame_counter": 1}, dingtek_people.PORT
        )
    },
    "dingtek-dc510": {
        "dc510": Sample(
            dingtek_people.dc510,
            {"people": 18, "celsius": 21, "centivolts": 360, "frame_counter": 1},
            dingtek_people.PORT,
        )
    },
    "dingtek-dc520": {
        "dc520": Sample(dingtek_people.dc520, {**PERIOD, "supply_v": 12, "frame_counter": 1}, dingtek_people.PORT)
    },
    "dingtek-do200": _dingtek_parking(dingtek_parking.DO200),
    "dingtek-do201": _dingtek_parking(dingtek_parking.DO201),
    "dingtek-do202": _dingtek_parking(dingtek_parking.DO202),
    "hlk-ld2410": {"basic": Sample(_sight, {"moving": True, "still": False, "detection_cm": 150})},
    "hlk-ld2450": {
        "target": Sample(_one_target, {"x_mm": -782, "y_mm": 1713, "speed_cm_s": -16}),
        "nobody": Sample(_nobody),
    },
    "imbuildings-people-counter": {
        "counters": Sample(
            imbuildings_people_counter.counters,
            {
                "dev_eui": "0004a30b00f7fb92",
                "counts": (1, 2),
                "totals": (18, 22),
                "centivolts": 360,
                "payload_counter": 1,
            },
            1,
        ),
        "totals_only": Sample(
            imbuildings_people_counter.totals_only, {"dev_eui": "0004a30b00f7fb92", "totals": (18, 22)}, 1
        ),
        "heartbeat": Sample(
            imbuildings_people_counter.heartbeat, {"dev_eui": "0004a30b00f7fb92", "centivolts": 360}, 1
        ),
    },
    "milesight-vs121": _milesight(cumulative=CUMULATIVE, passage_period=PASSAGE_PERIOD),
    "milesight-vs132": _milesight(line_totals=LINE_TOTALS, line_period=LINE_PERIOD),
    "milesight-vs133": WIDE_LINES,
    "milesight-vs135": WIDE_LINES,
    "milesight-vs350": PASSAGES,
    "milesight-vs351": PASSAGES,
    "milesight-vs360": _milesight(
        passage_totals=PASSAGE_TOTALS,
        passage_period=PASSAGE_PERIOD,
        passage_history=PASSAGE_HISTORY,
        battery=BATTERY,
        node_battery=NODE_BATTERY,
    ),
    "modbus-register": {
        "distance": Sample(_distance_register, {"unit": 1, "distance": 754}),
        "refusal": Sample(modbus_register.refusal, {"unit": 1, "code": 2}),
    },
    "netvox-r719a": {
        "status": Sample(
            netvox_r719a.status,
            {"occupied": True, "battery_tenths_v": 36, "battery_low": False},
            netvox_r719a.REPORT_PORT,
        ),
        "version": Sample(
            netvox_r719a.version,
            {"software_tenths": 10, "hardware": 1, "date_code": "20260103"},
            netvox_r719a.REPORT_PORT,
        ),
    },
    "nwave-ncc405": {
        "counter": Sample(nwave_ncc405.counter, {"total": 1706}, nwave_ncc405.COUNTER_PORT),
        "heartbeat": Sample(
            nwave_ncc405.heartbeat, {"battery_mv": 3520, "mean_24h_mv": 3512, "health": 0}, nwave_ncc405.HEARTBEAT_PORT
        ),
        "start_up": Sample(nwave_ncc405.start_up, {"firmware": (2, 4, 9), "cause": 2}, nwave_ncc405.START_UP_PORT),
    },
    "nwave-nps310": {
        "parking_status": Sample(nwave_nps310.parking_status, {"occupied": True}, nwave_nps310.STATUS_PORT),
        "heartbeat": Sample(nwave_nps310.heartbeat, {"occupied": True}, nwave_nps310.HEARTBEAT_PORT),
        "start_up": Sample(
            nwave_nps310.start_up,
            {"occupied": False, "firmware": (3, 1, 0), "reset_cause": nwave_nps310.POWER_ON},
            nwave_nps310.START_UP_PORT,
        ),
    },
    "nwave-nps405": {
        "parking_status": Sample(
            nwave_nps405.parking_status, {"occupied": True, "previous_minutes": 12}, nwave_nps405.STATUS_PORT
        ),
        "heartbeat": Sample(
            nwave_nps405.heartbeat,
            {"occupied": True, "battery_mv": 3520, "temperature_c": 21.5, "health": 0},
            nwave_nps405.HEARTBEAT_PORT,
        ),
        "start_up": Sample(
            nwave_nps405.start_up,
            {"occupied": False, "firmware": (4, 5, 1), "reset_cause": nwave_nps405.POWER_ON},
            nwave_nps405.START_UP_PORT,
        ),
    },
    "parametric-pcr2": {
        "counts_v4": Sample(
            parametric_pcr2.counts_v4,
            {**PERIOD_AND_TOTALS, "battery_mv": 3280, "panel_mw": 12, "temperature_c": 22.5},
            parametric_pcr2.COUNTS_PORT,
        ),
        "counts_v3": Sample(
            parametric_pcr2.counts_v3,
            {**PERIOD_AND_TOTALS, "battery_pct": 98, "panel_mw": 12, "temperature_c": 22.5},
            parametric_pcr2.COUNTS_PORT,
        ),
        "counts_elsys": Sample(
            parametric_pcr2.counts_elsys, {"ltr": 1, "rtl": 2, "temperature_c": 22.5}, parametric_pcr2.COUNTS_PORT
        ),
        "configuration_v4": Sample(parametric_pcr2.configuration_v4, PCR2_SETTINGS, parametric_pcr2.CONFIGURATION_PORT),
        "configuration_v2": Sample(parametric_pcr2.configuration_v2, PCR2_SETTINGS, parametric_pcr2.CONFIGURATION_PORT),
    },
    "pmx-tcr": {
        "counts": Sample(
            pmx_tcr.counts,
            {
                "hour": 10,
                "minute": 10,
                "ltr": 1,
                "ltr_speed_kmh": 31,
                "rtl": 2,
                "rtl_speed_kmh": 28,
                "supply_decivolts": 128,
            },
            pmx_tcr.ALL_PORT,
        ),
        "identity": Sample(
            pmx_tcr.identity,
            {"device_type": 0, "level": 1, "speed_class": 1, "firmware": (1, 2, 3)},
            pmx_tcr.IDENTITY_PORT,
        ),
    },
    "pni-placepod": {
        "parking_status": Sample(
            pni_placepod.parking_status, {"occupied": True, "keep_alive": False}, pni_placepod.PORT
        ),
        "vehicle_count": Sample(pni_placepod.vehicle_count, {"total": 17}, pni_placepod.PORT),
        "battery": Sample(pni_placepod.battery, {"millivolts": 3600}, pni_placepod.PORT),
        "temperature": Sample(pni_placepod.temperature, {"tenths_c": 215}, pni_placepod.PORT),
        "restarted": Sample(pni_placepod.restarted, {}, pni_placepod.PORT),
    },
    "tekzitel-tekzipark": {
        "state": Sample(
            _tekzipark_state, {"occupied": True, "temperature_c": 21, "parking_id": 7}, tekzitel_tekzipark.STATE_PORT
        )
    },
    "terabee-people-counting-l-xl": {
        "counting": Sample(terabee_people_counting.counting, TOTALS, terabee_people_counting.COUNTING_PORT),
        "read_back": Sample(terabee_people_counting.read_back, TOTALS, terabee_people_counting.COUNTER_PORT),
        "reset_acknowledged": Sample(
            terabee_people_counting.reset_acknowledged, {}, terabee_people_counting.COUNTER_PORT
        ),
    },
}
"""Every simulated model's messages."""
