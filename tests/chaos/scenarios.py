"""What is broken in each run of the rig. Values only."""

from dataclasses import dataclass

ALL_FAULTS = (
    *("gateway killed", "gateway stopped", "API killed", "broker killed", "booted without broker"),
    *("line cut", "line black-holed", "line slowed", "gateway frozen", "API frozen", "burst", "noise"),
    *("burst over a dying line", "network server's broker restarted", "nobody listens", "publishing forbidden"),
    *("messages ten times", "disk full", "card full", "card read-only", "memory limit"),
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is broken in one run."""

    name: str
    story: str
    faults: tuple[str, ...]
    rough_air: bool = False
    influx: bool = False
    """History is kept in InfluxDB, not in SQLite."""
    clock: bool = False
    """The gateway's wall clock is the rig's, believed once it is synchronised; some sensors are dated by it."""
    workers: int = 1
    """Processes of the API that share the broker's subscription."""
    messages: int = 0
    """So many messages are sent as `scripts` tells the story; 0 where the town lives and faults are drawn."""


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "gateway", "`kill -9` and SIGTERM of the gateway, at any instant", ("gateway killed", "gateway stopped")
        ),
        Scenario("ingest", "`kill -9` of the API with its ingest, at any instant", ("API killed",)),
        Scenario("broker", "`kill -9` of the broker, which forgets what it acknowledged", ("broker killed",)),
        Scenario("boot", "the gateway is killed and boots while the broker is away", ("booted without broker",)),
        Scenario(
            "lines",
            "lines cut, black-holed and then reset, slowed to 2 kB/s",
            ("line cut", "line black-holed", "line slowed"),
        ),
        Scenario("frozen", "SIGSTOP and SIGCONT of gateway and API", ("gateway frozen", "API frozen")),
        Scenario(
            "burst",
            "a thousand reports of one device at once; the gateway killed, its line to them dying amid",
            ("burst", "burst over a dying line", "gateway killed"),
        ),
        Scenario("air", "uplinks lost, repeated, delayed, re-ordered; noise on the serial line", ("noise",), True),
        Scenario(
            "everything",
            "all of these together, two at a time",
            ALL_FAULTS,
            True,
        ),
        Scenario(
            "influx",
            "`kill -9` of InfluxDB; the line to it cut, black-holed and slowed",
            ("InfluxDB killed", "store line broken"),
            influx=True,
        ),
        Scenario(
            "workers",
            "two ingest workers on one shared subscription, one or the other killed",
            ("API killed", "API frozen"),
            influx=True,
            workers=2,
        ),
        Scenario("unheard", "nobody subscribes: the broker has forgotten ingest, which is away", ("nobody listens",)),
        Scenario("forbidden", "the broker's ACL refuses the gateway's publishes", ("publishing forbidden",)),
        Scenario("repeats", "what gateways said comes ten times more, in any order", ("messages ten times",)),
        Scenario("disk", "a full disk, for the gateway or for the API, torn within a page", ("disk full",)),
        Scenario(
            "card",
            "the gateway's disk full or read-only, in flight and when it starts; killed amid",
            ("card full", "card read-only", "gateway killed"),
        ),
        Scenario(
            "memory",
            "the gateway held to a few MB more while a burst comes: killed by the kernel, started again",
            ("memory limit", "burst"),
        ),
        Scenario(
            "clock",
            "the wall clock set by hours both ways, in flight and while the gateway is down; boots without the time",
            ("clock stepped", "clock stepped while down", "booted without time", "gateway killed"),
            clock=True,
        ),
        Scenario(
            "everything on InfluxDB",
            "all of these together, two at a time, with two workers",
            (*ALL_FAULTS, "InfluxDB killed", "store line broken"),
            True,
            influx=True,
            workers=2,
        ),
        Scenario("outage", "the uplink away, then SIGKILL of the gateway", (), messages=3_000),
        Scenario("sigterm", "the uplink away, then SIGTERM of the gateway", (), messages=3_000),
        Scenario("dark boot", "the uplink away when the gateway boots", (), messages=3_000),
        Scenario("black hole", "the uplink black-holed for 30 s, then reset", (), messages=6_000),
        Scenario(
            "store away",
            "InfluxDB away while messages come as in hours; ingest grows by no more than its window",
            (),
            influx=True,
            messages=15_000,
        ),
        Scenario(
            "full card",
            "the disk full, then read-only: said in one line each, also by a start on it, and nothing durable is lost",
            (),
            messages=3_000,
        ),
        Scenario("one device", "all messages of one device at once", (), messages=5_000),
    )
}
