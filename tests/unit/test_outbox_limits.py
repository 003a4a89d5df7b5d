"""An outbox at its limit: what gives way, in which order, and that everything lost is told."""

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import messages
from edge.aggregator.device import DeviceState
from edge.messages import (
    DeviceHealth,
    Dropped,
    Epoch,
    Flag,
    Flow,
    FlowInterval,
    GatewayName,
    HealthReport,
    Limit,
    OutboxMessage,
    Space,
    SpaceState,
    Trimmed,
)
from edge.outbox import PAGE_BYTES, Outbox, OutboxError
from edge.trimming import Limits

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)
GATEWAY, EPOCH = GatewayName("mairie"), Epoch("0" * 16)
ROOMY = Limits(days=30, bytes=10_000_000)
EMPTY_BYTES = 40_000
"""More than the file of an empty outbox holds."""
FIXTURES = Path(__file__).parents[1] / "fixtures"

HourSums = Counter[tuple[str, datetime, str]]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path / "outbox.db", "mairie")) as opened:
        yield opened


def interval(number: int, device: str = "d1", count: int = 3) -> FlowInterval:
    start = NOON + number * timedelta(minutes=5)
    return FlowInterval(device=device, channel="line1", start=start, seconds=300, in_=count, out=1, covered_s=300)


def flow(number: int, device: str = "d1", count: int = 3) -> Flow:
    return Flow(gateway=GATEWAY, epoch=EPOCH, intervals=(interval(number, device, count),))


def space(number: int, device: str = "d1") -> Space:
    state = SpaceState(device=device, channel="1", occupied=True, at=NOON + number * timedelta(minutes=5))
    return Space(gateway=GATEWAY, epoch=EPOCH, states=(state,))


def health(number: int, device: str = "d1") -> HealthReport:
    report = DeviceHealth(device=device, model="m" * 100, at=NOON + number * timedelta(minutes=5), period_s=600)
    return HealthReport(gateway=GATEWAY, epoch=EPOCH, health=report)


def held(outbox: Outbox) -> list[OutboxMessage]:
    """All messages in the outbox, seen without being handed out."""
    rows = outbox._db.execute("SELECT topic, body FROM outbox ORDER BY seq").fetchall()
    found = [messages.decode(topic, body) for topic, body in rows]
    return [message for message in found if isinstance(message, OutboxMessage)]


def trim(outbox: Outbox, limits: Limits) -> list[Dropped]:
    """Bring the outbox within its limits; what it tells of that."""
    while outbox.trim(limits) is not None:
        pass
    return [message for message in held(outbox) if isinstance(message, Dropped)]


def pass_days(outbox: Outbox, days: int) -> None:
    for day in range(days):
        outbox.begin_day(TODAY + timedelta(days=day))


def sums(found: Sequence[OutboxMessage]) -> HourSums:
    """Passages and covered seconds by device and hour."""
    total: HourSums = Counter()
    for part in (part for message in found if isinstance(message, Flow) for part in message.intervals):
        hour = part.device, part.start.replace(minute=0)
        total.update({(*hour, "in"): part.in_, (*hour, "out"): part.out or 0, (*hour, "covered"): part.covered_s})
    return total


def kinds(found: Sequence[OutboxMessage]) -> Counter[str]:
    return Counter(message.kind for message in found)


def test_an_outbox_within_its_limits_is_left_alone(outbox: Outbox) -> None:
    outbox.commit({}, [flow(number) for number in range(12)])
    pass_days(outbox, 30)

    assert trim(outbox, ROOMY) == []
    assert kinds(held(outbox)) == {"flow": 12}


def test_what_waited_for_too_many_days_loses_its_detail_and_no_count(outbox: Outbox) -> None:
    outbox.commit({}, [flow(number) for number in range(24)] + [space(0), space(1), health(0)])
    before = sums(held(outbox))
    pass_days(outbox, 31)
    outbox.commit({}, [flow(300), health(1), space(2)])

    told = trim(outbox, ROOMY)

    assert [(each.what, each.why, each.messages) for each in told] == [
        (Trimmed.HEALTH, Limit.DAYS, 1),
        (Trimmed.MERGED, Limit.DAYS, 24),
        (Trimmed.SPACE, Limit.DAYS, 1),
    ]
    after = held(outbox)
    assert sums(after) == before + sums([flow(300)])
    assert kinds(after) == {"flow": 2, "space": 2, "health": 1, "dropped": 3}
    assert [part.flags for message in after[:1] if isinstance(message, Flow) for part in message.intervals] == [
        (Flag.MERGED,)
    ] * 2


def test_a_day_counts_once_however_often_the_gateway_starts_or_its_clock_steps(outbox: Outbox) -> None:
    outbox.commit({}, [health(0)])
    for day in (TODAY, date(2031, 1, 1), TODAY) * 20:
        outbox.begin_day(day)

    assert trim(outbox, Limits(days=2, bytes=10_000_000)) == []


