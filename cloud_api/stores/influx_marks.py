"""Instants that all who use a database know, and that only go forward: how far retention and sums have come.

A server has no locks. A mark is announced first, and what it allows is done once every writer has asked for it again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cloud_api.stores.base import EARLIEST, LATEST, from_microseconds
from cloud_api.stores.influx_points import FORGOTTEN, HORIZON, SUMMED, SUMMING, mark_line_of
from cloud_api.stores.influx_queries import PARTS, between, select
from cloud_api.stores.influx_server import InfluxServer

GOOD_S: Final = 60.0
"""So long a process goes by the mark that it asked for last."""
FENCE: Final = timedelta(minutes=10)
"""So long after a mark was announced nobody goes by an earlier one any more."""


class Mark:
    """One such instant."""

    def __init__(self, server: InfluxServer, name: str, monotonic: Callable[[], float]) -> None:
        self._server = server
        self._name = name
        self._monotonic = monotonic
        self._known: datetime | None = None
        self._asked: float | None = None

    def now(self) -> datetime | None:
        """As it was announced, at most `GOOD_S` ago."""
        now = self._monotonic()
        if self._asked is None or now - self._asked > GOOD_S:
            self._known = self.announced(LATEST)
            self._asked = now
        return self._known

    def announced(self, until: datetime) -> datetime | None:
        """As it was announced until an instant."""
        statement = select('max("before")', f'"{self._name}"', f"WHERE {between(EARLIEST, until)}")
        rows = [row for series in self._server.query(statement, PARTS) for row in series.values]
        return from_microseconds(rows[0][1]) if rows else None

    def announce(self, before: datetime, now: datetime) -> None:
        """Move it on, never back."""
        known = self.announced(LATEST)
        if known is None or known < before:
            self._server.write(mark_line_of(self._name, before, now))
        self._asked = None


class Marks:
    """The marks of one database."""

    def __init__(self, server: InfluxServer, monotonic: Callable[[], float]) -> None:
        self.horizon = Mark(server, HORIZON, monotonic)
        self.forgotten = Mark(server, FORGOTTEN, monotonic)
        self.summing = Mark(server, SUMMING, monotonic)
        self.summed = Mark(server, SUMMED, monotonic)
