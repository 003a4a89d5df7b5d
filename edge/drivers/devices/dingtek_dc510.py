"""Dingtek DC510: an indoor passive-infrared counter of people, without direction, over LoRaWAN.

In come measurements and parameters on fPort 3, out come a total and health. That the count is cumulative is inferred:
a downlink sets it to zero. Source: Dingtek decoder of The Things Network's device repository (vendor/dingtek/dc510).
"""

from edge.drivers.formats import dingtek
from edge.drivers.formats.fields import celsius, celsius_note, notes, signed, unsigned, volts, volts_note
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Health, Knowledge, Total

NAME = "dingtek-dc510"
CHANNEL = "line1"
MODE = "pedestrian"
TOTAL_BITS = 16
LAYOUT = dingtek.Layout(model=NAME, device_type=0x15, measurement_length=18, parameters_length=13)
PARAMETERS = {"upload_interval_h": (7, 1), "count_threshold": (8, 2), "battery_threshold_pct": (10, 1)}


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """The total and the health that one uplink tells. Raises `DecodeError`."""
    dingtek.check(frame, LAYOUT)
    return [dingtek.parameters(frame, PARAMETERS)] if dingtek.is_parameters(frame) else _measurement(frame)


def _measurement(frame: Frame) -> list[AnyReading]:
    """Counts and health. The temperature is read as signed: public code does not, but it snows in France."""
    payload = frame.payload
    temperature, battery = signed(payload, 8, 1), unsigned(payload, 13) / 100
    return [
        Total(channel=CHANNEL, mode=MODE, in_=unsigned(payload, 5), bits=TOTAL_BITS),
        Health(
            battery_v=volts(battery),
            battery_low=dingtek.low(payload[12]),
            temperature_c=celsius(temperature),
            note=notes(dingtek.head_note(frame), celsius_note(temperature), volts_note(battery)),
            diagnostics={"count_alarm": dingtek.high(payload[11]), "frame_counter": unsigned(payload, 15)},
        ),
    ]


MODEL = Model(
    name=NAME,
    maker="Dingtek",
    product="DC510",
    kind=Kind.COUNTER,
    detects="people indoors by passive infrared, without direction",
    links=frozenset({LinkKind.LORAWAN}),
    ports={dingtek.PORT: "measurements and parameters"},
    channels=(Channel(name=CHANNEL, mode=MODE, first="passing", second=None, bits=TOTAL_BITS),),
    reporting_period_s=86400,
    mounting=(
        "Indoors beside an entrance, looking across it, not at a heater or a window. It uploads every few hours unless "
        "told otherwise: set its interval to the shortest that the battery allows. It counts both directions as one."
    ),
    source="TheThingsNetwork/lorawan-devices, vendor/dingtek/dc510",
    decode=decode,
)
