"""Listening to a link by hand, without a gateway: what arrives, and what the codecs make of it.

In come a link and what is known of its devices, out go the items it hears and their readings, until told to stop.
Nothing is stored and nothing published. Every item is acknowledged at once: a source must not keep what was only looked
at.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from edge.drivers.devices import catalogue
from edge.drivers.links.base import Arrival, Inbox, Link, Refused, Report, Stranger
from edge.drivers.model import Model
from edge.messages import DeviceSettings
from edge.readings import AnyReading, DecodeError, DeviceAddress, Frame, Health, Knowledge, to_json_line

Item = Frame | Report | Refused | Stranger
Take = Callable[[Item], bool]
"""Takes what arrives; true when that was enough."""
SHOWN_BYTES = 64
"""Of refused bytes, so many are shown."""


@dataclass(frozen=True, slots=True)
class OpenDirectory:
    """Lets every device in: those of a configuration as it says, all others alike."""

    known: Mapping[str, DeviceSettings] = field(default_factory=dict)
    """By address."""
    others: DeviceSettings | None = None
    """What is believed of a device that is not known, its address apart; None when nothing is."""

    def settings(self, device: DeviceAddress) -> DeviceSettings | None:
        """See `Directory`."""
        known = self.known.get(device)
        if known is not None or self.others is None:
            return known
        return msgspec.structs.replace(self.others, address=device)

    def last_counter(self, _device: DeviceAddress) -> int | None:
        """None: whatever is heard is news."""
        return None

    def on_link(self, _link: str) -> tuple[DeviceSettings, ...]:
        """See `Roster`: the one device that was named."""
        return () if self.others is None else (self.others,)


class Interpreter:
    """Makes readings of frames. Remembers one thing: the firmware that each device reported last."""

    def __init__(self, directory: OpenDirectory) -> None:
        self._directory = directory
        self._firmware: dict[DeviceAddress, str] = {}

    def readings(self, frame: Frame) -> Sequence[AnyReading] | None:
        """What a frame says; None when nobody told the device's model. Raises `DecodeError`."""
        settings = self._directory.settings(frame.device)
        model = None if settings is None else catalogue().get(settings.model)
        if settings is None or model is None:
            return None
        readings = model.decode(frame, self._knowledge(frame.device, settings, model))
        for reading in readings:
            if isinstance(reading, Health) and reading.firmware is not None:
                self._firmware[frame.device] = reading.firmware
        return readings

    def _knowledge(self, device: DeviceAddress, settings: DeviceSettings, model: Model) -> Knowledge:
        options = {name: value for name, value in settings.options.items() if name in model.options}
        key = None if settings.key is None else bytes.fromhex(settings.key)
        return Knowledge(firmware=self._firmware.get(device), key=key, options=options)


async def listen(link: Link, take: Take, opened: Callable[[], None], seconds: float | None = None) -> None:
    """Run a link until Ctrl-C, SIGTERM, the end of `seconds` or until `take` has enough.

    `opened` is called once the link hears; `seconds` count from then. Raises `LinkError` when the link cannot be opened
    or is lost.
    """
    with _told_to_stop() as stop:
        tasks = [
            asyncio.create_task(link.run(_inbox(take, stop))),
            asyncio.create_task(stop.wait()),
            asyncio.create_task(_announce(link, opened, seconds, stop)),
        ]
        running, stopping, _ = tasks
        try:
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _inbox(take: Take, stop: asyncio.Event) -> Inbox:
    async def inbox(arrival: Arrival) -> None:
        arrival.acknowledge()
        if not stop.is_set() and take(arrival.item):
            stop.set()

    return inbox


async def _announce(link: Link, opened: Callable[[], None], seconds: float | None, stop: asyncio.Event) -> None:
    await link.opened.wait()
    opened()
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, stop.set)


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """An event that Ctrl-C and SIGTERM set, for the length of a `with` in a running event loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def without_passers_by(item: Item, known: Mapping[str, DeviceSettings]) -> Item:
    """The item; without its device where that may be anybody's.

    The services of BTHome v1 are also "user data" and others: only of a device that is known may its address be shown.
    """
    if isinstance(item, Refused) and item.name == "bthome-v1" and item.device not in known:
        return Refused(name=item.name, reason=item.reason)
    return item


def headline(item: Item) -> str:
    """What arrived, in one line."""
    match item:
        case Frame():
            return "  ".join([item.device or "-", *_radio(item), item.payload.hex()])
        case Report():
            return f"{item.device}  says without a frame"
        case Refused():
            data = item.data[:SHOWN_BYTES].hex() + ("…" if len(item.data) > SHOWN_BYTES else "")
            return "  ".join([item.device or "-", f"refused {item.name}: {item.reason}", data]).rstrip()
        case Stranger():
            signal_strength = [] if item.rssi_dbm is None else [f"{item.rssi_dbm:g} dBm"]
            return "  ".join([item.device, *signal_strength, f"not readable: {item.hint or 'no reason known'}"])


def meaning(item: Item, interpreter: Interpreter) -> list[str]:
    """What an item says, as the lines that `devices decode` would print."""
    if isinstance(item, Report):
        return [to_json_line(reading) for reading in item.readings]
    if not isinstance(item, Frame):
        return []
    try:
        readings = interpreter.readings(item)
    except DecodeError as error:
        return [f"DecodeError: {error}"]
    if readings is None:
        return ["its model is not known: name it with --model, or the gateway's file with --config"]
    return [to_json_line(reading) for reading in readings]


def in_words(reading: AnyReading) -> str:
    """A reading for a narrow column: `total channel 1, in 42, bits 32`."""
    said = msgspec.to_builtins(reading)
    return f"{said.pop('kind')} {', '.join(f'{name} {value}' for name, value in said.items())}"


def _radio(frame: Frame) -> list[str]:
    words = {"port {}": frame.port, "counter {}": frame.counter, "{:g} dBm": frame.rssi_dbm, "{:g} dB": frame.snr_db}
    return [word.format(value) for word, value in words.items() if value is not None]
