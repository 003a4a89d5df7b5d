"""Gateways' messages into the store, and the answer that lets their outboxes forget.

In come facts over a shared subscription, out go commits and one `stored` answer per gateway. A message is answered for
only when what it carries is committed to the store, the ledger or the quarantine; only then is the broker told too.
A gateway that has more out than the contract allows is let go of what is beyond: no answer, so that it keeps it.
"""

import logging
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from threading import Event, Thread
from typing import Final

from msgspec import Struct

from cloud_api.inbox import Inbox
from cloud_api.ledger import Ledger
from cloud_api.metrics import Metrics
from cloud_api.mqtt import Connection, Delivery, Subscription
from cloud_api.settings import Broker
from cloud_api.stores.base import Fact, RefusedFactError, Store, StoredFlow, StoredSpace, StoreError
from edge import messages
from edge.messages import (
    MOST_UNCONFIRMED,
    AnyMessage,
    Dropped,
    Flow,
    HealthReport,
    Heard,
    MessageError,
    OutboxMessage,
    SeqRange,
    Space,
    Stored,
    encode,
    gateway_of,
    topic_of,
)

log = logging.getLogger(__name__)

WINDOW: Final = 2 * MOST_UNCONFIRMED
"""Messages unacknowledged at the broker: one gateway may have all out that it may, and nobody queues there. Who comes
behind a flood waits until all of them are read."""
MOST_MESSAGES: Final = 250
"""In one commit: who comes next waits for the whole of it."""
RETRY_S: Final = (0.25, 30.0)
"""First and longest pause before a failed commit is tried again."""
BYTES_LOGGED: Final = 600
TOPICS: Final = tuple(
    f"$share/ingest/{topic}"
    for topic in (
        messages.topic("+", "flow"),
        messages.topic("+", "space", "+"),
        messages.topic("+", "health", "+"),
        messages.topic("+", "heard"),
        messages.topic("+", "dropped"),
    )
)


class Parcel(Struct, frozen=True):
    """A message and the delivery that brought it."""

    delivery: Delivery
    message: OutboxMessage


