"""LoRa modem link: a RAK3172 or RAK811 on a serial port hears LoRaWAN data frames of ABP devices on one channel.

In come a port and the radio's parameters, out come verified, decrypted frames; what cannot be read is refused or a
stranger. It is no network server: one channel, no join, no downlink. Nothing unverified of a frame is ever passed on.
"""

import logging
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.drivers.links import lorawan_frame
from edge.drivers.links.base import Arrival, Directory, Inbox, Link, LinkError, Monotonic, Refused, Report, Stranger
from edge.drivers.links.lorawan_frame import Opened, Rejected, SessionKeys, Why
from edge.drivers.links.modem import Firmware, Listening, Modem, Radio, set_up
from edge.drivers.links.modem_lines import BadLine, Banner, Line, Note, OtherEvent, Packet, Text
from edge.drivers.links.tty import open_tty
from edge.readings import DeviceAddress, Frame, Health

log = logging.getLogger(__name__)

CHECK_EVERY_MS = 60_000
"""A modem that says nothing for so long is asked whether it is still there."""
KEPT_BYTES = 600
NEEDS_KEYS = "LoRaWAN by personalization: needs nwk_skey and app_skey"
WRONG_KEY = "LoRaWAN by personalization: wrong nwk_skey, or somebody else's device"


class Rak3172Config(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="rak3172"
):
    """A `[[link]]` section of kind `rak3172`. The sensors must be fixed to the same radio parameters."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    port: Annotated[str, Meta(min_length=1)]
    """A path, best one under /dev/serial/by-id, or `usb:VID:PID[:SERIAL]`."""
    baud: Literal[9_600, 115_200] = 115_200
    """9600 for RAK3172 firmware up to 1.0.4."""
    frequency_hz: Annotated[int, Meta(ge=150_000_000, le=960_000_000)] = 868_100_000
    spreading_factor: Annotated[int, Meta(ge=6, le=12)] = 9
    bandwidth_khz: Literal[125, 250, 500] = 125
    coding_rate: Literal["4/5", "4/6", "4/7", "4/8"] = "4/5"
    preamble: Annotated[int, Meta(ge=5, le=65_535)] = 8
    """Symbols; LoRaWAN sends 8."""
    firmware: Literal["auto", "rui3", "old", "rak811"] = "auto"
    """`auto` asks the modem."""

    @property
    def radio(self) -> Radio:
        """The parameters of the radio."""
        return Radio(self.frequency_hz, self.spreading_factor, self.bandwidth_khz, str(self.coding_rate), self.preamble)


class Rak3172Link(Link):
    """One modem on one port."""

    kind = "rak3172"
    silence_s = 180.0
    """Setting up a modem that is busy or slow takes longer than any other link needs."""

    def __init__(self, config: Rak3172Config, clock: Monotonic, directory: Directory) -> None:
        super().__init__(config.name)
        self._config = config
        self._clock = clock
        self._directory = directory

    async def run(self, inbox: Inbox) -> None:
        """See `Link.run`. Raises `LinkError` also when the modem restarts, stops answering or refuses its set-up."""
        config = self._config
        firmware = None if config.firmware == "auto" else Firmware(config.firmware)
        async with open_tty(self.name, config.port, config.baud) as tty:
            ears = _Ears(self, Receiver(self._directory), self._clock, inbox)
            modem = Modem(self.name, tty, self._clock, ears.take)
            listening = await set_up(modem, firmware, config.radio)
            self.opened.set()
            await ears.listen(modem, listening)


class Receiver:
    """Opens packets. It remembers the counters it let pass, so that none passes twice before it is durable."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._passed: dict[str, int] = {}

    def receive(self, packet: Packet, heard_ms: int) -> list[Frame | Report | Refused | Stranger]:
        """What one radio packet amounts to."""
        result = lorawan_frame.open_frame(packet.payload, self._keys, self._last_counter)
        if isinstance(result, Rejected):
            return _not_opened(result, packet)
        self._passed[result.dev_addr] = result.counter
        return _opened(result, packet, heard_ms)

    def _keys(self, dev_addr: str) -> SessionKeys | None:
        settings = self._directory.settings(DeviceAddress(dev_addr))
        if settings is None or settings.nwk_skey is None or settings.app_skey is None:
            return None
        return SessionKeys(bytes.fromhex(settings.nwk_skey), bytes.fromhex(settings.app_skey))

    def _last_counter(self, dev_addr: str) -> int | None:
        durable = self._directory.last_counter(DeviceAddress(dev_addr))
        passed = self._passed.get(dev_addr)
        return max((counter for counter in (durable, passed) if counter is not None), default=None)


