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

from edge.aggregator.admission import Admission, Arrived, admit
from edge.aggregator.counting import Moment
from edge.aggregator.device import DeviceState, Fact, Identity, Observation, close_due, observe, settle_changes
from edge.clock import Clock, to_datetime, to_utc_ms
from edge.drivers.devices import catalogue
from edge.drivers.links.base import Refused, Report, Stranger
from edge.drivers.model import Model, Signal
from edge.entries import Waiting
from edge.messages import (
    FLOWS_PER_MESSAGE,
    DeviceHealth,
    DeviceSettings,
    Epoch,
    Flag,
    Flow,
    FlowInterval,
    GatewayName,
    HealthReport,
    HeardDevice,
    OutboxMessage,
    Space,
    SpaceState,
    TimeSource,
)
from edge.readings import (
    CLOCK_SET,
    AnyReading,
    DecodeError,
    Delta,
    DeviceAddress,
    Event,
    Frame,
    Knowledge,
    Presence,
    Total,
)
from edge.recognition import recognise
from edge.signals import WATCHING_S, Setting, Told, View, first_view, setting_of

log = logging.getLogger(__name__)

FUTURE_MS = 300_000
"""A network server's time further ahead of ours than this is not believed."""
STEP_MS = 2_000
"""The wall clock moved by more than this against the monotonic one: it stepped."""
HEARD_EVERY_MS = 60_000
"""A device that nobody adopted is told at most so often."""
MOST_GUESSED = 2_000
"""Of so many devices that nobody adopted it is remembered what they may be; who was heard longest ago goes first."""


