"""The aggregator under everything the air, the clock and a power cut can do to it: every sum stays exact.

Two sensors count the same people, one in totals, one in its periods only. Frames are lost, repeated, overtaken; the
clock is set forth and back; the gateway is killed between two commits, and given intervals of another length.
"""

from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.aggregator.device import DeviceState
from edge.intake import Batch, Intake
from edge.messages import DeviceSettings, Epoch, Flag, Flow, FlowInterval
from edge.readings import DeviceAddress, Frame
from firmware_sim.encoders import parametric_pcr2
from tests.clocks import ManualClock

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
TOTALS, PERIODS = DeviceAddress("0004a30b00000001"), DeviceAddress("0004a30b00000003")
DEVICES = [DeviceSettings(address=address, model="parametric-pcr2") for address in (TOTALS, PERIODS)]
MOST_IN_THE_AIR = 12
"""Fewer than are remembered to tell repeats by."""


class Counting(RuleBasedStateMachine):
    """Sensors, the air, a clock and a gateway that remembers what it committed."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(START)
        self.states: dict[str, DeviceState] = {}
        self.facts: list[FlowInterval] = []
        self.air: list[Frame] = []
        self.passed = self.since_report = self.reports = 0
        self.first_total: int | None = None
        self.periods_heard: dict[int, int] = {}
        self.said: dict[int, tuple[int, int]] = {}
        self.interval_s = 300
        self.start_gateway()

    def start_gateway(self) -> None:
        self.intake = Intake("mairie", Epoch("0" * 16), self.clock, self.interval_s, self.states)
        self.intake.adopt(DEVICES)
        self.intake.release(Batch(), [])

    @rule(people=st.integers(1, 40))
    def people_pass(self, people: int) -> None:
        self.passed += people
        self.since_report += people

    @precondition(lambda self: len(self.air) < MOST_IN_THE_AIR)
    @rule(pause_s=st.sampled_from([0, 1, 600, 600, 600, 4_000]))
    def both_report(self, pause_s: int) -> None:
        self.clock.advance(pause_s)
        number, self.reports = self.reports, self.reports + 1
        self.said[number] = (self.passed, self.since_report)
        heard_ms = self.clock.monotonic_ms()
        total = parametric_pcr2.counts_v4(self.since_report, 0, self.passed % 65_536, 0, 0, 0, 20.0)
        period = parametric_pcr2.counts_elsys(self.since_report, 0, 20.0)
        self.since_report = 0
        for device, payload in ((TOTALS, total), (PERIODS, period)):
            self.air.append(Frame(device=device, payload=payload, port=14, counter=number, heard_ms=heard_ms))

    @precondition(lambda self: self.air)
    @rule(data=st.data(), again=st.booleans())
    def one_arrives(self, data: st.DataObject, again: bool) -> None:
        index = data.draw(st.integers(0, len(self.air) - 1))
        frame = self.air[index] if again else self.air.pop(index)
        self.hear(frame)

    @precondition(lambda self: self.air)
    @rule()
    def all_arrive_in_order(self) -> None:
        while self.air:
            self.hear(self.air.pop(0))

    @precondition(lambda self: self.air)
    @rule(data=st.data())
    def one_is_lost(self, data: st.DataObject) -> None:
        self.air.pop(data.draw(st.integers(0, len(self.air) - 1)))

    @rule(hours=st.sampled_from([-7, -2, 2, 7]))
    def the_clock_is_set(self, hours: int) -> None:
        self.clock.step(hours * 3600)

    @rule()
    def intervals_close(self) -> None:
        batch = Batch()
        self.intake.close_due(batch)
        self.commit(batch)

    @rule(data=st.data())
    def the_gateway_is_killed(self, data: st.DataObject) -> None:
        if self.air:
            self.intake.take(Batch(), "air", data.draw(st.sampled_from(self.air)))
        self.start_gateway()

    @rule(interval_s=st.sampled_from([60, 300, 900]))
    def the_gateway_is_started_anew_with_intervals_of_another_length(self, interval_s: int) -> None:
        self.interval_s = interval_s
        self.start_gateway()

    def hear(self, frame: Frame) -> None:
        batch = Batch()
        assert self.intake.take(batch, "air", frame) is None
        self.commit(batch)
        passed, since_report = self.said[frame.counter or 0]
        if frame.device == PERIODS:
            self.periods_heard[frame.counter or 0] = since_report
        elif self.first_total is None:
            self.first_total = passed - since_report

    def commit(self, batch: Batch) -> None:
        self.intake.finish(batch)
        self.intake.committed(batch)
        self.states.update(batch.states)
        for message in batch.outgoing:
            if isinstance(message, Flow):
                self.facts += message.intervals

    def counted(self, device: DeviceAddress) -> int:
        return sum(fact.in_ for fact in self.facts if fact.device == device)

    @invariant()
    def no_two_facts_share_a_key(self) -> None:
        assert len({(fact.device, fact.start, fact.part) for fact in self.facts}) == len(self.facts)

    @invariant()
    def a_further_part_says_that_it_came_late(self) -> None:
        assert all((Flag.LATE in fact.flags) == (fact.part > 0) for fact in self.facts)

    @invariant()
    def every_interval_is_as_long_as_what_it_measured(self) -> None:
        assert all(fact.covered_s <= fact.seconds for fact in self.facts)
        assert all(fact.start.timestamp() % fact.seconds == 0 for fact in self.facts)

    def teardown(self) -> None:
        while self.air:
            self.air.pop()
        self.both_report(600)
        self.all_arrive_in_order()
        self.clock.advance(40 * 86_400)
        self.intervals_close()
        assert self.counted(TOTALS) == self.passed - (self.first_total or 0)
        assert self.counted(PERIODS) == sum(self.periods_heard.values())


Counting.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCounting = Counting.TestCase
