"""The archive of forecasts: what was observed, what was forecast, and what came of it, in one SQLite file.

In come every quarter of an hour the occupancy of each zone that could be believed, and the forecasts made then; out
come series to learn from and forecasts with their outcomes. What `note` was given survives a power cut (WAL,
`synchronous=FULL`), and goes after eight weeks (observations) or four (forecasts).
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
from msgspec import Struct, structs

from cloud_api.forecast.occupancy import QUARTER, Occupancy
from cloud_api.forecast.quality import Method, Scored
from cloud_api.forecast.record import Outcomes
from cloud_api.sqlite_file import SqliteFile

OBSERVATIONS_KEPT: Final = timedelta(weeks=8) // QUARTER
"""Quarter-hours."""
FORECASTS_KEPT: Final = timedelta(weeks=4) // QUARTER
"""Quarter-hours after the arrival that they were for: the window over which methods are judged."""

SCHEMA: Final = (
    (
        """
        CREATE TABLE observed (
            zone TEXT NOT NULL,
            quarter INTEGER NOT NULL,     -- quarter-hours since 1970, UTC
            spaces INTEGER NOT NULL,      -- those that could be believed
            free INTEGER NOT NULL,
            PRIMARY KEY (zone, quarter)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE forecast (
            zone TEXT NOT NULL,
            minutes INTEGER NOT NULL,     -- lead time
            due INTEGER NOT NULL,         -- the quarter-hour that it was for; issued `minutes` before
            spaces INTEGER NOT NULL,      -- of so many spaces
            method TEXT NOT NULL,         -- what was told, and by which method
            probability REAL NOT NULL,
            expected REAL NOT NULL,
            low INTEGER NOT NULL,
            high INTEGER NOT NULL,
            model REAL NOT NULL,          -- the model's probability, and what the baselines said
            as_now INTEGER NOT NULL,      -- spaces free when it was issued
            usual REAL,                   -- probability; null where nothing was known of the last three weeks
            came INTEGER,                 -- spaces free when its time had come; null until then, and where nobody knows
            PRIMARY KEY (zone, minutes, due)
        ) STRICT, WITHOUT ROWID
        """,
    ),
)
"""One step per schema version; a file of an older version takes those it lacks."""

_OBSERVE = "INSERT INTO observed VALUES (:zone, :quarter, :spaces, :free) ON CONFLICT DO NOTHING"
_VERIFY = """
    UPDATE forecast SET came = min(spaces, max(:free > 0, CAST(round(1.0 * :free * spaces / :spaces) AS INTEGER)))
    WHERE zone = :zone AND minutes = :minutes AND due = :quarter AND came IS NULL
"""
_ISSUE = """
    INSERT INTO forecast VALUES (:zone, :minutes, :due, :spaces, :method, :probability, :expected, :low, :high,
        :model, :as_now, :usual, NULL)
    ON CONFLICT DO NOTHING
"""
_SCORED = """
    SELECT due, model, as_now, usual, low, high, came FROM forecast
    WHERE zone = ? AND minutes = ? AND came IS NOT NULL ORDER BY due
"""
_UNVERIFIED = "SELECT count(*) FROM forecast WHERE zone = ? AND minutes = ? AND due < ? AND came IS NULL"
_SERIES = "SELECT quarter, 1 - 1.0 * free / spaces FROM observed WHERE zone = ? AND quarter >= ? ORDER BY quarter"


class Observed(Struct, frozen=True, kw_only=True):
    """How many spaces of a zone were free at the beginning of a quarter-hour."""

    zone: str
    quarter: int
    """Counted from 1970."""
    spaces: int
    """Those whose state could be believed, 1 or more."""
    free: int


class Issued(Struct, frozen=True, kw_only=True):
    """A forecast as it was made."""

    zone: str
    minutes: int
    """The lead time, whole quarter-hours."""
    due: int
    """The quarter-hour that it is for, counted from 1970."""
    spaces: int
    """Of so many spaces."""
    method: Method
    """Whose word was told."""
    probability: float
    expected: float
    low: int
    high: int
    """What was told."""
    model: float
    """The model's probability of at least one free space, whosoever's was told."""
    as_now: int
    """So many were free when it was made."""
    usual: float | None
    """The probability of the last three weeks at this hour; None where nothing was known of them."""


class Archive:
    """Guards that a forecast is never changed once it is made, nor its outcome. May be asked from several threads."""

    def __init__(self, file: Path) -> None:
        """Opens or creates the file. Raises `StoreError`."""
        self._file = SqliteFile(file, SCHEMA, "the archive of forecasts")

    def note(self, quarter: int, observed: Sequence[Observed], issued: Sequence[Issued], leads: Sequence[int]) -> None:
        """Keep what was observed in a quarter-hour, verify what was forecast for it, and keep what is forecast now.

        What is too old goes. `leads`: the lead times, in minutes, that forecasts are made for. Raises `StoreError`.
        """
        with self._file.transaction() as database:
            database.executemany(_OBSERVE, [structs.asdict(each) for each in observed])
            database.executemany(
                _VERIFY, [{**structs.asdict(each), "minutes": lead} for each in observed for lead in leads]
            )
            database.executemany(_ISSUE, [structs.asdict(each) for each in issued])
            database.execute("DELETE FROM observed WHERE quarter < ?", (quarter - OBSERVATIONS_KEPT,))
            database.execute("DELETE FROM forecast WHERE due < ?", (quarter - FORECASTS_KEPT,))

    def series(self, zone: str, first: int, end: int) -> Occupancy:
        """What was observed of a zone in the quarter-hours from `first` until before `end`. Raises `StoreError`."""
        share = np.full(max(end - first, 0), np.nan)
        with self._file.transaction() as database:
            for quarter, occupied in database.execute(_SERIES, (zone, first)):
                if quarter < end:
                    share[quarter - first] = occupied
        return Occupancy(first, share)

    def outcomes(self, zone: str, minutes: int, quarter: int) -> Outcomes:
        """The forecasts of one zone and lead time whose time had come before `quarter`. Raises `StoreError`."""
        with self._file.transaction() as database:
            rows = database.execute(_SCORED, (zone, minutes)).fetchall()
            unverified: int = database.execute(_UNVERIFIED, (zone, minutes, quarter)).fetchone()[0]
        due, model, then, usual, low, high, came = np.array(rows, dtype=np.float64).reshape(-1, 7).T
        whole = {"low": low, "high": high, "free": came}
        scored = Scored(
            model=model,
            as_now=(then > 0).astype(np.float64),
            usual=usual,
            **{name: each.astype(np.int64) for name, each in whole.items()},
        )
        return Outcomes(scored, then.astype(np.int64), due.astype(np.int64), unverified)

    def close(self) -> None:
        """Release the file; the archive is not used afterwards."""
        self._file.close()
