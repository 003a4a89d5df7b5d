"""Presence with a debounce time: what flickers is never told, what stands is told once, as of its first sight."""

from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.aggregator.counting import Moment
from edge.aggregator.device import DeviceState, Fact, Identity, Observation, observe, settle_changes
from edge.config import refused_devices
from edge.intake import Batch, Intake
from edge.messages import DeviceSettings, Epoch, Space, SpaceState, TimeSource
from edge.readings import DeviceAddress, Frame, Presence
from tests.clocks import ManualClock

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
START_S = int(START.timestamp())
PLAIN = Identity(device="d1", model="bosch-tps110")
Reports = dict[int, bool]
"""By second: what the sensor said."""

reports = st.dictionaries(st.integers(0, 120), st.booleans(), max_size=40)
debounces = st.integers(1, 40)


def reported(state: DeviceState, identity: Identity, second: int, *, occupied: bool) -> tuple[DeviceState, list[Fact]]:
    moment = Moment(START_S + second, TimeSource.GATEWAY, period_s=3_600, seconds=300)
    presence = Presence(channel="1", occupied=occupied)
    return observe(state, identity, Observation(readings=(presence,), moment=moment))


def told(
    said: Reports, debounce_s: int, *, first: int = 0, last: int = 200, state: DeviceState | None = None
) -> tuple[DeviceState, list[tuple[int, SpaceState]]]:
    """The state at the end, and what was told in which second; the clock ticks once a second."""
    identity, state = replace(PLAIN, debounce_s=debounce_s), state or DeviceState()
    facts: list[tuple[int, SpaceState]] = []
    for second in range(first, last):
        state, news = settle_changes(state, debounce_s, now_s=START_S + second)
        facts += [(second, space) for space in news]
        if second in said:
            state, more = reported(state, identity, second, occupied=said[second])
            facts += [(second, fact) for fact in more if isinstance(fact, SpaceState)]
    return state, facts


def flips(facts: list[tuple[int, SpaceState]]) -> list[tuple[int, SpaceState]]:
    return [after for before, after in pairwise(facts) if before[1].occupied is not after[1].occupied]


@given(reports, debounces)
def test_what_is_told_never_flips_faster_than_the_debounce_time(said: Reports, debounce_s: int) -> None:
    _, facts = told(said, debounce_s)
    for (earlier_s, earlier), (later_s, later) in pairwise(flips(facts)):
        assert later_s - earlier_s >= debounce_s
        assert later.since is not None
        assert earlier.since is not None
        assert (later.since - earlier.since).total_seconds() >= debounce_s


@given(reports, debounces)
def test_a_change_is_told_when_it_has_stood_for_so_long_and_dated_at_its_first_sight(
    said: Reports, debounce_s: int
) -> None:
    _, facts = told(said, debounce_s)
    for second, space in flips(facts):
        assert space.since is not None
        seen = round((space.since - START).total_seconds())
        assert second - seen == debounce_s
        assert {occupied for at, occupied in said.items() if seen <= at < second} == {space.occupied}


@given(reports, debounces)
def test_the_last_word_is_told_in_the_end(said: Reports, debounce_s: int) -> None:
    state, facts = told(said, debounce_s)
    assert not state.changes
    assert [space.occupied for _, space in facts[-1:]] == [said[max(said)] for _ in facts[-1:]]
    assert bool(facts) is bool(said)


@given(reports, debounces)
def test_with_late_ticks_a_change_that_stood_is_told_all_the_same(said: Reports, debounce_s: int) -> None:
    _, ticking = told(said, debounce_s)
    identity, state = replace(PLAIN, debounce_s=debounce_s), DeviceState()
    seen: list[SpaceState] = []
    for second in sorted(said):
        state, more = reported(state, identity, second, occupied=said[second])
        seen += [fact for fact in more if isinstance(fact, SpaceState)]
    _, rest = settle_changes(state, debounce_s, now_s=START_S + 1_000)
    expected = [(space.occupied, space.since) for _, space in flips(ticking)]
    pairs = [(0, space) for space in [*seen, *rest]]
    assert [(space.occupied, space.since) for _, space in flips(pairs)] == expected


