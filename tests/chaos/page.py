"""`docs/durability.md`: one row per run, written by the rig and by nobody else.

In comes what a run found, out comes the page with that run's row added. A row is never changed.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "durability.md"
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
order; which instruction they strike is the machine's doing.

"""
COLUMNS = (
    *("scenario", "what is broken", "faults", "frames", "sent", "stored", "missing", "twice", "swallowed"),
    *("flagged hours", "verdict", "seed", "length", "date"),
)
RULE = "|---" * len(COLUMNS) + "|"


@dataclass(frozen=True, slots=True)
class Row:
    """One run."""

    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"| {' | '.join(self.cells)} |"


def add(row: Row, page: Path = PAGE) -> None:
    """Write the page anew, with all rows that it had and this one."""
    known = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    rows = [line for line in known if line.startswith("| ") and not line.startswith("| scenario")]
    table = [str(Row(COLUMNS)), RULE, *rows, str(row)]
    page.write_text("\n".join([HEAD, *table, ""]), encoding="utf-8")


def figure(number: int) -> str:
    """With thin groups of thousands."""
    return f"{number:,}"


def day(moment: datetime) -> str:
    """A date."""
    return f"{moment:%Y-%m-%d}"
