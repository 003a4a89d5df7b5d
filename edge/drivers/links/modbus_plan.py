"""Whom to ask on a Modbus pair, for what, and when: the polling plan of its units, and what their silence means.

In come the settings of devices and the outcome of each poll, out come the next poll and health. Pure: times come in as
monotonic milliseconds. A unit that does not answer must cost the others little, and is never given up.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from edge.drivers.devices import modbus_register
from edge.drivers.devices.modbus_register import FORMATS, RegisterMap
from edge.drivers.formats.modbus_rtu import READ_HOLDING
from edge.drivers.links.base import Refused
from edge.messages import DeviceSettings
from edge.readings import DeviceAddress, Health

MISSES = 3
"""So many polls in a row without an answer that can be read are a fault."""
SELDOM_MS = 10_000
"""A unit that has missed them is asked so much later, then twice as much, …"""
SELDOMEST_MS = 60_000
"""… and at least once a minute."""
MINUTE_MS = 60_000


class Outcome(StrEnum):
    """What came of one poll. The words of the last three are those of the fault they become."""

    ANSWER = "answer"
    REFUSAL = "refused"
    NOISE = "bad answer"
    SILENCE = "no answer"


_FIGURES = {
    Outcome.REFUSAL: "refusals_per_min",
    Outcome.NOISE: "bad_answers_per_min",
    Outcome.SILENCE: "timeouts_per_min",
}
_ADVICE = {
    Outcome.REFUSAL: "check its options `function`, `register` and `count`",
    Outcome.NOISE: "check wiring and termination, and that no two units have one address",
    Outcome.SILENCE: "check power, wiring, its option `unit`, and the link's baud and parity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One read: whom to ask for which registers, and how often."""

    device: DeviceAddress
    unit: int
    """1 to 247."""
    function: int
    """3 or 4."""
    register: int
    """The first, as on the wire."""
    count: int
    every_ms: int


@dataclass(slots=True)
class _Minute:
    """How often a device failed within a minute."""

    start_ms: int
    counts: Counter[Outcome] = field(default_factory=Counter)
    told: bool = False
    """The minute before had failures."""

    def note(self, outcome: Outcome, now_ms: int) -> dict[str, int | float | bool | str] | None:
        """The figures of a minute that is over; None within it, and when there were no failures in it nor before."""
        self.counts[outcome] += 1
        if now_ms - self.start_ms < MINUTE_MS:
            return None
        failures = {name: self.counts[failure] for failure, name in _FIGURES.items()}
        before, self.told = self.told, any(failures.values())
        self.start_ms, self.counts = now_ms, Counter()
        return {**failures} if self.told or before else None


@dataclass(slots=True)
class _Turn:
    """When a device is asked next, and how it answered."""

    ask: Ask
    due_ms: int
    minute: _Minute
    misses: int = 0
    """Polls in a row without an answer that can be read."""
    well: bool | None = None
    """As last told; None before the first word of it."""


class Plan:
    """Guards one invariant: of those whose time has come, the one that has waited longest is asked next."""

    def __init__(self, poll_ms: int) -> None:
        self._poll_ms = poll_ms
        self._settings: Sequence[DeviceSettings] = ()
        self._turns: dict[DeviceAddress, _Turn] = {}

    def revise(self, settings: Sequence[DeviceSettings], now_ms: int) -> list[Refused]:
        """Ask these devices from now on, those that were there before in their turn. Returns those that cannot be."""
        if settings == self._settings:
            return []
        self._settings = settings
        refused, turns = [], {}
        for device in settings:
            try:
                ask = _ask(device, self._poll_ms)
            except ValueError as error:
                address = DeviceAddress(device.address)
                refused.append(Refused(name="bad-settings", reason=str(error), device=address))
                continue
            known = self._turns.get(ask.device)
            turns[ask.device] = known if known and known.ask == ask else _Turn(ask, now_ms, _Minute(now_ms))
        self._turns = turns
        return refused

    def next(self, now_ms: int) -> Ask | None:
        """Whom to ask now; None when nobody's time has come."""
        due = min(self._turns.values(), key=lambda turn: turn.due_ms, default=None)
        return None if due is None or due.due_ms > now_ms else due.ask

    def wait_ms(self, now_ms: int, longest_ms: int) -> int:
        """Until somebody's time comes, at most `longest_ms`."""
        due_ms = min((turn.due_ms for turn in self._turns.values()), default=now_ms + longest_ms)
        return min(max(due_ms - now_ms, 0), longest_ms)

    def settle(self, ask: Ask, outcome: Outcome, now_ms: int) -> Health | None:
        """Note what came of a poll, and what there is to tell of the device."""
        turn = self._turns[ask.device]
        turn.misses = 0 if outcome is Outcome.ANSWER else turn.misses + 1
        turn.due_ms = _due_ms(turn, now_ms)
        return _news(turn, outcome, now_ms)


def problem_of(device: DeviceSettings) -> str | None:
    """Why an adopted device cannot be polled; None when it can."""
    if device.link is None:
        return "`link` is missing: expected the name of the Modbus link that it hangs on"
    try:
        _ask(device, 0)
    except ValueError as error:
        return str(error)
    return None


def _ask(device: DeviceSettings, poll_ms: int) -> Ask:
    """What its options say. Raises ValueError, with a reason for people."""
    if device.model != modbus_register.NAME:
        raise ValueError(f"{device.model} does not speak Modbus: expected {modbus_register.NAME}")
    try:
        registers = msgspec.convert(device.options, RegisterMap)
    except msgspec.ValidationError as error:
        raise ValueError(f"options: {error}") from error
    if registers.unit is None:
        raise ValueError("options: `unit` is missing, expected 1 to 247")
    return Ask(
        device=DeviceAddress(device.address),
        unit=registers.unit,
        function=registers.function or READ_HOLDING,
        register=registers.register,
        count=registers.count or _needed(registers),
        every_ms=poll_ms if registers.poll_s is None else round(registers.poll_s * 1000),
    )


def _needed(registers: RegisterMap) -> int:
    """How many registers the map reads."""
    words = 2 if FORMATS[registers.type] in (">I", ">i", ">f") else 1
    temperature = 0 if registers.temperature_at is None else registers.temperature_at + 1
    return max(registers.distance_at + words, temperature)


def _due_ms(turn: _Turn, now_ms: int) -> int:
    """In rhythm; after a fault more and more seldom."""
    if turn.misses < MISSES:
        return max(turn.due_ms + turn.ask.every_ms, now_ms)
    pause_ms = min(SELDOM_MS << min(turn.misses - MISSES, 8), SELDOMEST_MS)
    return now_ms + max(turn.ask.every_ms, pause_ms)


def _news(turn: _Turn, outcome: Outcome, now_ms: int) -> Health | None:
    """A change between well and faulty at once, and the figures of its minutes. A fault is repeated with them."""
    faulty = turn.misses >= MISSES
    well = False if faulty else True if outcome is Outcome.ANSWER else turn.well
    figures = turn.minute.note(outcome, now_ms)
    if well is turn.well and figures is None:
        return None
    turn.well = well
    if not faulty:
        return Health(diagnostics=figures)
    note = f"unit {turn.ask.unit}: {turn.misses} polls without a reading: {_ADVICE[outcome]}"
    return Health(fault=outcome.value, note=note, diagnostics=figures)
