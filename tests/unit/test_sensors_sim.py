"""The town's sensors: bytes that say the truth, counters without gaps, the same whenever one asks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drivers.devices import catalogue
from edge.readings import AnyReading, Delta, DeviceAddress, Frame, Knowledge, Presence, Total
from firmware_sim.history import last_days
from firmware_sim.saint_aubin import saint_aubin
from firmware_sim.sensors import ALL_LINKS, Span, Uplink, latest, uplinks
from firmware_sim.town import Counter, Device, Link, ParkingZone

TOWN = saint_aubin(5)
SENSORS = ALL_LINKS - {Link.SERIAL}
"""All but the radar, whose ten frames a second have tests of their own."""
NOON = datetime(2026, 10, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def sent(start: datetime, end: datetime, device: Device | None = None) -> list[Uplink]:
    links = SENSORS if device is None else frozenset({device.link})
    return [uplink for uplink in uplinks(Span(TOWN, start, end), links) if device in (None, uplink.device)]


def decoded(uplink: Uplink) -> list[AnyReading]:
    address = DeviceAddress(uplink.device.address)
    frame = Frame(device=address, payload=uplink.payload, port=uplink.port, counter=uplink.counter)
    return catalogue()[uplink.device.model].decode(frame, Knowledge(key=uplink.device.key))


def totals(heard: Sequence[Uplink]) -> list[Total]:
    return [reading for uplink in heard for reading in decoded(uplink) if isinstance(reading, Total)]


@pytest.mark.parametrize("counter", [each for each in TOWN.counters if each.device.link in SENSORS], ids=lambda c: c.id)
def test_totals_of_a_counter_are_the_truth(counter: Counter) -> None:
    for uplink in sent(NOON, NOON + HOUR, counter.device):
        (total,) = totals([uplink])
        truth = counter.walkers.totals_at(uplink.at + timedelta(milliseconds=1))
        assert (total.in_, total.out) == (truth.in_ % 2**total.bits, truth.out % 2**total.bits)


def test_a_radar_counters_period_counts_sum_to_the_hour() -> None:
    counter = TOWN.counter("rue-de-la-republique")
    reports = sent(NOON + timedelta(seconds=1), NOON + HOUR + timedelta(seconds=1), counter.device)
    deltas = [reading for uplink in reports for reading in decoded(uplink) if isinstance(reading, Delta)]
    assert (sum(delta.in_ for delta in deltas), sum(delta.out or 0 for delta in deltas)) == TOWN.truth_hour(
        counter.id, NOON
    )


@pytest.mark.parametrize("zone", TOWN.parking, ids=lambda zone: zone.id)
def test_every_message_of_a_bay_says_what_is_true_at_that_moment(zone: ParkingZone) -> None:
    bays = {bay.device: bay for bay in zone.bays}
    heard = [uplink for uplink in sent(NOON, NOON + 6 * HOUR) if uplink.device in bays]
    for uplink in heard:
        (presence,) = (reading for reading in decoded(uplink) if isinstance(reading, Presence))
        assert presence.occupied is bays[uplink.device].drivers.occupied(uplink.at)
    assert {uplink.device for uplink in heard} == set(bays)


def test_every_change_of_a_bay_is_told_at_its_moment() -> None:
    heard = {(uplink.device, uplink.at) for uplink in sent(NOON, NOON + 12 * HOUR)}
    for bay in TOWN.bays():
        for change in bay.drivers.changes_between(NOON, NOON + 12 * HOUR):
            assert (bay.device, change.at) in heard


def test_frame_counters_grow_by_one() -> None:
    by_device: dict[Device, list[int]] = {}
    for uplink in sent(NOON, NOON + 3 * HOUR):
        assert uplink.counter is not None
        by_device.setdefault(uplink.device, []).append(uplink.counter)
    assert len(by_device) == len(list(TOWN.devices())) - 1
    assert all(later == earlier + 1 for counters in by_device.values() for earlier, later in pairwise(counters))


@given(cut_s=st.integers(0, 3_600))
@settings(max_examples=10)
def test_what_is_sent_does_not_depend_on_where_one_begins_to_listen(cut_s: int) -> None:
    cut = NOON + timedelta(seconds=cut_s)
    assert sent(NOON, cut) + sent(cut, NOON + HOUR) == of_an_hour()


@cache
def of_an_hour() -> list[Uplink]:
    return sent(NOON, NOON + HOUR)


def test_uplinks_come_in_order_of_time() -> None:
    times = [uplink.at for uplink in sent(NOON, NOON + 2 * HOUR)]
    assert times == sorted(times)


def test_the_latest_messages_tell_the_present_of_every_sensor() -> None:
    words = latest(TOWN, NOON)
    assert {uplink.device for uplink in words} == set(TOWN.devices())
    assert all(uplink.at < NOON for uplink in words)
    occupied = {bay.device: bay.drivers.occupied(NOON - timedelta(microseconds=1)) for bay in TOWN.bays()}
    said = {
        uplink.device: reading.occupied
        for uplink in words
        for reading in decoded(uplink)
        if isinstance(reading, Presence)
    }
    assert said == occupied


def test_counters_begin_at_zero_when_the_town_opens() -> None:
    first: dict[str, int | None] = {}
    for uplink in sent(TOWN.opened - HOUR, TOWN.opened + HOUR):
        first.setdefault(uplink.device.address, uplink.counter)
    assert set(first.values()) == {0}


def test_lora_counters_stay_within_what_a_listener_without_memory_can_guess() -> None:
    for uplink in latest(TOWN, TOWN.opened + timedelta(days=3 * 365), frozenset({Link.LORA})):
        assert uplink.counter is not None
        assert uplink.counter < 1 << 16


def test_history_begins_with_the_words_before_it_and_ends_now() -> None:
    history = last_days(TOWN, 1, NOON + timedelta(minutes=7))
    heard = list(history)
    assert history.start == NOON - 24 * HOUR
    assert history.total_s == 24 * 3600 + 420
    before = [uplink for uplink in heard if uplink.at < history.start]
    assert {uplink.device for uplink in before} == set(TOWN.devices())
    assert [history.told_s(uplink) for uplink in heard] == sorted(history.told_s(uplink) for uplink in heard)
    assert heard[-1].at < history.end
    assert {uplink.device for uplink in heard[len(before) :]} == set(TOWN.devices())


def test_history_goes_no_further_back_than_the_towns_opening() -> None:
    assert last_days(TOWN, 30, TOWN.opened + HOUR).start == TOWN.opened
