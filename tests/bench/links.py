"""How many frames a second a link takes in on one core, from its source to the gateway's door.

Each figure stands beside that of the bare channel that the same bytes come by: nothing but the reading.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench import air, documents, pair, wires
from tests.bench.table import Row
from tests.broker import running_mosquitto

RUNS = 3
UNIT = "frames/s"


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        yield from _wires(folder)
        yield _pair(folder)
        yield _documents("ChirpStack", documents.CHIRPSTACK, folder)
        yield _documents("The Things Stack", documents.THINGS_STACK, folder)
        yield Row(
            "encrypted BTHome advertisements over a private bus",
            _median(partial(air.ble_link, folder)),
            UNIT,
            _median(partial(air.bare_bus, folder)),
            "dbus-fast and the same signals, nothing more",
        )


def _pair(folder: Path) -> Row:
    ours, bare = _median(partial(pair.modbus_link, folder)), _median(partial(pair.bare_pair, folder))
    return Row("Modbus answers of a hundred units on one pair", ours, UNIT, bare, "os.write and os.read, nothing more")


def _documents(name: str, server: documents.Server, folder: Path) -> Row:
    with running_mosquitto(folder) as broker:
        ours, bare = zip(*(documents.documents(broker, run, server) for run in range(RUNS)), strict=True)
    return Row(f"{name} documents over mosquitto", median(ours), UNIT, median(bare), "a bare paho subscriber")


def _wires(folder: Path) -> Iterator[Row]:
    radar, packets = wires.radar_stream(folder), wires.packet_lines(folder)
    yield Row(
        "LD2450 frames on a serial wire",
        _median(partial(wires.radar_link, radar)),
        UNIT,
        _median(partial(wires.bare_wire, radar, wires.RADAR_FRAMES)),
        "os.read of the same bytes, nothing more",
    )
    yield Row(
        "LoRaWAN data frames from a RAK3172 modem",
        _median(partial(wires.modem_link, packets)),
        UNIT,
        _median(partial(wires.bare_wire, packets, wires.PACKETS)),
        "os.read of the same bytes, nothing more",
    )


def _median(measure: Callable[[], float]) -> float:
    return median(measure() for _ in range(RUNS))
