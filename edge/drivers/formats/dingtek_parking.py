"""Measurements and parameters of Dingtek's parking sensors DO200, DO201 and DO202, on LoRaWAN fPort 3.

In comes a frame and which sensors the model has, out come presence, distance and health. Big-endian.
Source: Dingtek do200, do201, do202 decoders of The Things Network's device repository.
"""

from dataclasses import dataclass

from edge.drivers.formats import dingtek
from edge.drivers.formats.fields import notes, percent, percent_note, signed, unsigned, volts, volts_note
from edge.readings import AnyReading, Frame, Health, Presence, Range

SPACE = "1"
COLDEST_C, HOTTEST_C = -40, 85
"""Beyond these the temperature byte is not understood."""
Diagnostics = dict[str, int | float | bool | str]

MOUNTING = (
    "On the ground in the middle of the space, or above it. That its parking alarm means a car is inferred from its "
    "name: check the first unit with a car. The level and magnet alarms are single opinions and are not used."
)


@dataclass(frozen=True, slots=True)
class DingtekParking:
    """What tells the three models apart."""

    name: str
    device_type: int
    ultrasonic: bool
    climate: bool
    """It has temperature and humidity."""

    def decode(self, frame: Frame) -> list[AnyReading]:
        """All readings of one uplink. Raises `DecodeError`."""
        dingtek.check(frame, self._layout)
        return [self._parameters(frame)] if dingtek.is_parameters(frame) else self._measurement(frame)

    @property
    def _layout(self) -> dingtek.Layout:
        measurement, parameters = (23, 16) if self.climate else (21, 17)
        return dingtek.Layout(
            model=self.name,
            device_type=self.device_type,
            measurement_length=measurement,
            parameters_length=parameters,
        )

    def _measurement(self, frame: Frame) -> list[AnyReading]:
        payload = frame.payload
        readings: list[AnyReading] = [Presence(channel=SPACE, occupied=dingtek.high(payload[7]))]
        distance_mm = unsigned(payload, 5)
        if self.ultrasonic and distance_mm:
            readings.append(Range(mm=distance_mm))
        return [*readings, self._health(frame)]

    def _health(self, frame: Frame) -> Health:
        payload = frame.payload
        battery_v = unsigned(payload, 9) / 100
        diagnostics: Diagnostics = {
            "level_alarm": dingtek.low(payload[7]),
            "magnet_alarm": dingtek.high(payload[8]),
            "magnetic_x_mgs": signed(payload, 11),
            "magnetic_y_mgs": signed(payload, 13),
            "magnetic_z_mgs": signed(payload, 15),
            "frame_counter": unsigned(payload, 19 if self.climate else 17),
        }
        said = [dingtek.head_note(frame), volts_note(battery_v)]
        temperature = None
        if self.climate:
            temperature = _temperature(payload[17])
            humidity = percent(payload[18])
            if humidity is not None:
                diagnostics["humidity_pct"] = humidity
            said += [_temperature_note(payload[17]), percent_note(payload[18])]
        return Health(
            battery_v=volts(battery_v),
            battery_low=dingtek.low(payload[8]),
            temperature_c=temperature,
            note=notes(*said),
            diagnostics=diagnostics,
        )

    def _parameters(self, frame: Frame) -> Health:
        return Health(
            firmware=dingtek.firmware(frame),
            note=dingtek.head_note(frame),
            diagnostics={"upload_interval_h": frame.payload[7], **self._thresholds(frame.payload)},
        )

    def _thresholds(self, payload: bytes) -> Diagnostics:
        if not self.climate:
            return {
                "ultrasonic_interval_min": payload[8],
                "magnetic_interval_s": payload[9],
                "magnet_threshold": unsigned(payload, 12),
            }
        level: Diagnostics = {"level_threshold_cm": payload[9]} if self.ultrasonic else {}
        return {
            "detection_interval_min": payload[8],
            **level,
            "magnet_threshold": unsigned(payload, 10),
            "battery_threshold_pct": payload[12],
        }


def _temperature(raw: int) -> float | None:
    value = raw - 0x100 if raw & 0x80 else raw
    return value if COLDEST_C <= value <= HOTTEST_C else None


def _temperature_note(raw: int) -> str | None:
    return f"temperature byte 0x{raw:02x} not understood" if _temperature(raw) is None else None
