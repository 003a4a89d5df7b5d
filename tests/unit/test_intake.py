"""From what arrived to what one commit holds: repeats, rubbish, strangers, and the time that is not known yet."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from edge.drivers.links.base import Report, Stranger
from edge.entries import Waiting
from edge.intake import Batch, Intake
from edge.messages import DeviceSettings, Epoch, Flag, Flow, FlowInterval, HealthReport, Space, TimeSource
from edge.readings import DeviceAddress, Frame, Health
from firmware_sim.encoders import hlk_ld2450, milesight, parametric_pcr2
from tests.clocks import ManualClock

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
COUNTER = DeviceAddress("0004a30b00000001")
BAY = DeviceAddress("0004a30b00000002")
RADAR = DeviceAddress("radar-1")
DEVICES = (
    DeviceSettings(address=COUNTER, model="parametric-pcr2"),
    DeviceSettings(address=BAY, model="bosch-tps110"),
    DeviceSettings(address=RADAR, model="hlk-ld2450"),
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def intake_with(clock: ManualClock, *devices: DeviceSettings) -> Intake:
    intake = Intake("mairie", Epoch("0" * 16), clock, 300, {})
    intake.adopt(devices or DEVICES)
    intake.release(Batch(), [])
    return intake


def counts(number: int, total: int, at: datetime | None = None, heard_ms: int = 0) -> Frame:
    payload = parametric_pcr2.counts_v4(0, 0, total, 0, 0, 0, 20.0)
    return Frame(device=COUNTER, payload=payload, port=14, counter=number, network_time=at, heard_ms=heard_ms)


def presence(number: int, payload: bytes, port: int = 1) -> Frame:
    return Frame(device=BAY, payload=payload, port=port, counter=number, network_time=START)


def settle(intake: Intake, batch: Batch) -> Batch:
    intake.committed(intake.finish(batch))
    return batch


def flows_of(batch: Batch, *, since: datetime = START) -> list[FlowInterval]:
    flows = [interval for message in batch.outgoing if isinstance(message, Flow) for interval in message.intervals]
    return [interval for interval in flows if interval.start >= since]


def spaces_of(batch: Batch) -> list[bool]:
    return [state.occupied for message in batch.outgoing if isinstance(message, Space) for state in message.states]


def test_a_repeat_changes_nothing(clock: ManualClock) -> None:
    intake = intake_with(clock)
    batch = Batch()
    for number in (0, 1, 1, 1):
        intake.take(batch, "net", counts(number, 10 * number, START + timedelta(minutes=10 * (number - 1))))
    assert sum(flow.in_ for flow in flows_of(settle(intake, batch), since=START - timedelta(hours=1))) == 10
    assert intake.counters["duplicates"] == 2


def test_a_batch_that_was_not_committed_is_not_in_force(clock: ManualClock) -> None:
    intake = intake_with(clock)
    intake.take(Batch(), "net", counts(1, 0, START))
    assert intake.last_counter(COUNTER) is None


def test_rubbish_is_refused_by_name_and_disturbs_nobody(clock: ManualClock) -> None:
    intake = intake_with(clock)
    batch = Batch()
    refused = intake.take(batch, "net", presence(1, b"\x01\x02\x03"))
    assert refused is not None
    assert (refused.name, refused.device, refused.data) == ("decode-error", BAY, b"\x01\x02\x03")
    assert "bosch-tps110 port 1, byte 1" in refused.reason
    assert intake.take(batch, "net", presence(2, b"\x01")) is None
    assert spaces_of(batch) == [True]


def test_inverted_presence_is_turned_round(clock: ManualClock) -> None:
    intake = intake_with(clock, DeviceSettings(address=BAY, model="bosch-tps110", invert_presence=True))
    batch = Batch()
    intake.take(batch, "net", presence(1, b"\x01"))
    assert spaces_of(batch) == [False]


def test_ignored_channels_are_left_out_and_the_rest_is_heard(clock: ManualClock) -> None:
    intake = intake_with(clock, DeviceSettings(address=BAY, model="bosch-tps110", ignored_channels=("1",)))
    batch = Batch()
    intake.take(batch, "net", presence(1, b"\x01\x15", port=2))
    assert spaces_of(batch) == []
    assert [message.health.temperature_c for message in batch.outgoing if isinstance(message, HealthReport)] == [21]


def test_an_ignored_line_counts_nobody(clock: ManualClock) -> None:
    intake = intake_with(clock, DeviceSettings(address=COUNTER, model="parametric-pcr2", ignored_channels=("line1",)))
    batch = Batch()
    for number in (1, 2):
        intake.take(batch, "net", counts(number, 100 * number, START + timedelta(minutes=10 * number)))
    clock.advance(3600)
    intake.close_due(batch)
    assert flows_of(intake.finish(batch)) == []


def test_history_from_before_the_clock_was_set_is_refused_by_name_and_the_present_is_counted(
    clock: ManualClock,
) -> None:
    intake = intake_with(clock, DeviceSettings(address=COUNTER, model="milesight-vs350"))
    batch = Batch()
    payload = milesight.passage_history(86_400, 5, 5, 5, 5) + bytes.fromhex("04cc12001600")
    frame = Frame(device=COUNTER, payload=payload, port=85, counter=1, network_time=START)
    refused = intake.take(batch, "net", frame)
    assert refused is not None
    assert (refused.name, refused.data, refused.device) == ("clock-not-set", payload, COUNTER)
    assert "dated 1970-01-02" in refused.reason
    later = structs.replace(
        frame, payload=bytes.fromhex("04cc14001600"), counter=2, network_time=START + timedelta(minutes=10)
    )
    assert intake.take(batch, "net", later) is None
    clock.advance(3600)
    intake.close_due(batch)
    assert sum(interval.in_ for interval in flows_of(intake.finish(batch))) == 2
    assert flows_of(batch, since=datetime(1970, 1, 1, tzinfo=UTC)) == flows_of(batch)


@pytest.mark.parametrize("trusted", [True, False])
def test_history_from_days_to_come_is_refused_by_name_and_the_present_is_counted(*, trusted: bool) -> None:
    clock = ManualClock(START, trusted=trusted)
    intake = intake_with(clock, DeviceSettings(address=COUNTER, model="milesight-vs350"))
    batch = Batch()
    next_year = milesight.passage_history(int((START + timedelta(days=365)).timestamp()), 5, 5, 5, 5)
    refused = []
    for number, payload in enumerate([bytes.fromhex("04cc12001600") + next_year, bytes.fromhex("04cc14001600")]):
        at = START + number * timedelta(minutes=10)
        frame = Frame(device=COUNTER, payload=payload, port=85, counter=number, network_time=at)
        refused.append(intake.take(batch, "net", structs.replace(frame, heard_ms=clock.monotonic_ms())))
        clock.advance(600)
    assert [each and each.name for each in refused] == ["clock-ahead", None]
    assert "dated 2027-11-22, more than a day ahead" in (refused[0].reason if refused[0] else "")
    (channel,) = batch.states[COUNTER].channels.values()
    assert (channel.open, channel.measured_until_s) == ({}, (START + timedelta(minutes=10)).timestamp())
    assert sum(interval.in_ for interval in flows_of(intake.finish(batch))) == 2


@pytest.mark.parametrize(
    ("model", "stamp", "counts"),
    [("milesight-vs350", bytes.fromhex("0aef"), "04cc12001600"), ("bthome-v2", bytes.fromhex("4050"), "3d12003d1600")],
)
def test_a_stamp_from_days_to_come_falls_away_with_a_note_and_what_it_dated_is_counted(
    clock: ManualClock, model: str, stamp: bytes, counts: str
) -> None:
    intake = intake_with(clock, DeviceSettings(address=COUNTER, model=model))
    batch = Batch()
    next_year = int((START + timedelta(days=365)).timestamp()).to_bytes(4, "little")
    frame = Frame(device=COUNTER, payload=stamp + next_year + bytes.fromhex(counts), port=85, network_time=START)
    assert intake.take(batch, "net", frame) is None
    state = batch.states[COUNTER]
    (channel,) = state.channels.values()
    assert channel.total is not None
    assert (channel.total.in_, channel.total.at_s) == (0x12, START.timestamp())
    assert state.health is not None
    assert "clock ahead: 2027-11-22 left out" in (state.health.note or "")


def test_what_the_start_up_frame_tells_serves_later_frames(clock: ManualClock) -> None:
    intake = intake_with(clock)
    batch = Batch()
    start_up, debug = bytes.fromhex("0a000000970320cd002100000027020300"), bytes.fromhex("d0000000970b20c90023")
    intake.take(batch, "net", presence(1, start_up, port=3))
    intake.take(batch, "net", presence(2, debug, port=6))
    reports = [message.health for message in batch.outgoing if isinstance(message, HealthReport)]
    assert reports[-1].firmware == "0.39.2"
    assert "201" in repr(reports[-1])


def test_strangers_are_told_once_a_minute_with_their_number_of_frames(clock: ManualClock) -> None:
    intake = intake_with(clock)
    stranger = DeviceAddress("ffff000000000001")
    for _ in range(3):
        intake.take(Batch(), "net", Frame(device=stranger, payload=b"x", port=1, rssi_dbm=-90))
    (told,) = intake.strangers()
    assert (told.device, told.frames, told.rssi_dbm) == (stranger, 3, -90)
    intake.take(Batch(), "ble", Stranger(device=stranger, hint="needs a key"))
    assert intake.strangers() == ()
    clock.advance(60)
    assert [device.hint for device in intake.strangers()] == ["needs a key"]


def test_what_comes_before_the_time_is_known_waits_and_is_dated_afterwards() -> None:
    clock = ManualClock(START, trusted=False)
    intake = intake_with(clock)
    batch = Batch()
    for number in (0, 1):
        intake.take(batch, "modem", counts(number, 8 * number, heard_ms=number * 600_000))
    clock.advance(600)
    assert (batch.outgoing, len(batch.waiting)) == ([], 2)
    settle(intake, batch)
    clock.trusted = True
    assert intake.can_release
    dated = Batch()
    intake.release(dated, batch.waiting)
    facts = flows_of(settle(intake, dated))
    assert [(fact.start, fact.in_) for fact in facts] == [(START, 4), (START + timedelta(seconds=300), 4)]
    assert all(fact.source is TimeSource.GATEWAY for fact in facts)


def test_while_there_is_more_that_waited_what_arrives_waits_behind_it() -> None:
    clock = ManualClock(START)
    intake = intake_with(clock)
    before, first, second = Batch(), Batch(), Batch()
    untrusted = intake_with(ManualClock(START, trusted=False))
    for number in (0, 1):
        untrusted.take(before, "modem", counts(number, 8 * number, heard_ms=number))
    intake.release(first, before.waiting[:1], more=True)
    intake.take(first, "modem", counts(2, 24, heard_ms=2))
    assert (len(first.waiting), intake.can_release) == (1, True)
    settle(intake, first)
    intake.release(second, [*before.waiting[1:], *first.waiting])
    clock.advance(3600)
    intake.close_due(second)
    assert not intake.can_release
    assert sum(fact.in_ for fact in flows_of(settle(intake, second))) == 24


def test_what_waited_over_a_power_cut_is_dated_at_this_boot_and_says_so() -> None:
    clock = ManualClock(START)
    before = Batch()
    untrusted = intake_with(ManualClock(START, trusted=False))
    for number in (0, 1):
        untrusted.take(before, "modem", counts(number, 8 * number, heard_ms=number))
    lost = [Waiting("an earlier boot", item.heard_ms, item.device, item.body) for item in before.waiting]
    batch = Batch()
    intake = intake_with(clock)
    intake.release(batch, lost)
    clock.advance(3600)
    intake.close_due(batch)
    facts = flows_of(settle(intake, batch))
    assert sum(fact.in_ for fact in facts) == 8
    assert all(Flag.CLOCK in fact.flags for fact in facts)


def test_what_waited_and_cannot_be_read_is_counted_and_what_waited_beside_it_too(clock: ManualClock) -> None:
    before, batch = Batch(), Batch()
    untrusted = intake_with(ManualClock(START, trusted=False))
    for number in (0, 1):
        untrusted.take(before, "modem", counts(number, 8 * number, heard_ms=number * 600_000))
    intake = intake_with(clock)
    clock.advance(600)
    intake.release(batch, [before.waiting[0], structs.replace(before.waiting[0], body=b"\xc1"), before.waiting[1]])
    assert sum(fact.in_ for fact in flows_of(settle(intake, batch))) == 8
    assert (intake.counters["waiting_unreadable"], len(batch.waited)) == (1, 3)


def test_nothing_overtakes_what_waits_for_the_time() -> None:
    clock = ManualClock(START, trusted=False)
    intake = intake_with(clock)
    batch = Batch()
    intake.take(batch, "modem", counts(0, 0))
    clock.trusted = True
    intake.take(batch, "modem", counts(1, 5, heard_ms=1000))
    assert [item.heard_ms for item in batch.waiting] == [0, 1000]


def test_a_step_of_the_clock_is_flagged_in_what_was_counted_across_it(clock: ManualClock) -> None:
    intake = intake_with(clock)
    batch = Batch()
    intake.take(batch, "modem", counts(0, 0, heard_ms=0))
    clock.step(7200)
    clock.advance(600)
    intake.take(batch, "modem", counts(1, 6, heard_ms=600_000))
    intake.close_due(batch)
    facts = flows_of(settle(intake, batch))
    assert sum(fact.in_ for fact in facts) == 6
    assert all(Flag.CLOCK in fact.flags for fact in facts)
    assert intake.counters["clock_steps"] == 1


def test_a_step_of_the_clock_is_flagged_once_for_each_device_however_late_it_reports(clock: ManualClock) -> None:
    other = DeviceSettings(address=DeviceAddress("0004a30b00000009"), model="parametric-pcr2")
    intake = intake_with(clock, *DEVICES, other)
    batch = Batch()
    flagged: dict[tuple[str, int], bool] = {}
    for number in range(5):
        for device in (COUNTER, other.address):
            clock.advance(300)
            frame = structs.replace(counts(number, 6 * number, heard_ms=clock.monotonic_ms()), device=device)
            intake.take(batch, "modem", frame)
            intake.close_due(batch)
            found = flows_of(settle(intake, batch))
            flagged[device, number] = any(Flag.CLOCK in fact.flags for fact in found if fact.device == device)
            batch = Batch()
        if number == 2:
            clock.step(7200)
    assert [key for key, is_flagged in flagged.items() if is_flagged] == [(COUNTER, 3), (other.address, 3)]


def test_a_step_of_the_clock_is_flagged_for_a_device_that_was_last_heard_before_a_restart(
    clock: ManualClock,
) -> None:
    intake = intake_with(clock)
    before, after = Batch(), Batch()
    intake.take(before, "modem", counts(0, 0, heard_ms=0))
    settle(intake, before)
    restarted = Intake("mairie", Epoch("0" * 16), clock, 300, intake._states)
    restarted.adopt(DEVICES)
    restarted.release(Batch(), [])
    clock.step(3600)
    clock.advance(600)
    restarted.take(after, "modem", counts(1, 6, heard_ms=600_000))
    restarted.close_due(after)
    facts = flows_of(settle(restarted, after))
    assert sum(fact.in_ for fact in facts) == 6
    assert all(Flag.CLOCK in fact.flags for fact in facts)


def test_a_network_time_in_the_future_is_not_believed(clock: ManualClock) -> None:
    intake = intake_with(clock)
    batch = Batch()
    intake.take(batch, "net", presence(1, b"\x01"))
    future = Frame(device=BAY, payload=b"\x00", port=1, counter=2, network_time=START + timedelta(days=3))
    intake.take(batch, "net", future)
    last = [message.states[0] for message in batch.outgoing if isinstance(message, Space)][-1]
    assert (last.at.replace(microsecond=0), last.source) == (START, TimeSource.GATEWAY)


def test_a_network_server_whose_clock_was_never_set_dates_nothing(clock: ManualClock) -> None:
    intake = intake_with(clock)
    batch = Batch()
    intake.take(batch, "net", structs.replace(presence(1, b"\x01"), network_time=datetime(1970, 1, 1, 1, tzinfo=UTC)))
    (space,) = [message.states[0] for message in batch.outgoing if isinstance(message, Space)]
    assert (space.at, space.source) == (START, TimeSource.GATEWAY)


def test_a_silent_radar_covers_no_time(clock: ManualClock) -> None:
    intake = intake_with(clock)
    batch = Batch()
    empty = hlk_ld2450.report([])
    for second in range(0, 121, 10):
        clock.advance(10 if second else 0)
        intake.take(batch, "wire", Frame(device=RADAR, payload=empty, heard_ms=clock.monotonic_ms()))
    clock.advance(100)
    silent = Report(device=RADAR, readings=(Health(fault="silent"),), heard_ms=clock.monotonic_ms())
    intake.take(batch, "wire", silent)
    clock.advance(600)
    intake.close_due(batch)
    assert [(flow.in_, flow.out, flow.covered_s) for flow in flows_of(settle(intake, batch))] == [(0, 0, 120)]
