"""Outbox and ingest together under any interleaving of commit, send, crash and answer: nothing lost, nothing twice.

The real outbox, ingest, ledger and store on real files; the broker between them is a list that loses, repeats and
re-orders. A gateway that dies leaves its files as they are, at worst with the last commit torn.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cloud_api.inbox import Inbox
from cloud_api.ingest import Ingest, Parcel, answers_to
from cloud_api.ledger import Ledger
from cloud_api.metrics import Metrics
from cloud_api.mqtt import Delivery
from cloud_api.settings import Broker
from cloud_api.stores.base import EARLIEST, LATEST
from cloud_api.stores.sqlite import SqliteStore
from edge import messages
from edge.entries import Entry
from edge.messages import (
    MOST_UNCONFIRMED,
    DeviceHealth,
    Epoch,
    Flow,
    FlowInterval,
    GatewayName,
    HealthReport,
    OutboxMessage,
    Space,
    SpaceState,
    Stored,
    Trimmed,
)
from edge.outbox import Outbox, OutboxError
from edge.trimming import Limits

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GATEWAY, EPOCH = GatewayName("mairie"), Epoch("0" * 16)
DEVICES = 3
WAL_HEADER = 32

counts = st.builds(
    lambda size, step: [step * number % 50 for number in range(size)], size=st.integers(5, 60), step=st.integers(1, 49)
)
Hours = Counter[tuple[str, datetime]]


def told(number: int, passages: int) -> list[OutboxMessage]:
    """What one interval of one device brings: its passages, and now and then its health or a space."""
    device, at = f"d{number % DEVICES}", NOON + (number // DEVICES) * timedelta(minutes=5)
    part = FlowInterval(device=device, channel="line1", start=at, seconds=300, in_=passages, covered_s=300)
    health = DeviceHealth(device=device, model="parametric-pcr2", at=at, period_s=600)
    state = SpaceState(device=device, channel="1", occupied=passages % 2 == 0, at=at)
    flow = Flow(gateway=GATEWAY, epoch=EPOCH, intervals=(part,))
    beside: list[OutboxMessage] = [
        HealthReport(gateway=GATEWAY, epoch=EPOCH, health=health),
        Space(gateway=GATEWAY, epoch=EPOCH, states=(state,)),
    ]
    return [flow, beside[number % 2]]


class Chain(RuleBasedStateMachine):
    """A gateway's disk, a broker that keeps no promise, and a cloud."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.reserved = patch("edge.outbox.RESERVED", 2)
        self.reserved.start()
        self.lives = count()
        self.outbox = self.open_outbox(self.folder / "first")
        self.broker: list[Entry] = []
        self.answers: list[Stored] = []
        self.read_until = 0
        self.passages: list[int] = []
        self.days = 0
        self.is_trimmed = False
        self.start_ingest()

    def open_outbox(self, folder: Path) -> Outbox:
        outbox = Outbox(folder / "outbox.db", "mairie")
        outbox._db.execute("PRAGMA synchronous = OFF")
        return outbox

    def start_ingest(self) -> None:
        self.store, self.ledger = SqliteStore(self.folder / "history.db"), Ledger(self.folder / "ledger.db")
        self.store._writer.execute("PRAGMA synchronous = OFF")
        self.ledger._file._database.execute("PRAGMA synchronous = OFF")
        self.ingest = Ingest(
            Broker(),
            worker="test",
            store=self.store,
            ledger=self.ledger,
            metrics=Metrics(),
            clock=lambda: NOON,
        )

    def stop_ingest(self) -> None:
        self.store.close()
        self.ledger.close()

    # The gateway

    @initialize(passages=counts)
    def the_first_counts_are_committed(self, passages: list[int]) -> None:
        self.counts_are_committed(passages)

    @rule(passages=counts)
    def counts_are_committed(self, passages: list[int]) -> None:
        self.outbox.commit({}, self.news(passages))
        self.passages += passages
        self.is_trimmed = False

    @rule(passages=counts, share=st.floats(0, 1))
    def the_power_fails_amid_a_commit(self, passages: list[int], share: float) -> None:
        before, held = self.written_ahead(), len(self.outbox)
        self.outbox.commit({}, self.news(passages))
        after = self.written_ahead()

        def tear(wal: Path) -> None:
            if after[:WAL_HEADER] == before[:WAL_HEADER] and len(after) >= len(before):
                wal.write_bytes(after[: len(before) + int(share * (len(after) - len(before)))])

        self.gateway_dies(tear)
        assert len(self.outbox) in (held, held + 2 * len(passages)), "all of a commit, or none"
        if len(self.outbox) > held:
            self.passages += passages

    @rule()
    def the_gateway_is_killed(self) -> None:
        self.gateway_dies(lambda _wal: None)

    @precondition(lambda self: len(self.outbox) > 0)
    @rule(most=st.integers(1, 40), from_the_oldest=st.booleans())
    def some_are_sent(self, most: int, from_the_oldest: bool) -> None:
        entries = self.outbox.after(0 if from_the_oldest else self.read_until, most)
        self.broker += entries
        self.read_until = entries[-1].seq if entries else self.read_until

    @precondition(lambda self: len(self.outbox) > 0)
    @rule(most=st.integers(1, 40))
    def some_are_sent_while_the_disk_can_only_be_read(self, most: int) -> None:
        self.outbox._db.execute("PRAGMA query_only = 1")
        with suppress(OutboxError):
            self.some_are_sent(most, from_the_oldest=False)
        self.outbox._db.execute("PRAGMA query_only = 0")

    @precondition(lambda self: not self.is_trimmed)
    @rule()
    def all_that_waits_has_grown_old(self) -> None:
        for _ in range(3):
            self.outbox.begin_day(date(2026, 11, 22) + timedelta(days=self.days))
            self.days += 1
        self.trim(Limits(days=2, bytes=1_000_000))

    @precondition(lambda self: not self.is_trimmed)
    @rule(share=st.sampled_from([0.5, 0.7, 0.9]))
    def the_outbox_is_too_large(self, share: float) -> None:
        self.trim(Limits(days=1_000, bytes=int(share * self.outbox._used_bytes())))

    # The broker

    @precondition(lambda self: self.broker)
    @rule(data=st.data())
    def the_broker_forgets(self, data: st.DataObject) -> None:
        del self.broker[data.draw(st.integers(0, len(self.broker) - 1)) :]

    # The cloud

    @precondition(lambda self: self.broker)
    @rule(
        data=st.data(),
        most=st.integers(1, 20),
        share=st.sampled_from([1, 5, MOST_UNCONFIRMED]),
        again=st.booleans(),
        answered=st.booleans(),
    )
    def some_arrive_in_any_order(self, data: st.DataObject, most: int, share: int, again: bool, answered: bool) -> None:
        """What is beyond the gateway's share is let go, as far as the broker knows it is done with."""
        arrived = data.draw(st.permutations(self.broker))[:most]
        if not again:
            self.broker = [entry for entry in self.broker if entry not in arrived]
        answers = self.take_in(arrived, share)
        if answered:
            self.answers += answers

    @rule()
    def ingest_is_killed(self) -> None:
        self.stop_ingest()
        self.start_ingest()

    @precondition(lambda self: self.answers)
    @rule(data=st.data(), then=st.sampled_from(["again", "gone", "all lost"]))
    def an_answer_arrives(self, data: st.DataObject, then: str) -> None:
        answer = data.draw(st.sampled_from(self.answers))
        self.outbox.forget(answer.ranges)
        match then:
            case "gone":
                self.answers.remove(answer)
            case "all lost":
                self.answers.clear()

    # What must hold

    @invariant()
    def nothing_is_stored_that_was_not_counted(self) -> None:
        counted = self.counted()
        assert all(passages <= counted[hour] for hour, passages in self.stored().items())

    def teardown(self) -> None:
        while entries := self.outbox.after(0, 10_000):
            for answer in self.take_in(entries, len(entries)):
                self.outbox.forget(answer.ranges)
        counted, stored = self.counted(), self.stored()
        lost = [each for each in self.ledger.dropped() if each.what is Trimmed.FLOW]
        missing = counted.total() - stored.total()
        certain = sum(each.in_ for each in lost if not each.perhaps_stored)
        assert certain <= missing <= sum(each.in_ for each in lost)
        assert all(passages <= counted[hour] for hour, passages in stored.items())
        if not lost:
            assert +stored == +counted
        self.stop_ingest()
        self.outbox.close()
        self.reserved.stop()
        shutil.rmtree(self.folder)

    def trim(self, limits: Limits) -> None:
        while self.outbox.trim(limits) is not None:
            self.is_trimmed = True

    def news(self, passages: Sequence[int]) -> list[OutboxMessage]:
        numbered = enumerate(passages, len(self.passages))
        return [message for number, each in numbered for message in told(number, each)]

    def counted(self) -> Hours:
        hours: Hours = Counter()
        for number, passages in enumerate(self.passages):
            at = NOON + (number // DEVICES) * timedelta(minutes=5)
            hours[f"d{number % DEVICES}", at.replace(minute=0)] += passages
        return hours

    def stored(self) -> Hours:
        return Counter(
            {
                (hour.channel.device, hour.start): hour.in_
                for hour in self.store.hours(self.store.channels(), EARLIEST, LATEST)
            }
        )

    def take_in(self, entries: Sequence[Entry], share: int) -> list[Stored]:
        inbox = Inbox(share)
        for entry in entries:
            inbox.put(Delivery(entry.topic, entry.body, retained=False, mid=1, connection=1))
        parcels = []
        for delivery in inbox.gather(min(share, len(entries)), patience_s=0):
            message = messages.decode(delivery.topic, delivery.body)
            assert isinstance(message, OutboxMessage)
            parcels.append(Parcel(delivery, message))
        return answers_to(parcel.message for parcel in self.ingest._keep(parcels))

    def written_ahead(self) -> bytes:
        wal = self.outbox._path.with_name("outbox.db-wal")
        return wal.read_bytes() if wal.exists() else b""

    def gateway_dies(self, harm: Callable[[Path], None]) -> None:
        """Its files go on as they are on the disk, after `harm` to the newest pages; nothing was closed."""
        left = self.outbox._path.parent
        again = self.folder / f"life-{next(self.lives)}"
        shutil.copytree(left, again, ignore=shutil.ignore_patterns("*-shm"))
        if (again / "outbox.db-wal").exists():
            harm(again / "outbox.db-wal")
        self.outbox.close()
        shutil.rmtree(left)
        self.outbox = self.open_outbox(again)
        assert self.outbox._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        self.read_until = 0


Chain.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestChain = Chain.TestCase
