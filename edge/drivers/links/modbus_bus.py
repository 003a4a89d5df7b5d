"""One RS-485 pair with Modbus RTU units, through pymodbus: one question at a time, and all that was heard after it.

In come `Ask`s, out come `Exchange`s: an answer, a refusal, rubbish or nothing. A port that is missing or pulled is a
`LinkError`. Importing this loads pymodbus, so only a Modbus link that runs does. It never writes to a register.
"""

import asyncio
import logging
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from edge.drivers.formats.modbus_rtu import READ_INPUT, REFUSED, answer, find_answer, refusal
from edge.drivers.links.base import LinkError
from edge.drivers.links.modbus_plan import Ask, Outcome
from edge.drivers.links.tty import open_tty, path_of

SILENCE_CHARACTERS = 3.5
"""Between two frames the pair is quiet for so long; by Modbus over Serial Line V1.02."""
BITS_PER_CHARACTER = 11
SHORTEST_SILENCE_S = 0.004
LONGEST = 1024
"""So many bytes are kept of what is heard: four times the longest frame."""

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what fails is told by the link: once, with its count


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A port and how bits travel on it: 8 data bits always."""

    link: str
    port: str
    """A path, or `usb:VID:PID[:SERIAL]`."""
    baud: int
    parity: Literal["N", "E", "O"]
    stop_bits: Literal[1, 2]
    timeout_s: float
    """So long a unit may take to answer."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and what came of it."""

    outcome: Outcome
    payload: bytes
    """The whole answer or refusal; what was heard instead of one."""
    stray: bytes = b""
    """What else was heard since the exchange before: late answers, noise."""


class _Ear:
    """Hears all that is on the pair, and lets pymodbus hear the whole answer alone.

    By itself it misses an answer behind one stray byte, and some of its versions one that comes in pieces. The echo of
    our own question, which some adapters return, is no more than stray bytes.
    """

    def __init__(self) -> None:
        self._question = b""
        self._buffer = b""
        self._heard = b""

    def trace(self, sending: bool, data: bytes) -> bytes:
        """What is sent, or all that has come since and was not used. Returns what pymodbus shall make of it."""
        if sending:
            self._question, self._buffer = data, b""
            return data
        self._heard = (self._heard + data.removeprefix(self._buffer))[-LONGEST:]
        self._buffer = data
        return find_answer(self._heard, unit=self._question[0], function=self._question[1]) if self._question else b""

    def take(self) -> bytes:
        """What was heard since this was last asked, without an echo."""
        heard, self._heard = self._heard, b""
        return heard.removeprefix(self._question)


class Bus:
    """Use `open_bus`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ear = _Ear()
        self._lost = asyncio.Event()
        self._client = AsyncModbusSerialClient(
            path_of(line.link, line.port),
            baudrate=line.baud,
            parity=line.parity,
            stopbits=line.stop_bits,
            timeout=line.timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._ear.trace,
            trace_connect=self._connected,
        )
        self._client.set_max_no_responses(sys.maxsize)  # a dead unit must not close the port for the others

    async def open(self) -> None:
        """Open the port. Raises `LinkError`."""
        try:
            opened = await self._client.connect()
        except termios.error as error:
            raise self._unusable(str(error)) from error
        if not opened:
            await self._explain()

    def close(self) -> None:
        """Give the port back."""
        self._client.close()

    async def ask(self, ask: Ask) -> Exchange:
        """Put one question. Raises `LinkError` when the port is gone."""
        await self.rest(max(SHORTEST_SILENCE_S, SILENCE_CHARACTERS * BITS_PER_CHARACTER / self._line.baud))
        late = self._ear.take()
        read = self._client.read_input_registers if ask.function == READ_INPUT else self._client.read_holding_registers
        try:
            told = _told(ask, await read(ask.register, count=ask.count, device_id=ask.unit))
        except ModbusException:
            self._raise_if_lost()
            told = None
        heard = self._ear.take()
        if told is None:
            return Exchange(Outcome.NOISE if heard else Outcome.SILENCE, heard, late)
        outcome, payload = told
        return Exchange(outcome, payload, late + heard.replace(payload, b"", 1))

    async def rest(self, seconds: float) -> None:
        """Ask nothing for so long. Raises `LinkError` when the port goes away meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        except TimeoutError:
            return
        self._raise_if_lost()

    def _connected(self, connected: bool) -> None:
        if not connected:
            self._lost.set()

    def _raise_if_lost(self) -> None:
        if self._lost.is_set() or not self._client.connected:
            advice = "check the cable and the adapter; the link opens the port again by itself"
            raise LinkError(self._line.link, f"port {self._line.port} is gone", advice=advice)

    async def _explain(self) -> None:
        """pymodbus does not say why it cannot open a port; opening it otherwise does. Raises `LinkError`."""
        async with open_tty(self._line.link, self._line.port, self._line.baud):
            raise self._unusable("it cannot be opened")

    def _unusable(self, reason: str) -> LinkError:
        advice = "check that the adapter can do its baud, parity and stop bits"
        return LinkError(self._line.link, f"port {self._line.port}: {reason}", advice=advice)


@asynccontextmanager
async def open_bus(line: Line) -> AsyncIterator[Bus]:
    """The pair for the length of an `async with`. Raises `LinkError`, naming the link."""
    bus = Bus(line)
    try:
        await bus.open()
        yield bus
    finally:
        bus.close()


def _told(ask: Ask, response: ModbusPDU) -> tuple[Outcome, bytes] | None:
    """The frame that pymodbus read; None when it is no answer to this question."""
    if response.function_code & ~REFUSED != ask.function:
        return None
    if response.function_code & REFUSED:
        return Outcome.REFUSAL, refusal(ask.unit, ask.function, response.exception_code)
    if len(response.registers) != ask.count:
        return None
    return Outcome.ANSWER, answer(ask.unit, ask.function, response.registers)
