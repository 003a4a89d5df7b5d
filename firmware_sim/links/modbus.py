"""Modbus RTU units on an RS-485 pair: they answer the reads they are asked for, each only for itself.

In go the requests from the port, out come answers and refusals, whole or spoilt as told. Written from Modbus over
Serial Line V1.02 and Modbus Application Protocol V1.1b3.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from firmware_sim.encoders import modbus_register
from firmware_sim.links.pty import SerialPeer

REQUEST_LENGTH = 8
READS = (3, 4)
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2


def unspoilt(answer: bytes) -> bytes:
    """The answer as it is."""
    return answer


@dataclass(slots=True)
class Unit:
    """One sensor: its registers by their number on the wire, 0 to 65535 each."""

    registers: dict[int, int]
    function: int = 3
    """The kind of registers it has: 3 holding, 4 input."""
    spoil: Callable[[bytes], bytes] = field(default=unspoilt)
    """What the pair makes of its answers; nothing at all when that is empty."""
    asked: int = 0
    """How many questions it has heard."""

    def answer(self, number: int, function: int, first: int, count: int) -> bytes:
        """The answer frame, before the pair spoils it."""
        self.asked += 1
        if function != self.function:
            return modbus_register.refusal(number, ILLEGAL_FUNCTION, function=function)
        wanted = range(first, first + count)
        if not all(register in self.registers for register in wanted):
            return modbus_register.refusal(number, ILLEGAL_ADDRESS, function=function)
        return modbus_register.registers(number, [self.registers[register] for register in wanted], function=function)


class BusPeer:
    """The pair and its adapter. Use it within a running event loop: `start` it there."""

    def __init__(self, path: Path | None = None, *, echo: bool = False) -> None:
        """An adapter with `echo` hears its own questions, too."""
        self.cable = SerialPeer(path)
        self.units: dict[int, Unit] = {}
        """By address, 1 to 247. Who is not here is silent."""
        self._echo = echo
        self._partial = b""

    @property
    def path(self) -> str:
        """The port to open on the gateway's side."""
        return self.cable.path

    def start(self) -> None:
        """Answer from now on, in the running event loop."""
        self.cable.watch(self._receive)

    def close(self) -> None:
        """Stop answering and pull the cable."""
        self.cable.close()

    def _receive(self) -> None:
        self._partial += self.cable.receive()
        while len(self._partial) >= REQUEST_LENGTH:
            request = self._partial[:REQUEST_LENGTH]
            good = modbus_register.crc(request) == 0
            self._partial = self._partial[REQUEST_LENGTH if good else 1 :]
            if good:
                self._answer(request)

    def _answer(self, request: bytes) -> None:
        number, function = request[0], request[1]
        unit = self.units.get(number)
        first, count = (int.from_bytes(request[place : place + 2], "big") for place in (2, 4))
        answer = b"" if unit is None else unit.spoil(unit.answer(number, function, first, count))
        heard = (request if self._echo else b"") + answer
        if heard:
            self.cable.send(heard)