def test_an_outbox_that_is_too_large_lets_health_go_and_touches_nothing_else_while_that_is_enough(
    outbox: Outbox,
) -> None:
    outbox.commit({}, [message(number) for number in range(200) for message in (flow, health)])
    limit = Limits(days=30, bytes=outbox._used_bytes() - 1)

    (told,) = trim(outbox, limit)

    assert (told.what, told.why, told.in_, told.out) == (Trimmed.HEALTH, Limit.BYTES, 0, 0)
    assert told.start == NOON, "the oldest go first"
    after = kinds(held(outbox))
    assert after["flow"] == 200
    assert after["health"] == 200 - told.messages > 0
    assert outbox._used_bytes() <= limit.bytes


def test_counts_are_dropped_only_when_all_are_merged_and_every_lost_passage_is_told(outbox: Outbox) -> None:
    outbox.commit({}, [flow(number, f"device-{number % 7}", count=number) for number in range(3000)])
    before = sums(held(outbox))

    told = {each.what: each for each in trim(outbox, Limits(days=30, bytes=EMPTY_BYTES * 2))}

    after = held(outbox)
    lost = before.copy()
    lost.subtract(sums(after))
    assert told.keys() == {Trimmed.MERGED, Trimmed.FLOW}
    assert sum(count for (_, _, which), count in lost.items() if which == "in") == told[Trimmed.FLOW].in_ > 0
    assert sum(count for (_, _, which), count in lost.items() if which == "out") == told[Trimmed.FLOW].out
    remaining = [part for message in after if isinstance(message, Flow) for part in message.intervals]
    assert len({(part.device, part.start.replace(minute=0)) for part in remaining}) == len(remaining)
    assert min(part.start for part in remaining) >= told[Trimmed.FLOW].start


def test_an_outbox_that_is_too_large_when_all_is_gone_that_may_go_is_left_alone(outbox: Outbox) -> None:
    outbox.commit({}, [health(0), flow(0), space(0)])

    told = trim(outbox, Limits(days=30, bytes=1))

    assert [each.what for each in told] == [Trimmed.HEALTH, Trimmed.FLOW]
    assert kinds(held(outbox)) == {"space": 1, "dropped": 2}
    assert trim(outbox, Limits(days=30, bytes=1)) == told


def test_the_file_is_used_again_and_does_not_grow_beyond_its_limit(outbox: Outbox) -> None:
    limits = Limits(days=30, bytes=600_000)
    sizes = []
    for day in range(12):
        outbox.commit({}, [message(day * 288 + number) for number in range(288) for message in (flow, health)])
        trim(outbox, limits)
        sizes.append(PAGE_BYTES * outbox._db.execute("PRAGMA page_count").fetchone()[0])
    one_day = sizes[0]
    assert sum(sizes[:1] * 12) > 2 * limits.bytes, "without a limit it would be larger"
    assert max(sizes) < limits.bytes + one_day


def test_what_was_handed_out_is_never_changed_even_after_a_restart(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "outbox.db", "mairie")) as outbox:
        outbox.commit({}, [flow(number) for number in range(600)])
        outbox.after(0, 100)
    with closing(Outbox(tmp_path / "outbox.db", "mairie")) as outbox:
        outbox.commit({}, [flow(number) for number in range(600, 1200)])
        pass_days(outbox, 2)
        (told,) = trim(outbox, Limits(days=1, bytes=10_000_000))

        assert told.messages == 1200 - 100 - 1000
        parts = [part for message in held(outbox) if isinstance(message, Flow) for part in message.intervals]
        assert parts[:1100] == [interval(number) for number in range(1100)]


