"""Raw signals become what is worth telling: radar targets passages, distances passages or presence, and signs of life.

In come the readings of every frame of a raw sensor, ten or a hundred a second; out come few. What a sensor sees at the
moment is a value, kept per device by the intake; it is lost at a restart, all but the empty distance of a beam.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec import Struct, structs

from edge.aggregator.ranging import Beam, Options, Use, present, watch
from edge.drivers.model import Channel, Model, Signal
from edge.messages import DeviceSettings
from edge.readings import AnyReading, Health, Range

WATCHING_S = 10
"""How often a raw sensor that has no news says that it is watching."""
BLIND_MS = 60_000
"""A beam that measures no distance for so long is blinded, or points into the void."""
BLIND = "blinded or dirty: no distance"
LONGEST_BURST_MS = 1_000
"""Measurements further apart than this were not handed over late: the sensor was silent."""
RHYTHM, NUDGE = 0.01, 0.02
"""Weights of the newest measurement in a sensor's rhythm, and of its own time against that rhythm."""


class Setting(Struct, frozen=True):
    """What the technician set for a device's raw signal."""

    signal: Signal
    channels: tuple[Channel, ...]
    """What passages are counted on; none on a bay."""
    line_mm: tuple[int, int, int, int] | None
    """A radar's counting line, x1, y1, x2, y2; straight ahead when None."""
    beam: Options


@dataclass(frozen=True, slots=True)
class Told:
    """What is worth telling of a frame."""

    readings: tuple[AnyReading, ...]
    watching: bool = True
    """The sensor sees; a blinded one is heard, but measures no time."""
    empty_mm: int | None = None
    """The distance when nothing is in the beam, to be remembered over a restart."""


class View(Protocol):
    """What one raw sensor sees at the moment."""

    def hear(self, readings: Sequence[AnyReading], heard_ms: int, setting: Setting) -> tuple["View", Told | None]:
        """The view after one frame, and what to tell of it; None when that is nothing."""


class Rhythm(Struct, frozen=True):
    """When measurements were made that are heard in bursts: at the sensor's own even pace."""

    heard_ms: int
    at_ms: float
    period_ms: float = 10.0

    def next(self, heard_ms: int) -> "Rhythm":
        """The rhythm with one more measurement, heard at that monotonic time."""
        since_ms = heard_ms - self.heard_ms
        if since_ms > LONGEST_BURST_MS:
            return Rhythm(heard_ms, heard_ms, self.period_ms)
        period_ms = self.period_ms + RHYTHM * (since_ms - self.period_ms)
        due_ms = self.at_ms + period_ms
        at_ms = due_ms + NUDGE * (heard_ms - due_ms)
        return Rhythm(heard_ms, min(max(at_ms, self.at_ms, heard_ms - LONGEST_BURST_MS), heard_ms), period_ms)


class Ranger(Struct, frozen=True):
    """What one beam measures."""

    remembered_mm: int | None = None
    """The empty distance that was known before the restart; the technician's own wins."""
    beam: Beam | None = None
    rhythm: Rhythm | None = None
    seen_ms: int | None = None
    """When it last measured a distance."""
    quiet_until_ms: int = 0

    def hear(self, readings: Sequence[AnyReading], heard_ms: int, setting: Setting) -> tuple["Ranger", Told | None]:
        """The view after one frame, and what to tell of it: news at once, else the state as it is, now and then."""
        measured = next((reading for reading in readings if isinstance(reading, Range)), None)
        rhythm = Rhythm(heard_ms, heard_ms) if self.rhythm is None else self.rhythm.next(heard_ms)
        mm, strength = (None, None) if measured is None else (measured.mm, measured.strength)
        beam, news = watch(self.beam, mm, strength, round(rhythm.at_ms), self._options(setting))
        seen_ms = heard_ms if measured is not None or self.seen_ms is None else self.seen_ms
        view = structs.replace(self, beam=beam, rhythm=rhythm, seen_ms=seen_ms)
        if not news and heard_ms < self.quiet_until_ms and not _is_urgent(readings):
            return view, None
        blind = heard_ms - seen_ms >= BLIND_MS
        state = [] if blind else present(beam)
        told = Told((*(news or state), _health(readings, blind=blind)), watching=not blind, empty_mm=_empty_mm(beam))
        return structs.replace(view, quiet_until_ms=heard_ms + WATCHING_S * 1000), told

    def _options(self, setting: Setting) -> Options:
        if self.beam is not None or setting.beam.empty_mm is not None:
            return setting.beam
        return structs.replace(setting.beam, empty_mm=self.remembered_mm)


def _empty_mm(beam: Beam | None) -> int | None:
    return None if beam is None or not beam.empty.settled else round(beam.empty.mm)


def _is_urgent(readings: Sequence[AnyReading]) -> bool:
    return any(isinstance(reading, Health) and (reading.fault or reading.firmware) for reading in readings)


def _health(readings: Sequence[AnyReading], *, blind: bool) -> Health:
    """Without the note of a single frame: that it had no echo matters only when none has one any more."""
    said = next((reading for reading in readings if isinstance(reading, Health)), Health())
    return structs.replace(said, note=None, fault=BLIND if blind else said.fault)


def setting_of(model: Model, settings: DeviceSettings) -> Setting | None:
    """How the raw signal of a device is to be read; None when it has none. Raises `msgspec.ValidationError`."""
    if model.signal is None:
        return None
    beam = msgspec.convert(settings.options, Options) if model.signal is Signal.RANGES else Options()
    counts = model.signal is Signal.TRACKS or beam.use is Use.DOORWAY
    return Setting(model.signal, tuple(model.channels) if counts else (), settings.line_mm, beam)


_OWN_DEBOUNCE = {
    Signal.RANGES: "presence is made of distances here; set `options.debounce_s` instead",
    Signal.TRACKS: "a radar that counts passages tells no presence; expected none",
}


def problem_of(model: Model, settings: DeviceSettings) -> str | None:
    """Why the settings of a raw sensor cannot be applied; None when they can."""
    if model.signal is not None and settings.debounce_s is not None:
        return f"debounce_s: {_OWN_DEBOUNCE[model.signal]}"
    if settings.line_mm is not None and settings.line_mm[:2] == settings.line_mm[2:]:
        return "line_mm: its two points are one; expected the ends of a line that people cross"
    try:
        setting_of(model, settings)
    except msgspec.ValidationError as error:
        return f"options: {error}"
    return None


def first_view(setting: Setting, empty_mm: int | None) -> View:
    """The view of a sensor that was not heard since the start; its empty distance may be remembered."""
    if setting.signal is Signal.RANGES:
        return Ranger(remembered_mm=empty_mm)
    from edge.radar import Radar  # brings numpy: 20 MB that a gateway without a radar does not hold

    return Radar()
