"""What one device's frames become: its health told when it is news, its spaces, its counts under its own name."""

from datetime import UTC, datetime

from msgspec.structs import replace

from edge.aggregator.admission import Admission
from edge.aggregator.counting import Moment
from edge.aggregator.device import HEALTH_EVERY_S, DeviceState, Fact, Identity, Observation, close_due, observe
from edge.messages import DeviceHealth, Flag, FlowInterval, SpaceState, TimeSource
from edge.readings import AnyReading, Delta, Event, Health, Presence, Total

START = int(datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp())
PERIOD_S = 600
IDENTITY = Identity(device="d1", model="nwave-nps405")


def instant(at_s: int) -> datetime:
    return datetime.fromtimestamp(START + at_s, UTC)


def observation(at_s: int, *readings: AnyReading, in_order: bool = True) -> Observation:
    moment = Moment(START + at_s, TimeSource.NETWORK, PERIOD_S, 300, in_order=in_order)
    return Observation(readings=readings, moment=moment, rssi_dbm=-97.0, snr_db=7.5)


def after(*observations: Observation, identity: Identity = IDENTITY) -> tuple[DeviceState, list[Fact]]:
    """The state after these observations, and the facts of the last."""
    state, facts = DeviceState(), list[Fact]()
    for each in observations:
        state, facts = observe(state, identity, each)
    return state, facts


def health_of(facts: list[Fact]) -> list[DeviceHealth]:
    return [fact for fact in facts if isinstance(fact, DeviceHealth)]


def spaces_of(facts: list[Fact]) -> list[SpaceState]:
    return [fact for fact in facts if isinstance(fact, SpaceState)]


def test_health_says_who_when_how_heard_and_what_was_lost() -> None:
    state = DeviceState(admission=Admission(session="a", counter=9, lost=3))
    _, facts = observe(state, IDENTITY, observation(0, Health(battery_v=3.6)))
    assert facts == [
        DeviceHealth(
            device="d1",
            model="nwave-nps405",
            at=instant(0),
            period_s=PERIOD_S,
            battery_v=3.6,
            rssi_dbm=-97.0,
            snr_db=7.5,
            lost_frames=3,
            source=TimeSource.NETWORK,
        )
    ]


def test_unchanged_health_is_told_again_only_when_its_time_has_come() -> None:
    told = observation(0, Health(battery_v=3.6))
    assert health_of(after(told, observation(HEALTH_EVERY_S - 1, Health(battery_v=3.5)))[1]) == []
    _, facts = after(told, observation(HEALTH_EVERY_S, Health(battery_v=3.5)))
    assert [health.battery_v for health in health_of(facts)] == [3.5]


def test_health_of_a_device_that_seldom_reports_is_told_with_each_report() -> None:
    def daily(at_s: int) -> Observation:
        each = observation(at_s, Health(battery_v=3.6))
        return replace(each, moment=replace(each.moment, period_s=86_400))

    assert health_of(after(daily(0), daily(86_399))[1]) == []
    assert len(health_of(after(daily(0), daily(86_400))[1])) == 1


def test_a_fault_is_told_at_once_and_so_is_its_end() -> None:
    faulty = observation(10, Health(fault="covered"))
    assert [health.fault for health in health_of(after(observation(0, Health()), faulty)[1])] == ["covered"]
    _, facts = after(observation(0, Health()), faulty, observation(20, Health()))
    assert [health.fault for health in health_of(facts)] == [None]


def test_what_a_frame_does_not_say_is_remembered() -> None:
    state, _ = after(observation(0, Health(battery_v=3.6, firmware="1.2")), observation(10, Health(temperature_c=9.5)))
    assert state.health is not None
    assert (state.health.battery_v, state.health.temperature_c, state.health.firmware) == (3.6, 9.5, "1.2")


def test_an_older_frame_says_nothing_of_health_now() -> None:
    state, facts = after(observation(60, Health(battery_v=3.6)), observation(0, Health(fault="old"), in_order=False))
    assert facts == []
    assert state.health is not None
    assert state.health.at == instant(60)


def test_a_space_changes_once_and_remembers_since_when() -> None:
    free = observation(0, Presence(channel="1", occupied=False))
    occupied = observation(300, Presence(channel="1", occupied=True))
    _, facts = after(free, occupied, observation(600, Presence(channel="1", occupied=True)))
    assert spaces_of(facts) == [
        SpaceState(
            device="d1",
            channel="1",
            occupied=True,
            at=instant(600),
            since=instant(300),
            source=TimeSource.NETWORK,
        )
    ]


def test_of_two_spaces_only_the_one_that_spoke_is_told() -> None:
    both = observation(0, Presence(channel="1", occupied=False), Presence(channel="2", occupied=False))
    _, facts = after(both, observation(60, Presence(channel="2", occupied=True)))
    assert [space.channel for space in spaces_of(facts)] == ["2"]


def test_an_older_frame_changes_no_space() -> None:
    now = observation(60, Presence(channel="1", occupied=True))
    state, facts = after(now, observation(0, Presence(channel="1", occupied=False), in_order=False))
    assert spaces_of(facts) == []
    assert state.spaces["1"].occupied


