"""Who is heard that nobody adopted, and what they may be: told once a minute each, however often they speak.

In come frames and sightings, out come `HeardDevice`s. Anybody can speak on a radio: memory has bounds, and whoever was
heard longest ago gives way first.
"""

from msgspec import Struct

from edge.clock import Clock, to_datetime
from edge.drivers.links.base import Report, Stranger
from edge.messages import HeardDevice
from edge.readings import Frame
from edge.recognition import recognise

HEARD_EVERY_MS = 60_000
"""A device that nobody adopted is told at most so often."""
TOLD_AT_ONCE = 100
"""With the longest names a message about so many stays below `MAX_MESSAGE_BYTES`."""
MOST_KNOWN = 2_000
"""Of so many devices it is remembered what they may be and when they were told."""


class _Known(Struct):
    """One device that nobody adopted."""

    models: tuple[str, ...] = ()
    """What it may be."""
    told_ms: int = -HEARD_EVERY_MS
    news: HeardDevice | None = None
    """What is to be told of it."""


class Strangers:
    """Guards that nobody who was heard is kept back for longer than a minute, or told more often than that."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}
        """By address; who was heard last comes last."""

    def hear(self, link: str, item: Frame | Report | Stranger) -> None:
        """Note what a device sent. Before the time is known there is nothing to tell."""
        now_ms = self._clock.utc_ms(self._clock.monotonic_ms())
        if now_ms is None:
            return
        known = self._known.pop(item.device, None) or _Known()
        self._known[item.device] = known
        if isinstance(item, Frame) and known.news is None:
            known.models = recognise(item, known.models)
        known.news = HeardDevice(
            device=item.device,
            link=link,
            at=to_datetime(now_ms),
            frames=1 if known.news is None else known.news.frames + 1,
            rssi_dbm=None if isinstance(item, Report) else item.rssi_dbm,
            hint=None if isinstance(item, Report) else item.hint,
            models=item.models if isinstance(item, Stranger) else known.models,
        )
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def due(self) -> tuple[HeardDevice, ...]:
        """Those who were heard and not told within the last minute, a message's worth; from now on they are told."""
        now_ms = self._clock.monotonic_ms()
        due = [
            (known, known.news)
            for known in self._known.values()
            if known.news is not None and now_ms - known.told_ms >= HEARD_EVERY_MS
        ][:TOLD_AT_ONCE]
        for known, _ in due:
            known.told_ms, known.news = now_ms, None
        return tuple(news for _, news in due)
