"""A whole town that comes back at once: two hundred gateways' queues into one store, and how often each is sent.

The publishers are the gateways' own, in one event loop; their outboxes lie in memory, for two hundred SD cards are not
one disk. The API is the real program.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from edge.outbox import Outbox
from edge.publisher import BrokerConfig, Publisher
from tests.bench.fleet import flow
from tests.bench.load import GATEWAYS, PATIENCE_S, platform
from tests.bench.table import Row
from tests.town import until

BACKLOG = 100
"""Messages that wait in each."""


def rows() -> Iterator[Row]:
    """The figures of this file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir="/dev/shm")))
        broker, _ = platform(stack, folder, f"sqlite:///{folder}/history.db", ["one"])
        outboxes = [_filled(folder, f"gw-{number}") for number in range(GATEWAYS)]
        for outbox in outboxes:
            stack.callback(outbox.close)
        city = BrokerConfig(host=broker.host, port=broker.port)
        publishers = [Publisher(lambda: city, each, on_connected=list, on_message=lambda _: None) for each in outboxes]
        took_s = asyncio.run(_drain(publishers, outboxes))
        messages = GATEWAYS * BACKLOG
        yield Row(
            f"{GATEWAYS} gateways come back with {BACKLOG} messages each: stored", messages / took_s, "messages/s"
        )
        published = sum(each.counters["published"] for each in publishers)
        yield Row("  each of them was published", published / messages, "times")


def _filled(folder: Path, name: str) -> Outbox:
    outbox = Outbox(folder / f"{name}.db", name)
    outbox.commit({}, [flow(name, number) for number in range(BACKLOG)])
    return outbox


async def _drain(publishers: Sequence[Publisher], outboxes: Sequence[Outbox]) -> float:
    """How long it takes, s."""
    begin_s = monotonic()
    running = [asyncio.create_task(each.run()) for each in publishers]
    await asyncio.to_thread(until, lambda: not any(map(len, outboxes)), PATIENCE_S)
    took_s = monotonic() - begin_s
    for each in running:
        each.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return took_s
