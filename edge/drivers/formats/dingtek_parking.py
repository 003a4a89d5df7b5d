"""Measurements and parameters of Dingtek's parking sensors DO200, DO201 and DO202, on LoRaWAN fPort 3.

In comes a frame and which sensors the model has, out come presence, distance and health. Big-endian.
Source: Dingtek do200, do201, do202 decoders of The Things Network's device repository.
"""

from dataclasses import dataclass

from edge.drivers.formats.dingtek_frame import DingtekKind, check_frame, head_note
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
        measurement, parameters = (23, 16) if self.climate else (21, 17)
        lengths = {
            DingtekKind.MEASUREMENT: measurement,
            DingtekKind.OTHER_MEASUREMENT: measurement,
            DingtekKind.PARAMETERS: parameters,
        }
        if check_frame(self.name, frame, self.device_type, lengths) is DingtekKind.PARAMETERS:
            return [self._parameters(frame.payload)]
        return self._measurement(frame.payload)

    def _measurement(self, payload: bytes) -> list[AnyReading]:
        readings: list[AnyReading] = [Presence(channel=SPACE, occupied=bool(payload[7] & 0xF0))]
        distance_mm = unsigned(payload, 5)
        if self.ultrasonic and distance_mm:
            readings.append(Range(mm=distance_mm))
        return [*readings, self._health(payload)]

    def _health(self, payload: bytes) -> Health:
        battery_v = unsigned(payload, 9) / 100
        diagnostics: Diagnostics = {
            "level_alarm": bool(payload[7] & 0x0F),
            "magnet_alarm": bool(payload[8] & 0xF0),
            "magnetic_x_mgs": signed(payload, 11),
            "magnetic_y_mgs": signed(payload, 13),
            "magnetic_z_mgs": signed(payload, 15),
            "frame_counter": unsigned(payload, 19 if self.climate else 17),
        }
        said = [head_note(payload), volts_note(battery_v)]
        temperature = None
        if self.climate:
            temperature = _temperature(payload[17])
            humidity = percent(payload[18])
            if humidity is not None:
                diagnostics["humidity_pct"] = humidity
            said += [_temperature_note(payload[17]), percent_note(payload[18])]
        return Health(
            battery_v=volts(battery_v),
            battery_low=bool(payload[8] & 0x0F),
            temperature_c=temperature,
            note=notes(*said),
            diagnostics=diagnostics,
        )

    def _parameters(self, payload: bytes) -> Health:
        return Health(
            firmware=f"{payload[5]}.{payload[6]}",
            note=head_note(payload),
            diagnostics={"upload_interval_h": payload[7], **self._thresholds(payload)},
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
