"""What the Modbus link takes in: answers of many units on one pair, beside the bare questions and answers.

Run as a program (`python -m tests.bench.pair PATH`), it is the pair: it tells `ready`, then answers until its standard
input ends.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time

from edge.drivers.links.modbus import ModbusConfig, ModbusLink
from edge.messages import DeviceSettings
from firmware_sim.encoders.modbus_register import crc
from firmware_sim.links.modbus import BusPeer, Unit
from tests.arrivals import Ticks
from tests.bench.meter import Meter, opened

UNITS = range(1, 101)
ANSWERS = 1_000
REGISTER, DISTANCE_MM = 256, 1480
ANSWER_LENGTH = 7


class Bays:
    """A hundred distance sensors, adopted on the pair."""

    def on_link(self, link: str) -> tuple[DeviceSettings, ...]:
        """See `Roster`."""
        return tuple(
            DeviceSettings(
                address=f"bay-{unit}",
                model="modbus-register",
                link=link,
                options={"unit": unit, "register": REGISTER, "count": 1},
            )
            for unit in UNITS
        )


def modbus_link(folder: Path) -> float:
    """Answers per second of processor time through the link."""
    with _pair(folder) as port:
        return asyncio.run(_asked(port))


def bare_pair(folder: Path) -> float:
    """The same for `os.write` and `os.read` alone."""
    questions = [_question(unit) for unit in UNITS] * (ANSWERS // len(UNITS))
    with _pair(folder) as path:
        port = os.open(path, os.O_RDWR | os.O_NOCTTY)
        try:
            begin_s = process_time()
            for question in questions:
                os.write(port, question)
                left = ANSWER_LENGTH
                while left:
                    left -= len(os.read(port, left))
            return ANSWERS / (process_time() - begin_s)
        finally:
            os.close(port)


def _question(unit: int) -> bytes:
    body = bytes([unit, 3]) + REGISTER.to_bytes(2, "big") + (1).to_bytes(2, "big")
    return body + crc(body).to_bytes(2, "little")


async def _asked(port: str) -> float:
    meter = Meter(ANSWERS)
    config = ModbusConfig(name="pair", port=port, baud=115_200, poll_s=0.05, timeout_s=5)
    async with asyncio.TaskGroup() as tasks:
        running = await opened(ModbusLink(config, Ticks(), Bays()), meter, tasks)
        rate = await meter.rate()
        running.cancel()
    return rate


@contextmanager
def _pair(folder: Path) -> Iterator[str]:
    """The pair, in a process of its own; its port."""
    path = folder / "pair"
    command = [sys.executable, "-m", "tests.bench.pair", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdout is not None
        try:
            if peer.stdout.readline().strip() != "ready":
                raise OSError("the pair did not come up")
            yield str(path)
        finally:
            peer.terminate()


async def _answer(path: Path) -> None:
    peer = BusPeer(path)
    peer.units = {unit: Unit({REGISTER: DISTANCE_MM}) for unit in UNITS}
    peer.start()
    try:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    finally:
        peer.close()


if __name__ == "__main__":
    asyncio.run(_answer(Path(sys.argv[1])))
