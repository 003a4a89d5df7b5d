"""A LoRa modem's command line: recognise it, set its radio, make it listen, and tell what it says unasked.

In come a port and the radio's parameters, out come the modem's lines. A modem that does not answer or refuses its
set-up is a `LinkError`. An event never counts as the answer to a command, and an answer never as an event.
"""

import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.drivers.links.base import LinkError, Monotonic
from edge.drivers.links.modem_lines import Banner, Done, Failed, Line, LineCutter, PacketJoiner, Text, parse_line
from edge.drivers.links.tty import Tty

log = logging.getLogger(__name__)

ATTEMPTS = 4
ANSWER_MS = 2_000
"""So long a modem may take to answer before it is asked again."""
BUSY_MS = 500
"""So long a busy modem is left alone."""
BUSY = frozenset({"AT_BUSY_ERROR", "ERROR: 80"})
PUBLIC_SYNC_WORD = "3444"
"""LoRaWAN's 0x34 as an SX126x register holds it; peer-to-peer firmware starts with the private one."""
POWER_DBM = 14
"""The modem never sends; its set-up wants a figure."""
OLD_VERSION = re.compile(r"(AT\+VER=)?V?[01]\.")

BANDWIDTHS_KHZ = (125, 250, 500)
"""Their place is their code."""
CODING_RATES = ("4/5", "4/6", "4/7", "4/8")


class Firmware(StrEnum):
    """The dialects we speak."""

    RUI3 = "rui3"
    OLD = "old"
    """RAK3172 up to 1.0.4."""
    RAK811 = "rak811"


@dataclass(frozen=True, slots=True)
class Radio:
    """What both ends of a peer-to-peer radio link must agree on."""

    frequency_hz: int
    spreading_factor: int
    bandwidth_khz: int
    coding_rate: str
    preamble: int


@dataclass(frozen=True, slots=True)
class Listening:
    """One way to make the modem listen."""

    command: str
    once: bool
    """It stops after a packet or a time-out, and must be told again."""


