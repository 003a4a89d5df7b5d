"""Who is heard that nobody adopted: each is told, though many speak at once, and memory has bounds."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.config import GatewayConfig, GatewaySection
from edge.drivers.links.base import Stranger
from edge.gateway import Gateway
from edge.intake import Batch
from edge.messages import MAX_MESSAGE_BYTES, Epoch, Heard, encode
from edge.publisher import BrokerConfig
from edge.readings import DeviceAddress
from edge.strangers import HEARD_EVERY_MS, MOST_KNOWN, TOLD_AT_ONCE, Strangers
from tests.clocks import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 10, tzinfo=UTC))


def address(number: int) -> DeviceAddress:
    return DeviceAddress(f"{number:016x}")


def hear(strangers: Strangers, *numbers: int) -> None:
    for number in numbers:
        strangers.hear("ble", Stranger(device=address(number)))


def test_each_of_a_crowd_is_told_though_a_message_holds_fewer(clock: ManualClock) -> None:
    strangers = Strangers(clock)
    hear(strangers, *range(2 * TOLD_AT_ONCE + 50))
    told = [strangers.due() for _ in range(4)]
    assert [len(devices) for devices in told] == [TOLD_AT_ONCE, TOLD_AT_ONCE, 50, 0]
    assert {each.device for devices in told for each in devices} == set(map(address, range(2 * TOLD_AT_ONCE + 50)))


def test_whoever_was_heard_longest_ago_is_forgotten_first(clock: ManualClock) -> None:
    strangers = Strangers(clock)
    hear(strangers, *range(MOST_KNOWN), 0, MOST_KNOWN)
    told = {each.device for _ in range(MOST_KNOWN // TOLD_AT_ONCE) for each in strangers.due()}
    assert len(told) == MOST_KNOWN
    assert address(0) in told
    assert address(1) not in told


def test_who_was_told_keeps_silent_for_a_minute_and_is_told_then(clock: ManualClock) -> None:
    strangers = Strangers(clock)
    hear(strangers, 1)
    assert len(strangers.due()) == 1
    hear(strangers, 1, 1)
    assert strangers.due() == ()
    clock.advance(HEARD_EVERY_MS / 1000)
    assert [each.frames for each in strangers.due()] == [2]


def test_a_message_with_the_longest_names_is_not_too_large(clock: ManualClock) -> None:
    strangers = Strangers(clock)
    models = tuple(f"{number:032}" for number in range(40))
    for number in range(TOLD_AT_ONCE):
        device = DeviceAddress(f"{number:0128}")
        strangers.hear("l" * 128, Stranger(device=device, hint="h" * 200, models=models, rssi_dbm=-100.25))
    heard = Heard(gateway="g" * 63, epoch=Epoch("0" * 16), devices=strangers.due())
    assert len(encode(heard)) < MAX_MESSAGE_BYTES


def test_while_the_broker_is_away_nobody_is_told_and_nobody_forgotten(
    clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = GatewayConfig(gateway=GatewaySection(name="mairie", data=tmp_path), broker=BrokerConfig(host="localhost"))
    gateway, told = Gateway(config, clock), list[Heard]()
    monkeypatch.setattr(gateway._publisher, "tell", told.append)
    gateway.intake.take(Batch(), "ble", Stranger(device=address(1)))
    gateway._tell_strangers()
    assert told == []
    gateway._publisher.connected = True
    gateway._tell_strangers()
    gateway._tell_strangers()
    assert [device.device for heard in told for device in heard.devices] == [address(1)]
