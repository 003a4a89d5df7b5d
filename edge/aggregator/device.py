"""One device: (state, observation) -> (state, facts). The state is the checkpoint; the facts go to the outbox.

In come the readings of one frame and when it was; out come interval parts, space states and health, each once. A frame
that makes the commit fail leaves the old state in force, because nothing here is changed in place.
"""

from datetime import UTC, datetime

from msgspec import Struct, field, structs

from edge.aggregator.admission import Admission
from edge.aggregator.counting import GAP_FACTOR, Moment, take_delta, take_event, take_total, watched
from edge.aggregator.flows import ChannelState, close, close_other_lengths
from edge.aggregator.spaces import Change, take_presence
from edge.messages import DeviceHealth, FlowInterval, SpaceState
from edge.readings import AnyReading, Delta, Event, Health, Presence, ResetCause, Total

Fact = FlowInterval | SpaceState | DeviceHealth

GRACE_S = 60
"""An interval stays open so long beyond the moment at which the device's next report should have come."""
HEALTH_EVERY_S = 900
"""Unchanged health is told again after so long, or after the device's own period where that is longer."""


COUNTS_BEGIN_AT_ZERO = frozenset(ResetCause) - {ResetCause.REJOIN, ResetCause.OTHER}
"""After these a counter that is found lower than before has counted from 0. A new radio session leaves it as it was."""


class Identity(Struct, frozen=True, kw_only=True):
    """What the configuration says of the device, as far as aggregation needs it."""

    device: str
    model: str
    inverted: bool = False
    """Presence says occupied for free."""
    debounce_s: int = 0
    """A change of presence is told when it has stood for so long."""
    watches: tuple[tuple[str, str], ...] = ()
    """Channels (name, mode) of a device that reports every single passage and is measuring while it is heard."""
    one_way: bool = False
    """They count one direction only: the other is unknown, never zero."""


class DeviceState(Struct, frozen=True, kw_only=True):
    """All that is remembered of one device between frames."""

    admission: Admission = Admission()
    channels: dict[str, ChannelState] = field(default_factory=dict)
    """By `channel/mode`."""
    spaces: dict[str, SpaceState] = field(default_factory=dict)
    """By channel, as told."""
    changes: dict[str, Change] = field(default_factory=dict)
    """By channel: what has not stood for the debounce time yet."""
    health: DeviceHealth | None = None
    health_told_s: int = 0
    """When its health was last published, UTC seconds."""
    restarted: bool = False
    """It said that it restarted, and no total has come since."""
    empty_mm: int | None = None
    """Of a sensor that tells distances: the one when nothing is in its beam."""


class Observation(Struct, frozen=True, kw_only=True):
    """The readings of one frame, and when and how it was received."""

    readings: tuple[AnyReading, ...]
    moment: Moment
    alive: bool = True
    """The device itself was heard; False for what the link or network server tells of it."""
    rssi_dbm: float | None = None
    snr_db: float | None = None


def observe(state: DeviceState, identity: Identity, observation: Observation) -> tuple[DeviceState, list[Fact]]:
    """The state and the facts after one frame."""
    state, measured = _close_other_lengths(state, identity.device, observation.moment.seconds)
    state = _count(state, identity, observation)
    state, spaces = _presence(state, identity, observation)
    state, health = _health(state, identity, observation)
    now_s, period_s, seconds = observation.moment.at_s, observation.moment.period_s, observation.moment.seconds
    state, flows = close_due(state, identity.device, now_s=now_s, period_s=period_s, seconds=seconds)
    return state, [*measured, *flows, *spaces, *health]


def close_due(
    state: DeviceState, device: str, *, now_s: int, period_s: int, seconds: int
) -> tuple[DeviceState, list[FlowInterval]]:
    """Publish what is due at `now_s` (UTC seconds), whether or not anything was heard."""
    grace_s = int(GAP_FACTOR * period_s) + GRACE_S
    state, facts = _close_other_lengths(state, device, seconds)
    channels = state.channels
    for key, channel in state.channels.items():
        name, _, mode = key.partition("/")
        closed, parts = close(channel, (device, name, mode), seconds, now_s, grace_s)
        if parts:
            channels = {**channels, key: closed}
            facts.extend(parts)
    return (structs.replace(state, channels=channels) if facts else state), facts


def _close_other_lengths(state: DeviceState, device: str, seconds: int) -> tuple[DeviceState, list[FlowInterval]]:
    """After a change of the intervals' length: what was open under the other one is published as it was measured."""
    channels = dict(state.channels)
    facts: list[FlowInterval] = []
    for key, channel in state.channels.items():
        name, _, mode = key.partition("/")
        channels[key], parts = close_other_lengths(channel, (device, name, mode), seconds)
        facts.extend(parts)
    return (structs.replace(state, channels=channels) if facts else state), facts


