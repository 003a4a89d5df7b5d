"""How many frames a second one core takes from bytes to facts, and how many it makes durable."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from struct import unpack_from
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from edge.aggregator.tracking import Tracks, follow
from edge.intake import Batch, Intake
from edge.messages import DeviceSettings, Epoch, Flow, FlowInterval, GatewayName
from edge.outbox import Outbox
from edge.readings import DeviceAddress, Frame
from firmware_sim.encoders import parametric_pcr2
from tests.bench.table import Row, rate
from tests.clocks import ManualClock

FRAMES = 10_000
READINGS_PER_FRAME = 3
START = datetime(2026, 11, 22, tzinfo=UTC)
COMMITS = 200
PER_COMMIT = 20


def rows() -> Iterator[Row]:
    """The figures of this file."""
    frames = _pcr2_frames()
    taken = rate(lambda: _take_all(frames))
    yield Row(
        "PCR2 frames: admission, codec, aggregator (one core)",
        taken,
        "frames/s",
        rate(lambda: _unpack_all(frames)),
        "struct.unpack_from and two additions per frame",
    )
    yield Row("  of which readings", taken * READINGS_PER_FRAME, "readings/s")
    yield Row(
        "radar frames with three targets through the tracker (one core)", rate(_track), "frames/s", 10, "one radar"
    )
    yield Row(
        f"messages made durable, {PER_COMMIT} to a commit (WAL, FULL)",
        rate(_commit_ours, perf_counter),
        "messages/s",
        rate(_commit_bare, perf_counter),
        "the same bytes into a bare SQLite table, same commits",
    )


def _pcr2_frames() -> list[Frame]:
    period_s = 600
    return [
        Frame(
            device=DeviceAddress("0004a30b00000001"),
            payload=parametric_pcr2.counts_v4(3, 2, 3 * number % 65536, 2 * number % 65536, 0, 0, 21.5),
            port=14,
            counter=number,
            network_time=datetime.fromtimestamp(START.timestamp() + number * period_s, UTC),
        )
        for number in range(FRAMES)
    ]


def _take_all(frames: list[Frame]) -> int:
    clock = ManualClock(datetime(2027, 11, 22, tzinfo=UTC))
    intake = Intake("bench", Epoch("0" * 16), clock, 300, {})
    intake.adopt([DeviceSettings(address="0004a30b00000001", model="parametric-pcr2")])
    for frame in frames:
        batch = Batch()
        intake.take(batch, "bench", frame)
        intake.committed(intake.finish(batch))
    return len(frames)


def _unpack_all(frames: list[Frame]) -> int:
    came = went = 0
    for frame in frames:
        ltr, rtl = unpack_from(">HH", frame.payload, 3)
        came, went = came + ltr, went + rtl
    return len(frames)


def _track() -> int:
    frames = 2_000
    tracks = Tracks()
    for number in range(frames):
        phase = (number % 40) / 40 * 3_000 - 1_500
        targets = np.array([(phase, 1_500.0), (-phase, 3_000.0), (phase, 4_500.0)])
        tracks, _ = follow(tracks, targets, number * 100)
    return frames


def _commit_ours() -> int:
    interval = FlowInterval(device="d", channel="line1", start=START, seconds=300, in_=3, out=2, covered_s=300)
    message = Flow(gateway=GatewayName("bench"), epoch=Epoch("0" * 16), intervals=(interval,) * 5)
    with TemporaryDirectory() as folder:
        outbox = Outbox(Path(folder) / "outbox.db", "bench")
        for _ in range(COMMITS):
            outbox.commit({}, [message] * PER_COMMIT)
        outbox.close()
    return COMMITS * PER_COMMIT


def _commit_bare() -> int:
    body = b"x" * 700
    with TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (seq INTEGER, body BLOB)"
        )
        for commit in range(COMMITS):
            db.execute("BEGIN")
            db.executemany("INSERT INTO t VALUES (?, ?)", [(commit * PER_COMMIT + n, body) for n in range(PER_COMMIT)])
            db.execute("COMMIT")
        db.close()
    return COMMITS * PER_COMMIT
