"""What the outbox writes to the SD card: a town of fifty devices at its own rhythm, faster than time.

The bytes are those that Linux hands to the disk for this process (`write_bytes` of /proc/self/io: whole pages, as often
as they are written). Each message is confirmed as stored within a second, as when all is well.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from pathlib import Path
from tempfile import TemporaryDirectory

from edge import config
from edge.clock import to_utc_ms
from edge.intake import Batch, Intake
from edge.messages import SeqRange
from edge.outbox import Outbox
from edge.readings import DeviceAddress, Frame
from firmware_sim.sensors import Span, Uplink, uplinks
from firmware_sim.town import Link, Ports, Town
from tests.bench.memory import DEVICES, RADAR_IDLE_MS, town_of_fifty
from tests.bench.programs import written_bytes
from tests.bench.table import Row
from tests.clocks import ManualClock

START = datetime(2026, 11, 21, 16, tzinfo=UTC)
"""A Saturday afternoon: the day will not be busier."""
HOURS = 2
COMMITS_MS = (50, 1_000, 5_000, 30_000)
SECOND = timedelta(seconds=1)

Moment = tuple[datetime, list[Uplink]]
"""When the gateway commits, and what; nothing where only the second has passed."""


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with TemporaryDirectory() as name:
        for commit_ms in COMMITS_MS:
            folder = Path(name) / str(commit_ms)
            written, needed = _written(town_of_fifty(), folder, commit_ms)
            a_day = 24 / HOURS / 1_000_000
            what = f"written a day with {DEVICES} devices, commit_ms = {commit_ms}"
            yield Row(what, written * a_day, "MB", needed * a_day, "the bytes of the messages alone")


def _written(town: Town, folder: Path, commit_ms: int) -> tuple[int, int]:
    """Bytes to the disk, and bytes of the messages themselves."""
    ports = Ports(broker=("127.0.0.1", 1883), serial="/dev/null", modem="/dev/null")
    settings = config.parse(town.gateway_toml(ports, folder), folder / "gateway.toml")
    outbox, clock = Outbox(folder / "outbox.db", town.gateway), ManualClock(START)
    intake = Intake(town.gateway, outbox.epoch, clock, settings.gateway.interval_s, {})
    intake.adopt(settings.device)
    end = START + timedelta(hours=HOURS)
    heard = uplinks(Span(town, START, end, RADAR_IDLE_MS))
    seconds: Iterable[Moment] = ((START + number * SECOND, []) for number in range(HOURS * 3600))
    begin, needed, stored, last = _disk_bytes(), 0, 0, 0
    for at, together in merge(
        _grouped(heard, timedelta(milliseconds=commit_ms)), seconds, key=lambda moment: moment[0]
    ):
        clock.advance((to_utc_ms(at) - to_utc_ms(START) - clock.monotonic_ms()) / 1000)
        batch = Batch()
        for uplink in together:
            intake.take(batch, uplink.device.link, _frame(uplink))
        intake.close_due(batch)
        if intake.finish(batch):
            last = outbox.commit(batch.states, batch.outgoing, waiting=batch.waiting, waited=batch.waited)
            intake.committed(batch)
        if not together and last > stored:
            needed += sum(len(entry.body) for entry in outbox.after(stored, last - stored))
            outbox.forget([SeqRange(stored + 1, last)])
            stored = last
    outbox.close()
    return _disk_bytes() - begin, needed


def _grouped(heard: Iterable[Uplink], apart: timedelta) -> Iterator[Moment]:
    """What the gateway commits together when commits are at least so far apart."""
    at, together = START, list[Uplink]()
    for uplink in heard:
        if together and uplink.at > at:
            yield at, together
            at, together = at + apart, []
        if not together:
            at = max(at, uplink.at)
        together.append(uplink)
    yield at, together


def _frame(uplink: Uplink) -> Frame:
    return Frame(
        device=DeviceAddress(uplink.device.address),
        payload=uplink.payload,
        port=uplink.port,
        counter=uplink.counter,
        network_time=uplink.at if uplink.device.link is Link.CHIRPSTACK else None,
        heard_ms=to_utc_ms(uplink.at) - to_utc_ms(START),
    )


def _disk_bytes() -> int:
    return written_bytes(Path("/proc/self/io").read_text())