def settle_changes(state: DeviceState, debounce_s: int, *, now_s: int) -> tuple[DeviceState, list[SpaceState]]:
    """Tell the changes of presence that have stood for `debounce_s` at `now_s` (UTC seconds)."""
    now = _utc(now_s)
    stood = {channel: each.state for channel, each in state.changes.items() if each.has_stood(now, debounce_s)}
    if not stood:
        return state, []
    changes = {channel: change for channel, change in state.changes.items() if channel not in stood}
    return structs.replace(state, spaces={**state.spaces, **stood}, changes=changes), [*stood.values()]


def _count(state: DeviceState, identity: Identity, observation: Observation) -> DeviceState:
    moment = structs.replace(observation.moment, restarted=state.restarted)
    channels = dict(state.channels)
    totals = [reading for reading in observation.readings if isinstance(reading, Total)]
    deltas = [reading for reading in observation.readings if isinstance(reading, Delta)]
    beside = {_key(delta): delta for delta in deltas if delta.at is None and not delta.running}
    for total in totals:
        delta = beside.get(_key(total)) if total.at is None else None
        channels[_key(total)] = take_total(channels.get(_key(total), ChannelState()), total, delta, moment)
    for delta in deltas:
        if _key(delta) not in channels or channels[_key(delta)].total is None:
            channels[_key(delta)] = take_delta(channels.get(_key(delta), ChannelState()), delta, moment)
    for event in (reading for reading in observation.readings if isinstance(reading, Event)):
        known = channels.get(_key(event), ChannelState())
        channels[_key(event)] = take_event(known, event, moment, one_way=identity.one_way)
    for name, mode in identity.watches if observation.alive else ():
        known = channels.get(f"{name}/{mode}", ChannelState())
        channels[f"{name}/{mode}"] = watched(known, moment, one_way=identity.one_way)
    return structs.replace(state, channels=channels, restarted=state.restarted and not totals)


def _key(reading: Total | Delta | Event) -> str:
    return f"{reading.channel}/{reading.mode or ''}"


def _presence(state: DeviceState, identity: Identity, observation: Observation) -> tuple[DeviceState, list[SpaceState]]:
    moment = observation.moment
    said = [reading for reading in observation.readings if isinstance(reading, Presence)]
    if not said or not moment.in_order:
        return state, []
    spaces, changes = dict(state.spaces), dict(state.changes)
    for presence in said:
        spaces[presence.channel], change = take_presence(
            spaces.get(presence.channel),
            changes.pop(presence.channel, None),
            presence,
            device=identity.device,
            at=presence.at or _utc(moment.at_s),
            source=moment.source,
            inverted=identity.inverted,
            longest_silence_s=moment.gap_s,
            debounce_s=identity.debounce_s,
        )
        if change is not None:
            changes[presence.channel] = change
    changed = [space for channel, space in spaces.items() if state.spaces.get(channel) != space]
    return structs.replace(state, spaces=spaces, changes=changes), changed


def _health(state: DeviceState, identity: Identity, observation: Observation) -> tuple[DeviceState, list[DeviceHealth]]:
    moment, known = observation.moment, state.health
    if known is not None and not moment.in_order:
        return state, []
    said = [reading for reading in observation.readings if isinstance(reading, Health)]
    fresh = structs.replace(
        known or DeviceHealth(device=identity.device, model="", at=_utc(moment.at_s), period_s=moment.period_s),
        model=identity.model,
        at=_utc(moment.at_s),
        period_s=moment.period_s,
        rssi_dbm=observation.rssi_dbm,
        snr_db=observation.snr_db,
        lost_frames=state.admission.lost,
        source=moment.source,
    )
    for reading in said:
        fresh = _said(fresh, reading)
    restarted = state.restarted or any(reading.reset in COUNTS_BEGIN_AT_ZERO for reading in said)
    state = structs.replace(state, health=fresh, restarted=restarted)
    if not _worth_telling(known, fresh, state.health_told_s, moment):
        return state, []
    return structs.replace(state, health_told_s=moment.at_s), [fresh]


_SAID = (
    *("battery_v", "battery_pct", "battery_low", "temperature_c", "fault", "reset", "tamper", "firmware"),
    *("note", "diagnostics"),
)
_ALARMING = ("model", "period_s", "battery_low", "fault", "reset", "tamper", "firmware", "note")


def _said(health: DeviceHealth, reading: Health) -> DeviceHealth:
    """A frame that speaks of health speaks of faults: none named means none."""
    named = {name: getattr(reading, name) for name in _SAID if getattr(reading, name) is not None}
    return structs.replace(health, **{"fault": None, "note": None, **named})


def _worth_telling(known: DeviceHealth | None, fresh: DeviceHealth, told_s: int, moment: Moment) -> bool:
    if known is None or any(getattr(known, name) != getattr(fresh, name) for name in _ALARMING):
        return True
    return abs(moment.at_s - told_s) >= max(HEALTH_EVERY_S, moment.period_s)


def _utc(at_s: int) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
