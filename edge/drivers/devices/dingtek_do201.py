"""Dingtek DO201: reports one parking space over LoRaWAN (fPort 3).

In comes a measurement or the parameters, out come presence, distance and health.
It also tells temperature and humidity.
Source: Dingtek do201 decoder of The Things Network's device repository (vendor/dingtek).
"""

from edge.drivers.formats.dingtek import PORT
from edge.drivers.formats.dingtek_parking import MOUNTING, DingtekParking
from edge.drivers.model import Kind, LinkKind, Model
from edge.readings import AnyReading, Frame, Knowledge

NAME = "dingtek-do201"
SENSOR = DingtekParking(NAME, device_type=0x31, ultrasonic=True, climate=True)


def decode(frame: Frame, knowledge: Knowledge) -> list[AnyReading]:
    """Presence, distance and health of one uplink. Raises `DecodeError`."""
    return SENSOR.decode(frame)


MODEL = Model(
    name=NAME,
    maker="Dingtek",
    product="DO201",
    kind=Kind.PARKING,
    detects="a car on one space, by ultrasound and magnetometer",
    links=frozenset({LinkKind.LORAWAN}),
    ports={PORT: "measurements and parameters"},
    reporting_period_s=86_400,
    mounting=MOUNTING,
    source="Dingtek do201 decoder (TheThingsNetwork/lorawan-devices, vendor/dingtek)",
    decode=decode,
)
