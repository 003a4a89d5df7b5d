"""`make bench`: `python -m tests.bench [SECTION …]` measures what is named; all but `size`, which needs the network."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator

from tests.bench import (
    accuracy,
    api,
    arrivals,
    codecs,
    events,
    failover,
    forecast,
    formats,
    history,
    hour,
    intake,
    keeping,
    latency,
    links,
    load,
    memory,
    outbox,
    quality,
    reports,
    restart,
    returning,
    size,
    trust,
)
from tests.bench.table import Row, show

SECTIONS: dict[str, tuple[str, Callable[[], Iterator[Row]]]] = {
    "intake": ("From bytes to facts, and facts made durable", intake.rows),
    "codecs": ("Decoding one frame, over each model's case file", codecs.rows),
    "links": ("What a link takes in, per second of processor time", links.rows),
    "api": ("The API and a crowd: 2,000 spaces in 60 zones", api.rows),
    "latency": ("From a car on a space to the API's stream", latency.rows),
    "outbox": ("The outbox: its cost, its speed, and the wear of the SD card", outbox.rows),
    "memory": ("The gateway's memory with 50 devices", memory.rows),
    "hour": ("The gateway over an hour of real time with 50 devices (MINUTES=60)", hour.rows),
    "accuracy": ("Passages and presence made of raw signals, against the truth", accuracy.rows),
    "forecast": ("A free space on arrival, forecast for simulated drivers", forecast.rows),
    "arrivals": ("Forecasts for 60 zones and 2,000 spaces: learned, noted, told, kept", arrivals.rows),
    "formats": ("A town written in other tongues", formats.rows),
    "restart": ("The present after a restart of the API", restart.rows),
    "history": ("Hours out of three years of a hundred counters", history.rows),
    "reports": ("Reports on a month and a year, as pages, from both stores", reports.rows),
    "keeping": ("Keeping history: backup, restore, retention, another store", keeping.rows),
    "trust": ("Sound sensors doubted, hung and miscounting ones found", trust.rows),
    "events": ("What an event brought: the truth in the interval, and no effect where there is none", events.rows),
    "quality": ("Which hours of real years are left out, and what is found of faults put into them", quality.rows),
    "load": ("Two hundred gateways at once: ingest, and a flood", load.rows),
    "returning": ("A whole town that comes back at once", returning.rows),
    "failover": ("One of two workers killed, ten times", failover.rows),
    "size": ("The installed gateway", size.rows),
}
ON_DEMAND = {"size", "history", "hour", "events", "quality", "reports", "keeping", "load", "returning", "failover"}


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("section", nargs="*", help=f"of {', '.join(SECTIONS)}")
    wanted = parser.parse_args().section or [name for name in SECTIONS if name not in ON_DEMAND]
    unknown = sorted(set(wanted) - SECTIONS.keys())
    if unknown:
        parser.error(f"no section {unknown[0]!r}; expected some of {', '.join(SECTIONS)}")
    show((title, measure()) for title, measure in (SECTIONS[name] for name in wanted))


if __name__ == "__main__":
    main()
