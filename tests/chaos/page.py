"""`docs/durability.md`: how every scenario ends now, what failed and was mended, and every run; written by nobody else.

In comes what a run found, out comes the page with that run's row added. A row is never changed and never removed; what
mended a run that failed is said beside it, from `mended.toml`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.chaos.scenarios import SCENARIOS

PAGE = Path(__file__).parents[2] / "docs" / "durability.md"
MENDED = Path(__file__).parent / "mended.toml"
GOOD = "all, none twice"
NOTHING = "–"
ALL_RUNS = "## Every run"
HEAD = """\
# Nothing lost, nothing twice

Written by `make chaos`, never by hand. Each row is one run of real programs: the gateway, the API with its ingest on an
SQLite store or on InfluxDB, two mosquitto brokers, a modem on a pseudo-terminal, and a town of sensors whose truth is
known. Faults are drawn from the seed, or told by a story of so many messages. After every `kill -9` the SQLite files
are checked; at the end all is healed, the outbox empties, and every counter is compared with its sensor, hour by hour,
every space with its car.

*Sent*: passages that the sensors counted, without those in frames that the rig lost of sensors which send no totals
(*swallowed*). *Stored*: what the API tells. *Flagged*: hours that say themselves that counts were spread, split or lost
in them. The network server's broker is stopped and started, never killed: what it loses, no gateway ever had.

A row is run again by `make chaos SCENARIO="…, …" SEED=… HOURS=…`. The same seed draws the same faults in the same
order; which instruction they strike is the machine's doing. *Code* is the commit that ran, with a + when there were
changes not yet committed; the first rows did not note it. *Measured*: what a story measured, by what means disk and
memory were limited, and the most memory that the gateway held in any of its lives.
"""
NOW = ("scenario", "what is broken", "faults", "sent", "stored", "twice", "verdict", "measured", "seed", "code", "date")
COLUMNS = (
    *("scenario", "faults", "frames", "sent", "stored", "missing", "twice", "swallowed", "flagged hours", "verdict"),
    *("measured", "seed", "length", "code", "date", "mended in"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run."""

    scenario: str
    faults: Mapping[str, int]
    """How often, by kind."""
    frames: int
    sent: int
    """Passages, as everything up to `swallowed`."""
    stored: int
    missing: int
    twice: int
    swallowed: int
    flagged_hours: int
    verdict: str
    measured: str
    """What a story measured, or how a fault was brought about, in words; may be empty."""
    seed: str
    seconds: int
    code: str
    """The commit that ran; empty where nobody knows."""
    date: str

    @property
    def is_good(self) -> bool:
        """Nothing is missing and nothing twice."""
        return self.verdict == GOOD

    @property
    def cells(self) -> tuple[str, ...]:
        """As the page shows it, without the last column."""
        numbers = (self.frames, self.sent, self.stored, self.missing, self.twice, self.swallowed, self.flagged_hours)
        return (
            *(self.scenario, in_words(self.faults), *(figure(number) for number in numbers)),
            *(self.verdict, self.measured, self.seed, f"{self.seconds} s", self.code, self.date),
        )

    @staticmethod
    def of(line: str) -> "Row":
        """The run that a line of the page tells."""
        scenario, faults, *more = [_shown(cell) for cell in line.strip("|").split(" | ")]
        numbers, (verdict, measured, seed, length, code, date, _) = more[:7], more[7:]
        frames, sent, stored, missing, twice, swallowed, flagged = (int(text.replace(",", "")) for text in numbers)
        return Row(
            scenario=scenario,
            faults={
                kind: int(count) for count, _, kind in (each.partition(" ") for each in faults.split(", ") if each)
            },
            frames=frames,
            sent=sent,
            stored=stored,
            missing=missing,
            twice=twice,
            swallowed=swallowed,
            flagged_hours=flagged,
            verdict=verdict,
            measured=measured,
            seed=seed,
            seconds=int(length.removesuffix(" s")),
            code=code,
            date=date,
        )


class Mended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why some runs failed, and what mended it."""

    runs: tuple[str, ...]
    """Each a scenario and a seed, as `"lines e634bbda"`."""
    commit: str
    cause: str


class _MendedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mended: tuple[Mended, ...]


def add(row: Row, page: Path = PAGE) -> None:
    """Write the page anew, with all rows that it had and this one."""
    page.write_text(written([*rows_of(page), row], causes()), encoding="utf-8")


def rows_of(page: Path) -> list[Row]:
    """Every run that the page tells, oldest first."""
    _, _, log = (page.read_text(encoding="utf-8") if page.exists() else "").partition(ALL_RUNS)
    return [Row.of(line) for line in log.splitlines() if line.startswith("| ") and not line.startswith("| scenario")]


def causes(path: Path = MENDED) -> tuple[Mended, ...]:
    """What is known of runs that failed."""
    return msgspec.toml.decode(path.read_bytes(), type=_MendedFile).mended


def written(rows: Sequence[Row], mended: Sequence[Mended]) -> str:
    """The whole page."""
    latest = {row.scenario: row for row in rows}
    commits = {run: each.commit for each in mended for run in each.runs}
    return "\n".join(
        (
            HEAD,
            *("## Now", "", "The latest run of every scenario.", ""),
            *_table(NOW, (_now(latest[name]) for name in SCENARIOS if name in latest)),
            *("", "## In all", "", _sums(rows), ""),
            *("## What failed, and what mended it", ""),
            *(_mended(each, rows) for each in mended),
            *("", ALL_RUNS, ""),
            *_table(COLUMNS, ((*row.cells, "" if row.is_good else commits.get(_name(row), "open")) for row in rows)),
            "",
        )
    )


def figure(number: int) -> str:
    """With thin groups of thousands."""
    return f"{number:,}"


def in_words(faults: Mapping[str, int]) -> str:
    """Counts by kind."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(faults.items()))


def _now(row: Row) -> tuple[str, ...]:
    return (
        *(row.scenario, SCENARIOS[row.scenario].story, figure(sum(row.faults.values()))),
        *(figure(row.sent), figure(row.stored), figure(row.twice), row.verdict, row.measured, row.seed),
        *(row.code, row.date),
    )


def _sums(rows: Sequence[Row]) -> str:
    hours = sum(row.seconds for row in rows) / 3600
    faults: Counter[str] = Counter()
    for row in rows:
        faults.update(row.faults)
    seeds = len({row.seed for row in rows})
    passages = figure(sum(row.sent for row in rows))
    return (
        f"{len(rows)} runs of {seeds} seeds in {hours:.1f} hours: {passages} passages.\n\nFaults: {in_words(faults)}."
    )


def _mended(mended: Mended, rows: Iterable[Row]) -> str:
    runs = set(mended.runs)
    again = sorted({_name(row) for row in rows if _name(row) in runs and row.is_good})
    shown = f" Good since, with the same seed: {', '.join(again)}." if again else ""
    return f"- {', '.join(mended.runs)}: {mended.cause} Mended in {mended.commit}.{shown}"


def _name(row: Row) -> str:
    return f"{row.scenario} {row.seed}"


def _table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _line(columns)
    yield "|---" * len(columns) + "|"
    for cells in lines:
        yield _line(cells)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell or NOTHING for cell in cells)} |"


def _shown(cell: str) -> str:
    return "" if cell.strip() == NOTHING else cell.strip()