class Ingest:
    """One worker of the shared subscription, with a thread of its own. Guards: never answered before it is kept."""

    def __init__(
        self,
        broker: Broker,
        *,
        worker: str,
        store: Store,
        ledger: Ledger,
        metrics: Metrics,
        clock: Callable[[], datetime],
        share: int = MOST_UNCONFIRMED,
    ) -> None:
        """`share`: most messages of one gateway that wait here.

        Raises `ConfigError` when the broker's credentials cannot be read, `StoreError` when the ledger cannot.
        """
        self._store = store
        self._ledger = ledger
        self._metrics = metrics
        self._metrics.quarantined.set(ledger.quarantined())
        self._metrics.tell_dropped(ledger.dropped())
        self._clock = clock
        self._share = share
        self._inbox = Inbox(share)
        self._let_go: Counter[str] = Counter()
        """Messages that were not let in, by gateway."""
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="ingest")
        subscription = Subscription(
            client_id=f"passerelle-ingest-{worker}-{secrets.token_hex(4)}", topics=TOPICS, window=WINDOW
        )
        self._connection = Connection(broker, subscription, self._take)

    @property
    def problem(self) -> str | None:
        """Why nothing can be taken in now; None while all is well."""
        if not self._thread.is_alive():
            return "ingest has stopped"
        return self._connection.problem

    def let_go(self) -> dict[str, int]:
        """Messages that were not read because their gateway floods, by gateway, since the start."""
        return dict(self._let_go)

    def start(self) -> None:
        """Connect and take in, in the background."""
        self._thread.start()
        self._connection.start()

    def stop(self) -> None:
        """Finish the batch in hand, unless the store does not take it, and disconnect. Blocks."""
        self._stopping.set()
        self._thread.join()
        self._connection.stop()

    def _take(self, delivery: Delivery) -> None:
        """Called on the network's thread."""
        if not self._inbox.put(delivery):
            self._count_flood(gateway_of(delivery.topic))
            self._connection.acknowledge(delivery)

    def _count_flood(self, gateway: str) -> None:
        self._metrics.flood.labels(gateway).inc()
        self._metrics.pulse.let_go(gateway, self._clock())
        self._let_go[gateway] += 1
        if is_round(self._let_go[gateway]):
            log.warning(
                "gateway %s has more than %d messages out unconfirmed; let go unread, for it to send again: %d so far",
                *(gateway, self._share, self._let_go[gateway]),
            )

    def _run(self) -> None:
        while not self._stopping.is_set():
            deliveries = self._inbox.gather(MOST_MESSAGES, patience_s=0.2)
            if deliveries:
                self._take_in(deliveries)

    def _take_in(self, deliveries: Sequence[Delivery]) -> None:
        parcels = [parcel for each in deliveries if (parcel := self._open(each)) is not None]
        kept = self._keep_until_kept(parcels)
        if kept is None:
            return
        self._answer([parcel.message for parcel in kept])
        for parcel in parcels:
            self._connection.acknowledge(parcel.delivery)

    def _open(self, delivery: Delivery) -> Parcel | None:
        """The message of a delivery; what is none is counted, shown and done with."""
        try:
            message = _outbox_message(delivery)
        except MessageError as error:
            self._metrics.message_errors.labels("ingest", error.name).inc()
            log.debug("%s; bytes %r", error, delivery.body[:BYTES_LOGGED])
            self._connection.acknowledge(delivery)
            return None
        return Parcel(delivery, message)

    def _keep_until_kept(self, parcels: Sequence[Parcel]) -> list[Parcel] | None:
        """Keep what the parcels carry, again and again; None when told to stop before it worked."""
        pause_s, longest_s = RETRY_S
        while True:
            try:
                return self._keep(parcels)
            except StoreError as error:
                self._metrics.retries.inc()
                log.warning("nothing is stored, next attempt in %g s: %s", pause_s, error)
            if self._stopping.wait(pause_s):
                return None
            pause_s = min(2 * pause_s, longest_s)

    def _keep(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        """Commit what the parcels carry; returns those that may be answered for. Raises `StoreError`."""
        refused = self._write([fact for parcel in parcels for fact in facts_of(parcel.message)])
        held_nowhere = self._ledger.quarantine(refused, self._clock())
        received = [parcel.message for parcel in parcels]
        dropped = [each for each in received if isinstance(each, Dropped)]
        self._ledger.keep(
            health=[each for each in received if isinstance(each, HealthReport)],
            heard=[each for each in received if isinstance(each, Heard)],
            dropped=dropped,
        )
        if dropped:
            self._metrics.tell_dropped(self._ledger.dropped())
        if refused:
            self._count(refused)
        if not held_nowhere:
            return list(parcels)
        self._metrics.unanswered.inc(len(held_nowhere))
        return [parcel for parcel in parcels if not any(fact in held_nowhere for fact in facts_of(parcel.message))]

    def _write(self, facts: list[Fact]) -> list[RefusedFactError]:
        """Commit all facts but those that the store refuses for good, which are returned. Raises `StoreError`."""
        refused: list[RefusedFactError] = []
        with self._metrics.commits.time():
            while facts and (error := self._refusal_of(facts)) is not None:
                others = [fact for fact in facts if fact != error.fact]
                if len(others) == len(facts):
                    raise StoreError(f"the store refuses a fact that it was not given: {error}") from error
                refused.append(error)
                facts = others
        self._metrics.facts.inc(len(facts))
        self._metrics.pulse.beat(len(facts), self._clock())
        return refused

    def _refusal_of(self, facts: list[Fact]) -> RefusedFactError | None:
        """Commit the facts; or why the store, which then took none of them, refuses one for good."""
        try:
            self._store.write(facts)
        except RefusedFactError as error:
            return error
        return None

    def _count(self, refused: Sequence[RefusedFactError]) -> None:
        self._metrics.refused_facts.inc(len(refused))
        log.warning("the store refuses %d facts, the first because: %s", len(refused), refused[0].reason)
        self._metrics.quarantined.set(self._ledger.quarantined())

    def _answer(self, kept: Sequence[OutboxMessage]) -> None:
        for answer in answers_to(kept):
            if not self._connection.publish(topic_of(answer), encode(answer)):
                self._metrics.unanswered.inc()
        for message in kept:
            self._metrics.messages.labels(message.kind).inc()


def facts_of(message: OutboxMessage) -> list[Fact]:
    """What of a message is history."""
    match message:
        case Flow():
            return [
                StoredFlow(gateway=message.gateway, epoch=message.epoch, interval=each) for each in message.intervals
            ]
        case Space():
            return [StoredSpace(gateway=message.gateway, state=each) for each in message.states]
        case _:
            return []


def answers_to(kept: Iterable[AnyMessage]) -> list[Stored]:
    """One answer per outbox: the sequence numbers that are kept, as few ranges as can be."""
    numbers: dict[tuple[str, str], set[int]] = defaultdict(set)
    for message in kept:
        if message.seq > 0:
            numbers[message.gateway, message.epoch].add(message.seq)
    return [
        Stored(gateway=gateway, epoch=epoch, ranges=_ranges(seqs)) for (gateway, epoch), seqs in sorted(numbers.items())
    ]


def is_round(count: int) -> bool:
    """1, 10, 100, …: what happens ever more often is told ever more seldom."""
    return str(count).rstrip("0") == "1"


def _ranges(numbers: set[int]) -> tuple[SeqRange, ...]:
    ranges: list[SeqRange] = []
    for number in sorted(numbers):
        if ranges and ranges[-1].last == number - 1:
            ranges[-1] = SeqRange(ranges[-1].first, number)
        else:
            ranges.append(SeqRange(number, number))
    return tuple(ranges)


def _outbox_message(delivery: Delivery) -> OutboxMessage:
    message = messages.decode(delivery.topic, delivery.body)
    if not isinstance(message, OutboxMessage):
        raise MessageError("unknown-topic", delivery.topic, "nothing that goes through an outbox")
    return message
