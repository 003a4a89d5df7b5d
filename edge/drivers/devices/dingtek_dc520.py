"""Dingtek DC520: a microwave-radar counter of people with separate in and out, over LoRaWAN.

In come measurements and parameters on fPort 3, out come totals and health. The balance that it derives from in and out
is a figure, never a count. Source: Dingtek decoder of The Things Network's device repository (vendor/dingtek/dc520).
"""

from edge.drivers.formats import dingtek
from edge.drivers.formats.fields import notes, unsigned, volts
from edge.drivers.model import Channel, Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Health, Knowledge, Total

NAME = "dingtek-dc520"
CHANNEL = "line1"
MODE = "pedestrian"
TOTAL_BITS = 16
LAYOUT = dingtek.Layout(model=NAME, device_type=0x52, measurement_length=19, parameters_length=18)
PARAMETERS = {
    "upload_interval_h": (7, 1),
    "start_balance": (8, 2),
    "balance_threshold": (10, 2),
    "in_threshold": (12, 2),
    "out_threshold": (14, 2),
    "battery_threshold_pct": (16, 1),
}
PLAUSIBLE_V = range(2, 31)
"""The public decoder reads whole volts; beyond this range its siblings' unit (0.01 V) may be the truth."""


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """The totals and the health that one uplink tells. Raises `DecodeError`."""
    dingtek.check(frame, LAYOUT)
    return [dingtek.parameters(frame, PARAMETERS)] if dingtek.is_parameters(frame) else _measurement(frame)


def _measurement(frame: Frame) -> list[AnyReading]:
    payload = frame.payload
    entered, left = unsigned(payload, 7), unsigned(payload, 9)
    supply, error = unsigned(payload, 13), payload[15]
    return [
        Total(channel=CHANNEL, mode=MODE, in_=entered, out=left, bits=TOTAL_BITS),
        Health(
            battery_v=volts(supply),
            battery_low=dingtek.low(payload[12]),
            fault=f"error code {error}" if error else None,
            note=notes(dingtek.head_note(frame), _supply_note(supply)),
            diagnostics={
                "balance": unsigned(payload, 5),
                "balance_alarm": dingtek.high(payload[11]),
                "in_alarm": dingtek.low(payload[11]),
                "out_alarm": dingtek.high(payload[12]),
                "frame_counter": unsigned(payload, 16),
            },
        ),
    ]


def _supply_note(supply: int) -> str | None:
    return None if supply in PLAUSIBLE_V else f"supply {supply} V is not plausible: expected 2 to 30 V"


MODEL = Model(
    name=NAME,
    maker="Dingtek",
    product="DC520",
    kind=Kind.COUNTER,
    detects="people by microwave radar, in two directions",
    links=frozenset({LinkKind.LORAWAN}),
    ports={dingtek.PORT: "measurements and parameters"},
    channels=(Channel(name=CHANNEL, mode=MODE, first="in", second="out", bits=TOTAL_BITS),),
    reporting_period_s=86400,
    mounting=(
        "Above or beside an entrance, on mains power, its front towards those who enter. It uploads every few hours "
        "unless told otherwise: set its interval. The balance that it computes itself is not used."
    ),
    source="TheThingsNetwork/lorawan-devices, vendor/dingtek/dc520",
    decode=decode,
)