class _Ears:
    """Hands over what the modem hears, and knows when it must be told to listen again."""

    def __init__(self, link: Link, receiver: Receiver, clock: Monotonic, inbox: Inbox) -> None:
        self._link = link
        self._receiver = receiver
        self._clock = clock
        self._inbox = inbox
        self._deaf = False

    async def take(self, line: Line) -> None:
        """One line that answers no command."""
        heard_ms = self._clock.monotonic_ms()
        self._deaf = self._deaf or isinstance(line, Packet | BadLine) or line is Note.RECEIVE_TIMEOUT
        items = self._receiver.receive(line, heard_ms) if isinstance(line, Packet) else _refused(line)
        for item in items:
            await self._inbox(Arrival(item))

    async def listen(self, modem: Modem, listening: Listening) -> None:
        """For ever, until the modem is gone or restarts: then it listens no more and must be set up again."""
        spoke_ms = self._clock.monotonic_ms()
        while True:
            line = await modem.next_line()
            self._link.alive()
            now_ms = self._clock.monotonic_ms()
            if isinstance(line, Banner):
                raise LinkError(self._link.name, "the modem restarted", advice="if it does so again, check its supply")
            if line is not None:
                spoke_ms = now_ms
                await self.take(line)
            if self._deaf and listening.once:
                self._deaf = False
                await modem.order(listening.command)
            elif now_ms - spoke_ms >= CHECK_EVERY_MS:
                spoke_ms = now_ms
                await modem.order("AT")


def _opened(opened: Opened, packet: Packet, heard_ms: int) -> list[Frame | Report | Refused | Stranger]:
    device = DeviceAddress(opened.dev_addr)
    items: list[Frame | Report | Refused | Stranger] = []
    if opened.suspicious:
        note = f"frame counter jumped by {opened.lost + 1} to {opened.counter}"
        items.append(Report(device=device, readings=(Health(note=note),), heard_ms=heard_ms))
    if not opened.port:
        return [*items, Report(device=device, heard_ms=heard_ms)]
    frame = Frame(
        device=device,
        payload=opened.payload,
        port=opened.port,
        counter=opened.counter,
        session=opened.dev_addr,
        heard_ms=heard_ms,
        rssi_dbm=packet.rssi_dbm,
        snr_db=packet.snr_db,
    )
    return [*items, frame]


def _not_opened(rejected: Rejected, packet: Packet) -> list[Frame | Report | Refused | Stranger]:
    if rejected.dev_addr is None:
        return [Refused(name=rejected.why, reason=rejected.reason, data=packet.payload)]
    device = DeviceAddress(rejected.dev_addr)
    refused = Refused(name=rejected.why, reason=rejected.reason, data=packet.payload, device=device)
    match rejected.why:
        case Why.UNKNOWN_DEVICE:
            return [Stranger(device=device, hint=NEEDS_KEYS, rssi_dbm=packet.rssi_dbm, data=packet.payload)]
        case Why.WRONG_MIC:
            return [refused, Stranger(device=device, hint=WRONG_KEY, rssi_dbm=packet.rssi_dbm)]
        case _:
            return [refused]


def _refused(line: Line) -> list[Refused]:
    """What a line without a packet is counted as; most are counted as nothing."""
    match line:
        case BadLine(text, position, reason):
            return [Refused(name="bad-line", reason=f"character {position}: {reason}", data=_kept(text))]
        case Note.RECEIVE_ERROR:
            return [Refused(name="receive-error", reason="the modem heard a packet with a radio error")]
        case Text(text):
            return [Refused(name="noise", reason="a line that is no event", data=_kept(text))]
        case OtherEvent(text):
            log.debug("unknown event of the modem left alone: %s", text)
            return []
        case _:
            return []


def _kept(text: str) -> bytes:
    return text.encode()[:KEPT_BYTES]
