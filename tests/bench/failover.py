"""One of two workers is killed while two hundred gateways send, again and again: how long messages wait for it.

The workers are the real program, on one broker and one InfluxDB; whoever was killed is started again before the next.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic

from tests.bench.fleet import FACTS, Fleet, fleet
from tests.bench.load import AMBLE, GATEWAYS, PATIENCE_S, made, parts, platform, worker
from tests.bench.programs import Served
from tests.bench.table import Row
from tests.influx import InfluxServer

DEATHS = 10
BEFORE_S = 4.0
AFTER_S = 4.0


@dataclass(frozen=True, slots=True)
class Death:
    """What one cost."""

    gap_s: float
    """Until the first message sent after it was confirmed."""
    longest_s: float
    """That any message waited."""
    late: int
    """Messages that waited for more than the pause between two of a gateway's."""
    messages: int
    """Sent from just before it to the end."""


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        influx = InfluxServer(made(folder / "influx"))
        influx.start()
        stack.callback(influx.stop)
        store = influx.url("failover")
        broker, apis = platform(stack, made(folder / "platform"), store, ["one", "two"])
        gateways = stack.enter_context(fleet(broker, [AMBLE] * GATEWAYS))
        deaths = []
        for number in range(DEATHS):
            deaths.append(_die(gateways, apis[number % 2]))
            apis[number % 2] = stack.enter_context(
                worker(broker, folder / "platform", store, ["one", "two"][number % 2])
            )
        gaps, longest = [each.gap_s for each in deaths], [each.longest_s for each in deaths]
        yield Row(f"{DEATHS} deaths: until the other's first confirmation, half within", median(gaps), "s")
        yield Row("  at worst", max(gaps), "s")
        yield Row("the longest that a message waited, in half of them within", median(longest), "s")
        yield Row("  at worst", max(longest), "s")
        late, sent = sum(each.late for each in deaths), sum(each.messages for each in deaths)
        yield Row(f"  late (over {AMBLE.every_s:g} s) of {sent:,} messages", late, "messages")
        lost = abs(FACTS * gateways.sent - parts(store, gateways))
        yield Row("  facts confirmed that the store does not hold once", lost, "facts")


def _die(gateways: Fleet, victim: Served) -> Death:
    """Kill a worker while all send, and wait until all is confirmed."""
    begin_s = monotonic()
    gateways.send_for(BEFORE_S)
    death_s = monotonic()
    victim.program.process.kill()
    gateways.send_for(AFTER_S)
    gateways.turn_until(gateways.is_quiet, PATIENCE_S)
    confirmed = [each for member in gateways.members for each in member.confirmed if each.sent_s >= begin_s]
    return Death(
        gap_s=min(each.sent_s + each.waited_s for each in confirmed if each.sent_s >= death_s) - death_s,
        longest_s=max(each.waited_s for each in confirmed),
        late=sum(each.waited_s > AMBLE.every_s for each in confirmed),
        messages=len(confirmed),
    )