CONTINUOUS = Listening("AT+PRECV=65534", once=False)
UNTIL_PACKET = Listening("AT+PRECV=65535", once=True)
RAK811_RECEIVER = Listening("at+set_config=lorap2p:transfer_mode:1", once=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a command."""

    end: Done | Failed | None
    """None when nothing ended it in time."""
    texts: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """The modem said OK."""
        return isinstance(self.end, Done)

    @property
    def outcome(self) -> str:
        """In words."""
        match self.end:
            case Failed(code):
                return f"answered {code}"
            case None:
                return "did not answer"
            case _:
                return "answered OK"


class Modem:
    """The conversation with one modem on an open port."""

    def __init__(self, link: str, tty: Tty, clock: Monotonic, unasked: Callable[[Line], Awaitable[None]]) -> None:
        """`unasked` takes what comes while a command waits for its answer."""
        self._link = link
        self._tty = tty
        self._clock = clock
        self._unasked = unasked
        self._cutter = LineCutter()
        self._joiner = PacketJoiner()
        self._lines: deque[Line] = deque()

    async def next_line(self) -> Line | None:
        """The next line, or None when the modem is quiet for a tenth of a second. Raises `LinkError`."""
        if not self._lines:
            data = await self._tty.read()
            now_ms = self._clock.monotonic_ms()
            self._lines.extend(self._joiner.expire(now_ms))
            for text in self._cutter.feed(data):
                self._lines.extend(self._joiner.take(parse_line(text), now_ms))
        return self._lines.popleft() if self._lines else None

    async def ask(self, command: str) -> Answer:
        """Send a command and wait for its end."""
        await self._tty.write(command.encode() + b"\r\n")
        texts: list[str] = []
        until_ms = self._clock.monotonic_ms() + ANSWER_MS
        while self._clock.monotonic_ms() < until_ms:
            match await self.next_line():
                case None | Banner():
                    continue
                case Done() | Failed() as end:
                    return Answer(end, tuple(texts))
                case Text(text):
                    texts.append(text)
                case line:
                    await self._unasked(line)
        return Answer(None, tuple(texts))

    async def order(self, command: str) -> Answer:
        """Send a command, again when the modem is busy or silent. Raises `LinkError` when it stays silent."""
        answer = await self.ask(command)
        for _ in range(ATTEMPTS - 1):
            if answer.end is None:
                answer = await self._ask_again(command)
            elif _busy(answer):
                await self._pause(BUSY_MS)
                answer = await self.ask(command)
            else:
                return answer
        if answer.end is None:
            raise LinkError(
                self._link,
                f"the modem did not answer {command}",
                advice="check power, wiring and baud (old RAK3172 firmware talks at 9600)",
            )
        return answer

    async def require(self, *commands: str) -> str:
        """Give the first of these orders that is carried out, and return it. Raises `LinkError` when none is."""
        outcomes: list[str] = []
        for command in commands:
            answer = await self.order(command)
            if answer.done:
                return command
            outcomes.append(f"{command} {answer.outcome}")
        raise LinkError(
            self._link,
            "the modem refused its set-up: " + ", ".join(outcomes),
            advice="compare frequency, spreading factor, bandwidth and preamble with its manual; update its firmware",
        )

    async def _ask_again(self, command: str) -> Answer:
        """Ask, and let the answers to both attempts come in, so that none is taken for the next command's."""
        answer = await self.ask(command)
        if answer.end is not None:
            await self._pause(ANSWER_MS)
        return answer

    async def _pause(self, length_ms: int) -> None:
        """Listen on for a while, to events only."""
        until_ms = self._clock.monotonic_ms() + length_ms
        while self._clock.monotonic_ms() < until_ms:
            line = await self.next_line()
            if line is not None and not isinstance(line, Banner | Done | Failed | Text):
                await self._unasked(line)


async def set_up(modem: Modem, firmware: Firmware | None, radio: Radio) -> Listening:
    """Recognise the modem unless its firmware is given, set its radio and make it listen. Raises `LinkError`."""
    firmware = firmware or await _recognise(modem)
    log.info("modem speaks %s", firmware)
    if firmware is Firmware.RAK811:
        await modem.require("at+set_config=lora:work_mode:1")
        await modem.require(_rak811_radio(radio))
        await modem.require(RAK811_RECEIVER.command)
        return RAK811_RECEIVER
    await _enter_point_to_point(modem)
    await modem.order("AT+PRECV=0")
    await modem.require(*_rak3172_radio(radio))
    if not (await modem.order(f"AT+SYNCWORD={PUBLIC_SYNC_WORD}")).done:
        log.warning("modem cannot set LoRaWAN's public sync word: its sensors must use the modem's own")
    return await _listen(modem, [UNTIL_PACKET] if firmware is Firmware.OLD else [CONTINUOUS, UNTIL_PACKET])


async def _recognise(modem: Modem) -> Firmware:
    """RAK811 refuses a bare `AT`; the two firmwares of the RAK3172 are told apart by their version."""
    if not (await modem.order("AT")).done:
        return Firmware.RAK811
    version = await modem.order("AT+VER=?")
    return Firmware.OLD if any(OLD_VERSION.match(text) for text in version.texts) else Firmware.RUI3


async def _enter_point_to_point(modem: Modem) -> None:
    """Leave LoRaWAN mode if it is in it; only then may the module restart, and is waited for."""
    mode = await modem.order("AT+NWM=?")
    if any(text.removeprefix("AT+NWM=") == "0" for text in mode.texts):
        return
    await modem.ask("AT+NWM=0")
    await modem.require("AT")


async def _listen(modem: Modem, ways: Sequence[Listening]) -> Listening:
    command = await modem.require(*(way.command for way in ways))
    return next(way for way in ways if way.command == command)


def _rak3172_radio(radio: Radio) -> tuple[str, str]:
    """Firmware before 4 takes the bandwidth in kHz, later also or only its code."""
    bandwidths = (radio.bandwidth_khz, BANDWIDTHS_KHZ.index(radio.bandwidth_khz))
    rate = CODING_RATES.index(radio.coding_rate)
    one, other = (
        f"AT+P2P={radio.frequency_hz}:{radio.spreading_factor}:{bandwidth}:{rate}:{radio.preamble}:{POWER_DBM}"
        for bandwidth in bandwidths
    )
    return one, other


def _rak811_radio(radio: Radio) -> str:
    bandwidth, rate = BANDWIDTHS_KHZ.index(radio.bandwidth_khz), CODING_RATES.index(radio.coding_rate) + 1
    parameters = (radio.frequency_hz, radio.spreading_factor, bandwidth, rate, radio.preamble, POWER_DBM)
    return "at+set_config=lorap2p:" + ":".join(str(parameter) for parameter in parameters)


def _busy(answer: Answer) -> bool:
    return isinstance(answer.end, Failed) and answer.end.code in BUSY