def test_a_disk_that_can_only_be_read_hands_out_no_more_than_a_restart_knows_to_be_sent(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    with patch("edge.outbox.RESERVED", 2), closing(Outbox(before / "outbox.db", "mairie")) as outbox:
        outbox.commit({}, [flow(number) for number in range(12)])
        outbox.after(0, 3)
        outbox._db.execute("PRAGMA query_only = 1")
        assert [entry.seq for entry in outbox.after(3, 2)] == [4, 5]
        with pytest.raises(OutboxError, match="check the disk"):
            outbox.after(5, 1)
        shutil.copytree(before, after)
    with closing(Outbox(after / "outbox.db", "mairie")) as outbox:
        pass_days(outbox, 2)
        (told,) = trim(outbox, Limits(days=1, bytes=10_000_000))
        assert told.messages == 12 - 5


def test_what_is_dropped_after_it_was_handed_out_is_told_as_perhaps_stored(outbox: Outbox) -> None:
    outbox.commit({}, [flow(number) for number in range(500)])
    outbox.after(0, 1)

    (told,) = trim(outbox, Limits(days=30, bytes=EMPTY_BYTES))

    assert told.what is Trimmed.FLOW
    assert 0 < told.perhaps_stored == told.messages


def test_what_is_told_has_a_number_of_its_own_and_is_one_account_a_trimming(outbox: Outbox) -> None:
    with patch("edge.outbox.STRETCH_BYTES", 5_000):
        last = outbox.commit({}, [health(number) for number in range(300)])
        (told,) = trim(outbox, Limits(days=30, bytes=EMPTY_BYTES))
    assert (told.seq, told.epoch) == (last + 1, outbox.epoch)
    assert told.messages + kinds(held(outbox))["health"] == 300
    assert outbox.commit({}, [flow(1)]) == last + 2


def test_an_outbox_of_version_1_opens_and_merges_nothing_that_may_have_been_sent(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "outbox.db")) as old:
        old.executescript((FIXTURES / "outbox-v1.sql").read_text())
    with closing(Outbox(tmp_path / "outbox.db", "mairie")) as outbox:
        assert (outbox.epoch, len(outbox), outbox.count_waiting()) == ("00112233445566aa", 3, 1)
        assert outbox.load_states().keys() == {"d1"}
        assert outbox.recall("desired") == b'{"revision":7}'
        assert outbox.commit({}, [flow(2), flow(3)]) == 6
        pass_days(outbox, 2)
        told = trim(outbox, Limits(days=1, bytes=10_000_000))
        assert [(each.what, each.messages, each.perhaps_stored) for each in told] == [
            (Trimmed.HEALTH, 1, 1),
            (Trimmed.MERGED, 2, 0),
        ]


def test_an_outbox_of_version_2_opens_with_its_checkpoints_and_keeps_one_of_each_device(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "outbox.db")) as old:
        old.executescript((FIXTURES / "outbox-v2.sql").read_text())
    with closing(Outbox(tmp_path / "outbox.db", "mairie")) as outbox:
        assert (outbox.epoch, len(outbox), outbox.count_waiting()) == ("00112233445566aa", 3, 1)
        assert outbox.load_states() == {"d1": DeviceState(restarted=True)}
        outbox.commit({"d1": DeviceState(), "d2": DeviceState(empty_mm=900)}, [])
        assert outbox.load_states() == {"d1": DeviceState(), "d2": DeviceState(empty_mm=900)}


mixtures = st.lists(
    st.tuples(st.sampled_from([flow, space, health]), st.sampled_from(["d1", "d2"]), st.integers(1, 30)), max_size=20
)


@contextmanager
def temporary_outbox() -> Iterator[Outbox]:
    with tempfile.TemporaryDirectory() as folder, closing(Outbox(Path(folder) / "outbox.db", "mairie")) as outbox:
        outbox._db.execute("PRAGMA synchronous = OFF")
        yield outbox


@given(mixture=mixtures, handed=st.integers(0, 60), limit=st.integers(EMPTY_BYTES, 4 * EMPTY_BYTES), days=st.booleans())
def test_whatever_is_in_it_and_whatever_its_limit_exactly_what_is_told_is_lost(
    mixture: list[tuple[type, str, int]], handed: int, limit: int, days: bool
) -> None:
    number = 0
    with patch("edge.outbox.RESERVED", 5), patch("edge.outbox.STRETCH_BYTES", 20_000), temporary_outbox() as outbox:
        for build, device, count in mixture:
            outbox.commit({}, [build(number + each, device) for each in range(count)])
            number += count
        outbox.after(0, handed)
        before, sent = held(outbox), handed and min(handed, number)
        pass_days(outbox, 2 if days else 1)

        trim(outbox, Limits(days=1, bytes=limit))

        everything = held(outbox)
        after = [message for message in everything if not isinstance(message, Dropped)]
        told = [message for message in everything if isinstance(message, Dropped)]
    lost = sums(before)
    lost.subtract(sums(after))
    assert all(count >= 0 for count in lost.values())
    for which, counted in (("in", sum(each.in_ for each in told)), ("out", sum(each.out for each in told))):
        assert sum(count for key, count in lost.items() if key[2] == which) == counted
    if not any(each.what is Trimmed.FLOW for each in told):
        assert sums(after) == sums(before), "while merging suffices nothing is lost"
    gone = Counter({each.what: each.messages for each in told if each.what is not Trimmed.MERGED})
    assert kinds(before)["health"] - kinds(after)["health"] == gone[Trimmed.HEALTH]
    assert kinds(before)["space"] - kinds(after)["space"] == gone[Trimmed.SPACE]
    unchanged = {message.seq: message for message in before if message.seq <= sent}
    assert all(unchanged[message.seq] == message for message in after if message.seq <= sent)
    assert len({message.seq for message in everything}) == len(everything)
