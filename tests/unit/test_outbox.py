"""Checkpoint and messages are durable together; nothing is forgotten before it is stored; no number comes twice."""

import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge import messages
from edge.aggregator.device import DeviceState
from edge.entries import Waiting
from edge.messages import DeviceHealth, Epoch, Flow, FlowInterval, GatewayName, HealthReport, SeqRange
from edge.outbox import Outbox, OutboxError

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def flow(count: int = 1) -> Flow:
    interval = FlowInterval(device="d", channel="line1", start=NOW, seconds=300, in_=count, covered_s=300)
    return Flow(gateway=GatewayName("g"), epoch=Epoch("0" * 16), intervals=(interval,))


def test_what_follows_on_what_was_sent_is_there_at_once(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db", "g")
    outbox.commit({}, [flow(1)])
    assert not outbox.fresh(0), "nothing was handed out yet: it may still be merged"
    outbox.after(0, 10)
    outbox.commit({}, [flow(2), flow(3)])
    assert [*outbox.fresh(1)] == outbox.after(1, 10)
    assert not outbox.fresh(0)
    assert not outbox.fresh(3)
    outbox.close()


def test_states_and_messages_survive_together(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db", "g")
    state = DeviceState(restarted=True)
    assert outbox.commit({"d": state}, [flow(3), flow(4)]) == 2
    epoch = outbox.epoch
    outbox.close()
    again = Outbox(tmp_path / "o.db", "g")
    assert again.epoch == epoch
    assert again.load_states() == {"d": state}
    bodies = [messages.decode(entry.topic, entry.body) for entry in again.after(0, 10)]
    assert [(body.seq, body.epoch) for body in bodies] == [(1, epoch), (2, epoch)]
    again.close()


def test_a_commit_that_fails_changes_nothing(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db", "g")
    outbox.commit({}, [flow()])
    blocker = sqlite3.connect(tmp_path / "o.db", isolation_level=None)
    page_limit = blocker.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {page_limit}")
    with pytest.raises(OutboxError, match="full"):
        outbox.commit({"d": DeviceState()}, [flow()] * 500)
    outbox._db.execute("PRAGMA max_page_count = 100000")
    assert len(outbox) == 1
    assert outbox.load_states() == {}
    assert outbox.commit({}, [flow()]) == 2
    blocker.close()
    outbox.close()


def test_retained_topics_are_kept_as_such(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db", "g")
    health = DeviceHealth(device="d/1", model="m", at=NOW, period_s=600)
    outbox.commit({}, [HealthReport(gateway=GatewayName("g"), epoch=Epoch("0" * 16), health=health)])
    (entry,) = outbox.after(0, 1)
    assert (entry.retain, entry.topic) == (True, "passerelle/1/g/health/d-1")
    outbox.close()


def test_what_waits_for_the_time_comes_back_in_order_until_it_is_dated(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.db", "g")
    outbox.commit({}, [], waiting=[Waiting("boot", 5, "d", b"1"), Waiting("boot", 6, "d", b"2")])
    first, second = outbox.waiting(10)
    assert (first.body, second.body) == (b"1", b"2")
    outbox.commit({}, [], waited=[first.id])
    assert outbox.waiting(10) == [second]
    outbox.close()


def test_of_too_many_that_wait_for_the_time_the_oldest_go_and_are_counted_for_ever(tmp_path: Path) -> None:
    with patch("edge.outbox.MOST_WAITING", 3):
        with closing(Outbox(tmp_path / "o.db", "g")) as outbox:
            for number in range(5):
                outbox.commit({}, [], waiting=[Waiting("boot", number, "d", b"%d" % number)])
            assert [each.body for each in outbox.waiting(10)] == [b"2", b"3", b"4"]
            outbox.commit({}, [], waiting=[Waiting("boot", number, "d", b"%d" % number) for number in range(5, 10)])
            assert (outbox.count_waiting(), outbox.waiting_dropped) == (3, 7)
        with closing(Outbox(tmp_path / "o.db", "g")) as outbox:
            assert outbox.waiting_dropped == 7


def test_another_gateway_may_not_use_the_file(tmp_path: Path) -> None:
    Outbox(tmp_path / "o.db", "g").close()
    with pytest.raises(OutboxError, match="belongs to gateway 'g'"):
        Outbox(tmp_path / "o.db", "other")


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Outbox(tmp_path / "o.db", "g").close()
    with sqlite3.connect(tmp_path / "o.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OutboxError, match="newer version"):
        Outbox(tmp_path / "o.db", "g")


class OutboxMachine(RuleBasedStateMachine):
    """Commits, confirmations and crashes in any order: what is committed and not stored is there, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.outbox = Outbox(Path(self.folder.name) / "o.db", "g")
        self.expected: list[int] = []

    @rule(count=st.integers(0, 4))
    def commit(self, count: int) -> None:
        last = self.outbox.commit({}, [flow(number) for number in range(count)])
        self.expected += range(last - count + 1, last + 1)

    @rule(first=st.integers(1, 30), length=st.integers(0, 10))
    def stored(self, first: int, length: int) -> None:
        self.outbox.forget([SeqRange(first, first + length)])
        self.expected = [seq for seq in self.expected if not first <= seq <= first + length]

    @rule()
    def crash(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(Path(self.folder.name) / "o.db", "g")

    @invariant()
    def holds_what_is_not_stored(self) -> None:
        assert [entry.seq for entry in self.outbox.after(0, 1000)] == self.expected

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()


OutboxMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestOutbox = OutboxMachine.TestCase
