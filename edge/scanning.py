"""Which BTHome sensors were heard, and what they said: the table that `passerelle devices scan` shows.

In come what the Bluetooth link hears, out comes a table. It never holds anything but BTHome sensors.
"""

from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from edge.drivers.links.base import Refused, Report
from edge.listening import Interpreter, Item, in_words
from edge.readings import DecodeError, DeviceAddress, Frame


@dataclass(slots=True)
class HeardSensor:
    """One sensor."""

    rssi_dbm: float | None = None
    """The last signal strength."""
    messages: int = 0
    """Different messages; each is sent several times."""
    says: str = ""


class Scan:
    """What one scan has heard so far."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self.devices: dict[DeviceAddress, HeardSensor] = {}

    def note(self, item: Item) -> None:
        """Add what was heard. A refusal says nothing of a sensor that is not on the list: it may be anything."""
        if isinstance(item, Report) or (isinstance(item, Refused) and item.device not in self.devices):
            return
        if item.device is None:
            return
        sensor = self.devices.setdefault(item.device, HeardSensor())
        if isinstance(item, Refused):
            sensor.says = item.reason
            return
        sensor.rssi_dbm = item.rssi_dbm
        if isinstance(item, Frame):
            sensor.messages += 1
            sensor.says = self._said(item)
        else:
            sensor.says = item.hint or ""

    def table(self) -> Table:
        """All sensors, the strongest first."""
        table = Table("sensor", "signal", "messages", "says", box=None, pad_edge=False)
        for address, sensor in sorted(self.devices.items(), key=lambda entry: -_strength(entry[1])):
            signal = "" if sensor.rssi_dbm is None else f"{sensor.rssi_dbm:g} dBm"
            table.add_row(address, signal, str(sensor.messages), Text(sensor.says))
        return table

    def _said(self, frame: Frame) -> str:
        try:
            readings = self._interpreter.readings(frame)
        except DecodeError as error:
            return f"not decoded: {error}"
        return "; ".join(in_words(reading) for reading in readings or ())


def _strength(sensor: HeardSensor) -> float:
    return -200.0 if sensor.rssi_dbm is None else sensor.rssi_dbm
