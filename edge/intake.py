"""What arrived becomes checkpoints and messages: repeats refused, bytes decoded, readings aggregated, time minded.

In come `Arrival`s of all links, one after another; out comes a `Batch` for one durable commit. Nothing here is in force
before `committed` says so. One device's rubbish must not disturb another's counts: it is refused by name and counted.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from msgspec import Struct, structs

from edge.adopted import Adopted, ready
from edge.aggregator.admission import Admission, Arrived, admit
from edge.aggregator.counting import Moment
from edge.aggregator.device import DeviceState, Fact, Observation, close_due, observe, settle_changes
from edge.clock import Clock
from edge.dating import Dated, Dating
from edge.drivers.links.base import Refused, Report, Stranger
from edge.drivers.model import Signal
from edge.entries import Waiting
from edge.messages import (
    FLOWS_PER_MESSAGE,
    DeviceHealth,
    DeviceSettings,
    Epoch,
    Flow,
    FlowInterval,
    GatewayName,
    HealthReport,
    HeardDevice,
    OutboxMessage,
    Space,
    SpaceState,
)
from edge.readings import CLOCK_SET, AnyReading, DecodeError, DeviceAddress, Frame
from edge.signals import Told, View, first_view
from edge.strangers import Strangers

log = logging.getLogger(__name__)


class Untimed(Struct, frozen=True):
    """An observation without its time: what waits until the clock can be trusted."""

    readings: tuple[AnyReading, ...]
    in_order: bool = True
    alive: bool = True
    """The device itself was heard."""
    rssi_dbm: float | None = None
    snr_db: float | None = None


@dataclass(slots=True)
class Batch:
    """What one durable commit will hold."""

    states: dict[str, DeviceState] = field(default_factory=dict)
    outgoing: list[OutboxMessage] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)
    flows: list[FlowInterval] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.states or self.outgoing or self.waiting or self.waited)


class Intake:
    """Guards one invariant: the states in force are exactly those that the outbox has committed."""

    def __init__(
        self, gateway: str, epoch: Epoch, clock: Clock, interval_s: int, states: Mapping[str, DeviceState]
    ) -> None:
        self._gateway = GatewayName(gateway)
        self._epoch = epoch
        self._clock = clock
        self._interval_s = interval_s
        self._states = dict(states)
        self._adopted: dict[str, Adopted] = {}
        self._views: dict[str, View] = {}
        self._strangers = Strangers(clock)
        self._holding = True
        """Observations may wait for the time: what comes after them waits behind them, so that order is kept."""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Untimed)
        self.counters: Counter[str] = Counter()
        """`duplicates`, `older`, `heard` (frames of devices that nobody adopted), `waited_for_time`,
        `waiting_unreadable`, `clock_steps`."""
        self._dating = Dating(clock, self._states.keys(), self.counters)

    def adopt(self, devices: Iterable[DeviceSettings]) -> None:
        """From now on these are the gateway's devices; what is known of the others is kept, not used.

        A raw sensor that is set anew looks anew.
        """
        before = self._adopted
        self._adopted = {device.address: ready(device) for device in devices}
        same = {
            address for address, new in self._adopted.items() if address in before and new.raw == before[address].raw
        }
        self._views = {
            address: self._views[address] if address in same else first_view(new.raw, self._empty_mm(address))
            for address, new in self._adopted.items()
            if new.raw is not None
        }

    @property
    def devices(self) -> tuple[str, ...]:
        """Addresses of the adopted devices, in order."""
        return tuple(sorted(self._adopted))

    def settings(self, device: DeviceAddress) -> DeviceSettings | None:
        """The settings of an adopted device (`Directory`)."""
        adopted = self._adopted.get(device)
        return None if adopted is None else adopted.settings

    def on_link(self, link: str) -> tuple[DeviceSettings, ...]:
        """The adopted devices that name this link as theirs, in order (`Roster`)."""
        return tuple(self._adopted[name].settings for name in self.devices if self._adopted[name].settings.link == link)

    def last_counter(self, device: DeviceAddress) -> int | None:
        """The greatest frame counter committed (`Directory`)."""
        state = self._states.get(device)
        return None if state is None else state.admission.counter

    def take(self, batch: Batch, link: str, item: Frame | Report | Stranger) -> Refused | None:
        """Add what follows from the item to the batch. What cannot be decoded is returned, for the log."""
        if isinstance(item, Stranger) or item.device not in self._adopted:
            self.counters["heard"] += 1
            self._strangers.hear(link, item)
            return None
        adopted = self._adopted[item.device]
        if isinstance(item, Report):
            self._date(batch, adopted, Untimed(item.readings, alive=False), item.heard_ms, item.network_time)
            return None
        return self._take_frame(batch, adopted, item)

    def explain(self, frame: Frame) -> tuple[AnyReading, ...]:
        """What a frame of an adopted device says, without any effect. Raises `DecodeError`, `LookupError` of others."""
        horizon = self._dating.horizon(frame.heard_ms, frame.network_time)
        return tuple(self._adopted[frame.device].decode(frame, self._state(Batch(), frame.device).health, horizon))

    def recalibrate(self, batch: Batch, device: str) -> str | None:
        """Let a distance sensor learn anew how far it sees when nothing is there; why that cannot be, or None."""
        adopted = self._adopted.get(device)
        if adopted is None:
            return "this gateway does not listen to it"
        if adopted.raw is None or adopted.raw.signal is not Signal.RANGES:
            return f"a {adopted.model.name} cannot be calibrated from here; its maker's own tool can"
        if adopted.raw.beam.empty_mm is not None:
            return f"its empty distance is set to {adopted.raw.beam.empty_mm} mm by hand; take that setting away first"
        batch.states[device] = structs.replace(self._state(batch, device), empty_mm=None)
        self._views[device] = first_view(adopted.raw, None)
        return None

    def close_due(self, batch: Batch) -> None:
        """Publish what is due though nothing was heard: intervals that are over, changes of presence that stood."""
        now_ms = self._clock.utc_ms(self._clock.monotonic_ms())
        if now_ms is None:
            return
        for address in self._states.keys() | batch.states.keys():
            state = self._state(batch, address)
            adopted = self._adopted.get(address)
            period_s = self._interval_s if adopted is None else adopted.period_s
            due, flows = close_due(state, address, now_s=now_ms // 1000, period_s=period_s, seconds=self._interval_s)
            facts: list[Fact] = [*flows]
            if adopted is not None:
                due, spaces = settle_changes(due, adopted.identity.debounce_s, now_s=now_ms // 1000)
                facts.extend(spaces)
            if facts:
                batch.states[address] = due
                self._pack(batch, facts)

    @property
    def can_release(self) -> bool:
        """Whether observations may wait that can be dated now."""
        return self._holding and self._clock.utc_ms(0) is not None

    def release(self, batch: Batch, waiting: Sequence[Waiting], *, more: bool = False) -> None:
        """Date what waited for the time, once it is known; what waited over a power cut is dated at this boot.

        While there is `more`, what arrives waits behind it.
        """
        booted_ms = self._clock.utc_ms(0)
        if booted_ms is None:
            return
        self._holding = more
        self._dating.note_offset(booted_ms)
        for item in waiting:
            batch.waited.append(item.id)
            adopted, untimed = self._adopted.get(item.device), self._untimed(item)
            if adopted is not None and untimed is not None:
                dated = self._dating.after_waiting(item.session, item.heard_ms, booted_ms)
                self._observe(batch, adopted, untimed, dated)

    def finish(self, batch: Batch) -> Batch:
        """Pack the flow parts into messages; the batch is ready to be committed."""
        for first in range(0, len(batch.flows), FLOWS_PER_MESSAGE):
            intervals = tuple(batch.flows[first : first + FLOWS_PER_MESSAGE])
            batch.outgoing.append(Flow(gateway=self._gateway, epoch=self._epoch, intervals=intervals))
        batch.flows.clear()
        return batch

    def committed(self, batch: Batch) -> None:
        """The batch is durable: its states are in force."""
        self._states.update(batch.states)

    def strangers(self) -> tuple[HeardDevice, ...]:
        """Devices heard that nobody adopted and that were not told within the last minute."""
        return self._strangers.due()

    def _take_frame(self, batch: Batch, adopted: Adopted, frame: Frame) -> Refused | None:
        state = self._state(batch, frame.device)
        admission, arrived = admit(state.admission, frame)
        if arrived is Arrived.REPEAT:
            self.counters["duplicates"] += 1
            return None
        if arrived is Arrived.OLDER:
            self.counters["older"] += 1
        horizon = self._dating.horizon(frame.heard_ms, frame.network_time)
        try:
            readings = adopted.decode(frame, state.health, horizon)
        except DecodeError as error:
            if frame.counter is not None:
                batch.states[frame.device] = structs.replace(state, admission=admission)
            return Refused(name="decode-error", reason=str(error), data=frame.payload[:600], device=frame.device)
        told = self._tell(adopted, frame, [reading for reading in readings if _is_datable(reading, horizon)])
        if told is not None:
            self._take_told(batch, adopted, frame, told, admission, arrived)
        return _undatable(frame, readings, horizon)

    def _take_told(
        self, batch: Batch, adopted: Adopted, frame: Frame, told: Told, admission: Admission, arrived: Arrived
    ) -> None:
        state = self._state(batch, frame.device)
        if frame.counter is not None or told.empty_mm is not None:
            batch.states[frame.device] = structs.replace(state, admission=admission, empty_mm=told.empty_mm)
        in_order = arrived is Arrived.IN_ORDER
        untimed = Untimed(told.readings, in_order, told.watching, rssi_dbm=frame.rssi_dbm, snr_db=frame.snr_db)
        self._date(batch, adopted, untimed, frame.heard_ms, frame.network_time)

    def _tell(self, adopted: Adopted, frame: Frame, readings: Sequence[AnyReading]) -> Told | None:
        """The readings themselves, or what a raw signal's frame is worth telling; None when that is nothing."""
        if adopted.raw is None:
            return Told(tuple(reading for reading in readings if not adopted.ignores(reading)))
        view = self._views[frame.device]
        self._views[frame.device], told = view.hear(readings, frame.heard_ms, adopted.raw)
        return told

    def _date(
        self, batch: Batch, adopted: Adopted, untimed: Untimed, heard_ms: int, network_time: datetime | None
    ) -> None:
        """Find out when it was, then aggregate it; or let it wait for the time."""
        address = adopted.settings.address
        dated = self._dating.by_network(address, heard_ms, network_time)
        if dated is None and not self._holding:
            dated = self._dating.by_clock(address, heard_ms, reported=untimed.alive)
        if dated is not None:
            self._observe(batch, adopted, untimed, dated)
            return
        self._holding = True
        self.counters["waited_for_time"] += 1
        batch.waiting.append(Waiting(self._clock.session, heard_ms, address, self._encoder.encode(untimed)))

    def _untimed(self, item: Waiting) -> Untimed | None:
        """What waited; None when another version wrote it in a way that this one cannot read."""
        try:
            return self._decoder.decode(item.body)
        except msgspec.DecodeError as error:
            self.counters["waiting_unreadable"] += 1
            shown = item.body[:600].hex()
            log.warning("what waited for the time cannot be read device=%s: %s; bytes=%s", item.device, error, shown)
            return None

    def _observe(self, batch: Batch, adopted: Adopted, untimed: Untimed, dated: Dated) -> None:
        at_s, source, flags = dated
        moment = Moment(at_s, source, adopted.period_s, self._interval_s, in_order=untimed.in_order, flags=flags)
        observation = Observation(
            readings=untimed.readings,
            moment=moment,
            alive=untimed.alive,
            rssi_dbm=untimed.rssi_dbm,
            snr_db=untimed.snr_db,
        )
        address = adopted.settings.address
        state, facts = observe(self._state(batch, address), adopted.identity, observation)
        batch.states[address] = state
        self._pack(batch, facts)

    def _pack(self, batch: Batch, facts: Sequence[Fact]) -> None:
        batch.flows.extend(fact for fact in facts if isinstance(fact, FlowInterval))
        states = tuple(fact for fact in facts if isinstance(fact, SpaceState))
        if states:
            batch.outgoing.append(Space(gateway=self._gateway, epoch=self._epoch, states=states))
        for health in facts:
            if isinstance(health, DeviceHealth):
                batch.outgoing.append(HealthReport(gateway=self._gateway, epoch=self._epoch, health=health))

    def _empty_mm(self, address: str) -> int | None:
        state = self._states.get(address)
        return None if state is None else state.empty_mm

    def _state(self, batch: Batch, address: str) -> DeviceState:
        return batch.states.get(address) or self._states.get(address) or DeviceState()


def _is_datable(reading: AnyReading, horizon: datetime | None) -> bool:
    return reading.at is None or (reading.at >= CLOCK_SET and (horizon is None or reading.at <= horizon))


def _undatable(frame: Frame, readings: Sequence[AnyReading], horizon: datetime | None) -> Refused | None:
    """What a device remembers while its clock is wrong was at an unknown time: nobody may count it at any."""
    times = [reading.at for reading in readings if reading.at is not None and not _is_datable(reading, horizon)]
    if not times:
        return None
    if min(times) < CLOCK_SET:
        name, why = "clock-not-set", f"{min(times):%Y-%m-%d}, before {CLOCK_SET:%Y}: the device's clock was not set"
    else:
        name, why = "clock-ahead", f"{max(times):%Y-%m-%d}, more than a day ahead: the device's clock is wrong"
    reason = f"{len(times)} readings dated {why}"
    return Refused(name=name, reason=reason, data=frame.payload[:600], device=frame.device)
