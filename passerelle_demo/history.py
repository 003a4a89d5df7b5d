"""What was before the first start, put into the store: all that sensors told for days, and parking alone for weeks.

In comes a simulated town, out go facts, through the codecs and the aggregator of the gateway. Begun again after an
interruption, it counts nothing twice.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from cloud_api.ingest import facts_of
from cloud_api.stores.base import Store, StoredSpace
from edge.clock import to_utc_ms
from edge.config import GatewayConfig
from edge.intake import Batch, Intake
from edge.messages import Epoch, SpaceState, TimeSource
from edge.readings import DeviceAddress, Frame
from firmware_sim.history import History, last_days
from firmware_sim.sensors import Uplink
from firmware_sim.town import SPACE_CHANNEL, Town
from passerelle_demo.folder import Files, Past
from passerelle_demo.terminal import progress_of
from passerelle_demo.town_clock import TownClock

AT_ONCE = 1_000
"""Frames in one batch."""
EPOCH_OF_THE_PAST = Epoch("0" * 16)
PARKING_BEFORE = timedelta(weeks=4)
"""Before the history, of which every frame is told, parking alone goes back so far."""
LONG_ENOUGH = timedelta(days=1)
"""After so long every interval is over."""


@dataclass
class StoppedClock:
    """Shows what it is set to."""

    time: datetime

    def now(self) -> datetime:
        """What it is set to."""
        return self.time


def write_parking_before(town: Town, past: Past, store: Store) -> None:
    """When cars came and left in the weeks before the history, straight into the store: what forecasts learn from.

    A second time changes nothing.
    """
    end = last_days(town, past.days, past.end).start
    start = max(town.opened, end - PARKING_BEFORE)
    store.write(
        [
            StoredSpace(
                gateway=town.gateway,
                state=SpaceState(
                    device=bay.device.address,
                    channel=SPACE_CHANNEL,
                    occupied=change.occupied,
                    at=change.at,
                    since=change.at,
                    source=TimeSource.DEVICE,
                ),
            )
            for bay in town.bays()
            for change in bay.drivers.changes_between(start, end)
        ]
    )


def tell_past(
    files: Files, config: GatewayConfig, town: Town, past: Past, store: Store, no_more: threading.Event
) -> None:
    """What the sensors would have sent before the first start: through codecs and aggregator into the store at once.

    Its facts have an epoch of their own, always the same: when it was interrupted and begins again, the store has some
    of them already and counts none twice.
    """
    history = last_days(town, past.days, past.end)
    clock = StoppedClock(past.end)
    intake = Intake(config.gateway.name, EPOCH_OF_THE_PAST, TownClock(clock.now), config.gateway.interval_s, states={})
    intake.release(Batch(), [])
    intake.adopt(config.device)
    with progress_of(history) as (progress, bar):
        for uplinks in _in_batches(history):
            if no_more.is_set():
                return
            batch = Batch()
            for uplink in uplinks:
                intake.take(batch, uplink.device.link, _frame(uplink))
            _keep(store, intake, batch)
            progress.update(bar, completed=history.told_s(uplinks[-1]))
    clock.time += LONG_ENOUGH
    rest = Batch()
    intake.close_due(rest)
    _keep(store, intake, rest)
    files.remember_past(msgspec.structs.replace(past, told=True))


def _keep(store: Store, intake: Intake, batch: Batch) -> None:
    intake.committed(intake.finish(batch))
    store.write([fact for message in batch.outgoing for fact in facts_of(message)])


def _frame(uplink: Uplink) -> Frame:
    """The frame that the gateway's link would have made of it."""
    return Frame(
        device=DeviceAddress(uplink.device.address),
        payload=uplink.payload,
        port=uplink.port,
        counter=uplink.counter,
        heard_ms=to_utc_ms(uplink.at),
        network_time=uplink.at,
    )


def _in_batches(history: History) -> Iterator[list[Uplink]]:
    batch: list[Uplink] = []
    for uplink in history:
        batch.append(uplink)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
