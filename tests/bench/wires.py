"""What the two links on a serial wire take in: a radar's stream and a LoRa modem's lines, on pseudo-terminals.

The bytes are written by `cat`, as fast as the other end takes them; the reference reads them and does nothing more.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import process_time

from edge.drivers.links.base import Link
from edge.drivers.links.rak3172 import Rak3172Config, Rak3172Link
from edge.drivers.links.serial_port import SerialConfig, SerialLink
from edge.messages import DeviceSettings
from firmware_sim.encoders import hlk_ld2450
from firmware_sim.encoders.hlk_ld2450 import Target
from firmware_sim.links.lorawan import Session, uplink
from firmware_sim.links.pty import SerialPeer
from firmware_sim.links.rak3172 import ModemPeer
from tests.arrivals import Ticks
from tests.bench.meter import Directory, Meter, opened

RADAR_FRAMES, PACKETS = 20_000, 5_000
SESSION = Session("260b1234", bytes(range(16)), bytes(range(16, 32)))
ADOPTED = Directory(
    DeviceSettings(
        address=SESSION.dev_addr,
        model="nwave-nps405",
        nwk_skey=SESSION.nwk_skey.hex(),
        app_skey=SESSION.app_skey.hex(),
    )
)
OCCUPIED = b"\x95"
READ_SIZE = 4096


def radar_stream(folder: Path) -> Path:
    """A file of `RADAR_FRAMES` frames with three targets each, as an LD2450 sends them."""
    targets = [Target(x_mm=500 * lane, y_mm=1_500 + 800 * lane, speed_cm_s=120) for lane in (-1, 0, 1)]
    path = folder / "radar.bin"
    path.write_bytes(hlk_ld2450.report(targets) * RADAR_FRAMES)
    return path


def packet_lines(folder: Path) -> Path:
    """A file of `PACKETS` lines, one data frame each, as a RAK3172 with RUI3 prints them."""
    phys = (uplink(SESSION, counter, 1, OCCUPIED) for counter in range(1, PACKETS + 1))
    path = folder / "packets.txt"
    path.write_bytes(b"".join(f"+EVT:RXP2P:-80:7:{phy.hex().upper()}\r\n".encode() for phy in phys))
    return path


def radar_link(stream: Path) -> float:
    """Frames per second of processor time through the serial link."""
    with closing(SerialPeer()) as cable:
        config = SerialConfig(name="passage", port=cable.path, model="hlk-ld2450", device="radar")
        return asyncio.run(_taken_in(SerialLink(config, Ticks()), cable, stream, RADAR_FRAMES))


def modem_link(lines: Path) -> float:
    """Verified and decrypted frames per second of processor time through the modem link."""

    async def scene() -> float:
        with closing(ModemPeer()) as modem:
            modem.start()
            link = Rak3172Link(Rak3172Config(name="square", port=modem.path), Ticks(), ADOPTED)
            return await _taken_in(link, modem.cable, lines, PACKETS)

    return asyncio.run(scene())


def bare_wire(path: Path, frames: int) -> float:
    """The same for `os.read` alone."""
    with closing(SerialPeer()) as cable:
        port = os.open(cable.path, os.O_RDONLY | os.O_NOCTTY)
        try:
            with _cat(path, cable):
                return frames / _reading_s(port, path.stat().st_size)
        finally:
            os.close(port)


def _reading_s(port: int, size: int) -> float:
    """Processor time that it takes to read so many bytes."""
    left = size - len(os.read(port, 1))
    begin_s = process_time()
    while left:
        left -= len(os.read(port, READ_SIZE))
    return process_time() - begin_s


async def _taken_in(link: Link, cable: SerialPeer, path: Path, frames: int) -> float:
    meter = Meter(frames)
    async with asyncio.TaskGroup() as tasks:
        running = await opened(link, meter, tasks)
        with _cat(path, cable):
            rate = await meter.rate()
        running.cancel()
    return rate


@contextmanager
def _cat(path: Path, cable: SerialPeer) -> Iterator[None]:
    """Somebody else writes the file into the cable, waiting whenever it is full."""
    os.set_blocking(cable.descriptor, True)
    with subprocess.Popen(["cat", str(path)], stdout=cable.descriptor) as writer:
        try:
            yield
        finally:
            writer.terminate()