@given(reports)
def test_without_debounce_every_report_is_told_at_once(said: Reports) -> None:
    state, facts = told(said, 0)
    assert [(second, space.occupied) for second, space in facts] == sorted(said.items())
    assert all(space.at.timestamp() == START_S + second for second, space in facts)
    assert not state.changes


@given(reports, debounces, st.integers(0, 199))
def test_a_restart_from_the_checkpoint_changes_nothing(said: Reports, debounce_s: int, restart: int) -> None:
    whole, facts = told(said, debounce_s)
    state, before = told(said, debounce_s, last=restart)
    body = msgspec.msgpack.encode(state)
    again = msgspec.msgpack.decode(body, type=DeviceState)
    assert again == state
    state, after = told(said, debounce_s, first=restart, state=again)
    assert (state, before + after) == (whole, facts)


def test_a_checkpoint_from_before_there_was_a_debounce_is_read() -> None:
    state, _ = told({0: True}, 0)
    old = msgspec.to_builtins(state)
    del old["changes"]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=DeviceState) == state


def test_a_clock_that_steps_back_does_not_hold_a_change_up_until_it_has_caught_up() -> None:
    identity = replace(PLAIN, debounce_s=10)
    state, _ = reported(DeviceState(), identity, 3_600, occupied=False)
    state, _ = reported(state, identity, 3_605, occupied=True)
    state, _ = reported(state, identity, 0, occupied=True)
    assert settle_changes(state, 10, now_s=START_S + 9)[1] == []
    assert [space.occupied for space in settle_changes(state, 10, now_s=START_S + 10)[1]] == [True]


def test_what_the_sensor_dated_before_a_change_it_said_takes_nothing_back() -> None:
    identity = replace(PLAIN, debounce_s=10)
    state, _ = told({0: False, 5: True}, 10, last=6)
    older = Presence(channel="1", occupied=False, at=datetime.fromtimestamp(START_S + 3, UTC))
    moment = Moment(START_S + 7, TimeSource.GATEWAY, period_s=3_600, seconds=300)
    after, facts = observe(state, identity, Observation(readings=(older,), moment=moment))
    assert after.changes == state.changes
    assert [fact for fact in facts if isinstance(fact, SpaceState)] == []


BAY = DeviceAddress("0004a30b00000002")


def test_the_gateway_tells_a_change_that_nothing_confirms_on_its_tick_and_once() -> None:
    clock = ManualClock(START)
    intake = Intake("mairie", Epoch("0" * 16), clock, 300, {})
    intake.adopt([DeviceSettings(address=BAY, model="bosch-tps110", debounce_s=30)])
    intake.release(Batch(), [])
    heard = [heard_at(intake, clock, b"\x00", 1), heard_at(intake, clock, b"\x01", 2)]
    assert heard == [[False], []]
    assert [ticked(intake, clock, after_s) for after_s in (29, 1, 1)] == [[], [True], []]


def heard_at(intake: Intake, clock: ManualClock, payload: bytes, number: int) -> list[bool]:
    clock.advance(60)
    batch = Batch()
    heard_ms = clock.monotonic_ms()
    intake.take(batch, "net", Frame(device=BAY, payload=payload, port=1, counter=number, heard_ms=heard_ms))
    return committed(intake, batch)


def ticked(intake: Intake, clock: ManualClock, after_s: int) -> list[bool]:
    clock.advance(after_s)
    batch = Batch()
    intake.close_due(batch)
    return committed(intake, batch)


def committed(intake: Intake, batch: Batch) -> list[bool]:
    intake.committed(intake.finish(batch))
    return [state.occupied for message in batch.outgoing if isinstance(message, Space) for state in message.states]


@pytest.mark.parametrize(
    ("model", "reason"), [("benewake-tfmini-plus", "options.debounce_s"), ("hlk-ld2450", "tells no presence")]
)
def test_a_raw_sensor_has_no_second_setting_of_that_name(model: str, reason: str) -> None:
    (refused,) = refused_devices((DeviceSettings(address="raw", model=model, debounce_s=5),))
    assert "debounce_s: " in refused.reason
    assert reason in refused.reason


@pytest.mark.parametrize("model", ["bthome-v2", "hlk-ld2410", "bosch-tps110", "nwave-nps405"])
def test_every_sensor_that_tells_presence_itself_has_it(model: str) -> None:
    assert refused_devices((DeviceSettings(address="d", model=model, debounce_s=5),)) == []