class Adopted(Struct, frozen=True):
    """A device of this gateway, ready to be read."""

    settings: DeviceSettings
    model: Model
    identity: Identity
    period_s: int
    raw: Setting | None
    """How its raw signal is read; None when it has none."""


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
        self._heard: dict[str, HeardDevice] = {}
        self._told_ms: dict[str, int] = {}
        self._guesses: dict[str, tuple[str, ...]] = {}
        """By device that nobody adopted, the models that it may be."""
        self._offset_ms: int | None = None
        """Between wall and monotonic clock, as last seen."""
        self._offsets_ms: dict[str, int] = {}
        """By device, at its last report: where it is another at the next one, the clock stepped in between."""
        self._holding = True
        """Observations may wait for the time: what comes after them waits behind them, so that order is kept."""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Untimed)
        self.counters: Counter[str] = Counter()
        """`duplicates`, `older`, `heard` (frames of devices that nobody adopted), `waited_for_time`, `clock_steps`."""

    def adopt(self, devices: Iterable[DeviceSettings]) -> None:
        """From now on these are the gateway's devices; what is known of the others is kept, not used.

        A raw sensor that is set anew looks anew.
        """
        before = self._adopted
        self._adopted = {device.address: _ready(device) for device in devices}
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
            self._note_stranger(link, item)
            return None
        adopted = self._adopted[item.device]
        if isinstance(item, Report):
            self._date(batch, adopted, Untimed(item.readings, alive=False), item.heard_ms, item.network_time)
            return None
        return self._take_frame(batch, adopted, item)

    def explain(self, frame: Frame) -> tuple[AnyReading, ...]:
        """What a frame of an adopted device says, without any effect. Raises `DecodeError`, `LookupError` of others."""
        adopted = self._adopted[frame.device]
        return tuple(adopted.model.decode(frame, _knowledge(adopted, self._state(Batch(), frame.device))))

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
        self._note_step(booted_ms)
        for item in waiting:
            batch.waited.append(item.id)
            adopted = self._adopted.get(item.device)
            if adopted is None:
                continue
            ours = item.session == self._clock.session
            at_ms = booted_ms + item.heard_ms if ours else booted_ms
            flags = () if ours else (Flag.CLOCK,)
            self._observe(batch, adopted, self._decoder.decode(item.body), at_ms // 1000, TimeSource.GATEWAY, flags)

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
        now_ms = self._clock.monotonic_ms()
        due = [
            device
            for device in self._heard.values()
            if now_ms - self._told_ms.get(device.device, -HEARD_EVERY_MS) >= HEARD_EVERY_MS
        ]
        for device in due:
            self._told_ms[device.device] = now_ms
            del self._heard[device.device]
        return tuple(due)

    def _take_frame(self, batch: Batch, adopted: Adopted, frame: Frame) -> Refused | None:
        state = self._state(batch, frame.device)
        admission, arrived = admit(state.admission, frame)
        if arrived is Arrived.REPEAT:
            self.counters["duplicates"] += 1
            return None
        if arrived is Arrived.OLDER:
            self.counters["older"] += 1
        try:
            readings = adopted.model.decode(frame, _knowledge(adopted, state))
        except DecodeError as error:
            if frame.counter is not None:
                batch.states[frame.device] = structs.replace(state, admission=admission)
            return Refused(name="decode-error", reason=str(error), data=frame.payload[:600], device=frame.device)
        told = self._tell(adopted, frame, [reading for reading in readings if _is_datable(reading)])
        if told is not None:
            self._take_told(batch, adopted, frame, told, admission, arrived)
        return _undatable(frame, readings)

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
            ignored = adopted.settings.ignored_channels
            return Told(tuple(reading for reading in readings if _channel(reading) not in ignored))
        view = self._views[frame.device]
        self._views[frame.device], told = view.hear(readings, frame.heard_ms, adopted.raw)
        return told

    def _date(
        self, batch: Batch, adopted: Adopted, untimed: Untimed, heard_ms: int, network_time: datetime | None
    ) -> None:
        """Find out when it was, then aggregate it; or let it wait for the time."""
        now_ms = self._clock.utc_ms(heard_ms)
        if network_time is not None:
            network_ms = to_utc_ms(network_time)
            if now_ms is None or network_ms <= now_ms + FUTURE_MS:
                self._offsets_ms.pop(adopted.settings.address, None)
                self._observe(batch, adopted, untimed, network_ms // 1000, TimeSource.NETWORK, ())
                return
        if now_ms is None or self._holding:
            self._holding = True
            self.counters["waited_for_time"] += 1
            body = self._encoder.encode(untimed)
            batch.waiting.append(Waiting(self._clock.session, heard_ms, adopted.settings.address, body))
            return
        self._note_step(now_ms - heard_ms)
        flags = self._certainty(adopted.settings.address, now_ms - heard_ms, reported=untimed.alive)
        self._observe(batch, adopted, untimed, now_ms // 1000, TimeSource.GATEWAY, flags)

    def _note_step(self, offset_ms: int) -> None:
        known, self._offset_ms = self._offset_ms, offset_ms
        if known is not None and abs(offset_ms - known) > STEP_MS:
            self.counters["clock_steps"] += 1
            log.warning("the wall clock stepped by %d ms; the next report of each device is flagged", offset_ms - known)
            self._offsets_ms = dict.fromkeys(self._states, known) | self._offsets_ms

    def _certainty(self, device: str, offset_ms: int, *, reported: bool) -> tuple[Flag, ...]:
        """Flagged is the device's first report after a step of the clock, for what it counted since the one before."""
        known = self._offsets_ms.get(device, offset_ms)
        if reported:
            self._offsets_ms[device] = offset_ms
        return (Flag.CLOCK,) if abs(offset_ms - known) > STEP_MS else ()

    def _observe(
        self,
        batch: Batch,
        adopted: Adopted,
        untimed: Untimed,
        at_s: int,
        source: TimeSource,
        flags: tuple[Flag, ...],
    ) -> None:
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

    def _note_stranger(self, link: str, item: Frame | Report | Stranger) -> None:
        self.counters["heard"] += 1
        now_ms = self._clock.utc_ms(self._clock.monotonic_ms())
        if now_ms is None:
            return
        known = self._heard.get(item.device)
        if known is None and isinstance(item, Frame):
            self._recognise(item)
        self._heard[item.device] = HeardDevice(
            device=item.device,
            link=link,
            at=to_datetime(now_ms),
            frames=1 if known is None else known.frames + 1,
            rssi_dbm=None if isinstance(item, Report) else item.rssi_dbm,
            hint=None if isinstance(item, Report) else item.hint,
            models=item.models if isinstance(item, Stranger) else self._guesses.get(item.device, ()),
        )

    def _recognise(self, frame: Frame) -> None:
        self._guesses[frame.device] = recognise(frame, self._guesses.pop(frame.device, ()))
        if len(self._guesses) > MOST_GUESSED:
            del self._guesses[next(iter(self._guesses))]


def _ready(settings: DeviceSettings) -> Adopted:
    model = catalogue()[settings.model]
    raw = setting_of(model, settings)
    identity = Identity(
        device=settings.address,
        model=model.name,
        inverted=settings.invert_presence,
        debounce_s=settings.debounce_s or 0,
        watches=() if raw is None else tuple((channel.name, channel.mode or "") for channel in raw.channels),
        one_way=raw is not None and all(channel.second is None for channel in raw.channels),
    )
    period_s = settings.period_s or max(model.reporting_period_s, WATCHING_S if raw else 0)
    return Adopted(settings, model, identity, period_s, raw)


def _is_datable(reading: AnyReading) -> bool:
    return reading.at is None or reading.at >= CLOCK_SET


def _undatable(frame: Frame, readings: Sequence[AnyReading]) -> Refused | None:
    """What a device remembers from before its clock was set was at an unknown time: nobody may count it at any."""
    times = [reading.at for reading in readings if reading.at is not None and not _is_datable(reading)]
    if not times:
        return None
    reason = f"{len(times)} readings dated {min(times):%Y-%m-%d}, before {CLOCK_SET:%Y}: the device's clock was not set"
    return Refused(name="clock-not-set", reason=reason, data=frame.payload[:600], device=frame.device)


def _channel(reading: AnyReading) -> str | None:
    return reading.channel if isinstance(reading, Total | Delta | Event | Presence) else None


def _knowledge(adopted: Adopted, state: DeviceState) -> Knowledge:
    settings = adopted.settings
    return Knowledge(
        firmware=None if state.health is None else state.health.firmware,
        key=None if settings.key is None else bytes.fromhex(settings.key),
        options=settings.options,
    )