def closed(*observations: Observation, identity: Identity = IDENTITY) -> list[FlowInterval]:
    """Every part that these give, the open intervals closed at the end of time."""
    state, facts = DeviceState(), list[FlowInterval]()
    for each in observations:
        state, more = observe(state, identity, each)
        facts.extend(fact for fact in more if isinstance(fact, FlowInterval))
    return facts + close_due(state, identity.device, now_s=START * 2, period_s=PERIOD_S, seconds=300)[1]


def test_a_part_carries_its_device_channel_mode_and_source() -> None:
    total = Total(channel="line1", mode="pedestrian", in_=0, out=0, bits=16)
    facts = closed(observation(0, total), observation(300, replace(total, in_=3, out=5)))
    assert facts == [
        FlowInterval(
            device="d1",
            channel="line1",
            mode="pedestrian",
            start=instant(0),
            seconds=300,
            part=0,
            in_=3,
            out=5,
            covered_s=300,
            flags=(),
            source=TimeSource.NETWORK,
        )
    ]


def test_a_channel_without_mode_has_an_empty_one() -> None:
    total = Total(channel="1", in_=0, bits=32)
    facts = closed(observation(0, total), observation(300, replace(total, in_=3)))
    assert [(fact.channel, fact.mode, fact.in_, fact.out) for fact in facts] == [("1", "", 3, None)]


def test_a_running_period_beside_a_total_checks_nothing() -> None:
    total = Total(channel="line1", in_=0, out=0, bits=16)
    running = Delta(channel="line1", in_=1, out=1, running=True)
    facts = closed(observation(0, total), observation(300, replace(total, in_=3, out=5), running))
    assert [fact.flags for fact in facts] == [()]


def test_after_one_restart_only_the_first_total_began_at_zero() -> None:
    def total(value: int) -> Total:
        return Total(channel="line1", in_=value, bits=16)

    facts = closed(
        observation(0, total(1_000)),
        observation(60, Health(reset="power_on")),
        observation(300, total(12)),
        observation(600, total(5)),
    )
    assert sum(fact.in_ for fact in facts) == 12


def test_a_passage_measures_no_time_and_a_link_that_speaks_for_a_device_neither() -> None:
    radar = Identity(device="r", model="hlk-ld2450", watches=(("line1", "pedestrian"),))
    entering = Event(channel="line1", mode="pedestrian", direction="in")
    told_by_link = replace(observation(120), alive=False)
    facts = closed(observation(0), observation(60, entering), told_by_link, identity=radar)
    assert [(fact.in_, fact.out, fact.covered_s) for fact in facts] == [(1, 0, 60)]


def test_passages_alone_measure_no_time() -> None:
    entering = Event(channel="line1", mode="pedestrian", direction="in", at=instant(310))
    facts = closed(observation(900, entering))
    assert [(fact.start, fact.in_, fact.out, fact.covered_s, fact.source) for fact in facts] == [
        (instant(300), 1, 0, 0, TimeSource.NETWORK)
    ]


def test_a_beam_that_cannot_tell_directions_says_nothing_of_the_other() -> None:
    beam = Identity(device="b", model="benewake-tf-luna", watches=(("line1", "pedestrian"),), one_way=True)
    passing = Event(channel="line1", mode="pedestrian", direction="in")
    facts = closed(observation(0), observation(60, passing), identity=beam)
    assert [(fact.in_, fact.out, fact.covered_s) for fact in facts] == [(1, None, 60)]


def test_an_interval_waits_for_a_report_that_is_half_a_period_late_and_a_minute() -> None:
    passing = Event(channel="line1", mode="pedestrian", direction="in")
    state, _ = after(observation(0, passing))
    due_s = START + 300 + PERIOD_S * 3 // 2 + 60
    assert close_due(state, "d1", now_s=due_s - 1, period_s=PERIOD_S, seconds=300) == (state, [])
    assert len(close_due(state, "d1", now_s=due_s, period_s=PERIOD_S, seconds=300)[1]) == 1


def test_history_is_not_checked_by_the_delta_of_the_present() -> None:
    total = Total(channel="line1", in_=0, out=0, bits=16)
    history = replace(total, in_=3, out=3, at=instant(300))
    facts = closed(observation(0, total), observation(600, history, Delta(channel="line1", in_=9, out=9)))
    assert [fact.flags for fact in facts] == [()]


def test_watching_carries_source_and_flags_and_a_second_word_in_the_same_second_adds_nothing() -> None:
    radar = Identity(device="r", model="hlk-ld2450", watches=(("line1", "pedestrian"),))
    entering = Event(channel="line1", mode="pedestrian", direction="in")

    def stepped(at_s: int, *readings: AnyReading) -> Observation:
        each = observation(at_s, *readings)
        return replace(each, moment=replace(each.moment, flags=(Flag.CLOCK,)))

    facts = closed(stepped(10), stepped(200), stepped(300), stepped(300), identity=radar)
    assert [(fact.start, fact.covered_s, fact.flags, fact.source) for fact in facts] == [
        (instant(0), 290, (Flag.CLOCK,), TimeSource.NETWORK)
    ]
    assert [fact.flags for fact in closed(stepped(10, entering))] == [(Flag.CLOCK,)]


def test_watching_is_broken_by_a_silence_of_more_than_a_period_and_a_half() -> None:
    radar = Identity(device="r", model="hlk-ld2450", watches=(("line1", "pedestrian"),))
    assert sum(fact.covered_s for fact in closed(observation(0), observation(900), identity=radar)) == 900
    assert sum(fact.covered_s for fact in closed(observation(0), observation(901), identity=radar)) == 0
