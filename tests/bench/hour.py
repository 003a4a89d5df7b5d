"""What an hour of a town's real time costs the gateway: 50 devices, a radar among them that never falls silent.

The gateway is a program of its own, with an API beside it that stores what it sends. The reference for memory is the
gateway's own before the first frame.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_sim.clock import ScaledClock
from firmware_sim.live import run_town
from tests.bench.memory import DEVICES, Ends, town_of_fifty
from tests.bench.programs import Program, beside, running_api, running_gateway
from tests.bench.table import Row
from tests.broker import running_mosquitto

MINUTES = float(os.environ.get("MINUTES", "60"))
SAMPLE_S = 20.0


@dataclass(frozen=True, slots=True)
class Hour:
    """Memory in megabytes (10**6 bytes), processor time in seconds, and what went to the disk."""

    idle_mb: float
    early_mb: float
    most_mb: float
    last_mb: float
    processor_s: float
    written_mb: float


def rows() -> Iterator[Row]:
    """The figures of this file. `MINUTES` in the environment makes the hour shorter."""
    with TemporaryDirectory() as name:
        hour = asyncio.run(_measure(Path(name)))
    before = "the same program before the first frame"
    yield Row(f"resident with {DEVICES} devices, a tenth of the time gone", hour.early_mb, "MB", hour.idle_mb, before)
    yield Row(f"  at the end of {MINUTES:g} minutes", hour.last_mb, "MB", hour.idle_mb, before)
    yield Row("  at the most", hour.most_mb, "MB", hour.idle_mb, before)
    yield Row("processor time", 100 * hour.processor_s / (MINUTES * 60), "% of a core")
    yield Row("written to its disk", hour.written_mb * 24 * 60 / MINUTES, "MB a day")


async def _measure(folder: Path) -> Hour:
    town = town_of_fifty()
    with running_mosquitto(folder) as broker:
        ends = Ends(broker)
        (folder / "gateway.toml").write_text(town.gateway_toml(ends.ports, folder / "gateway"))
        async with (
            ends.at_work(folder),
            beside(running_api(town.places_toml(), folder, broker)),
            beside(running_gateway(folder / "gateway.toml")) as gateway,
        ):
            await ends.opened(town.gateway)
            idle_mb, before_s, written_before = gateway.resident_mb, gateway.processor_s, gateway.written_mb
            stop = asyncio.Event()
            living = asyncio.create_task(run_town(town, ScaledClock(), ends.peers, stop))
            samples = await _watched(gateway)
            stop.set()
            await living
            return Hour(
                idle_mb=idle_mb,
                early_mb=samples[len(samples) // 10],
                most_mb=max(samples),
                last_mb=samples[-1],
                processor_s=gateway.processor_s - before_s,
                written_mb=gateway.written_mb - written_before,
            )


async def _watched(gateway: Program) -> list[float]:
    """Its resident memory in MB, every so often, until the time is over."""
    samples = []
    for _ in range(round(MINUTES * 60 / SAMPLE_S)):
        await asyncio.sleep(SAMPLE_S)
        samples.append(gateway.resident_mb)
    return samples
