"""Saint-Aubin-sur-Passerelle as others see it: its files, its addresses, its secrets."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloud_api.registry.files.toml import parse_places
from cloud_api.reports.streets import streets_of
from edge.config import parse
from firmware_sim.footfall import weeks_without_gaps
from firmware_sim.saint_aubin import SPRING_IN_AUCKLAND, saint_aubin
from firmware_sim.town import SPACE_CHANNEL, Link, Ports

TOWN = saint_aubin(1)
PORTS = Ports(broker=("127.0.0.1", 1883), serial="/dev/pts/8", modem="/dev/pts/9")
FRIDAY = datetime(2026, 11, 20, 16, tzinfo=UTC)


def test_no_sensor_has_a_gap_in_the_weeks_the_town_lives_through() -> None:
    weeks = weeks_without_gaps({counter.walkers.sensor for counter in TOWN.counters})
    lived = {SPRING_IN_AUCKLAND.real + timedelta(weeks=week) for week in range(SPRING_IN_AUCKLAND.days // 7)}
    assert lived <= set(weeks)
    assert SPRING_IN_AUCKLAND.town.weekday() == SPRING_IN_AUCKLAND.real.weekday() == 0


def test_the_api_reads_the_places_and_finds_every_sensor_in_its_place() -> None:
    registry = parse_places(TOWN.places_toml(), Path("places.toml"))
    assert {name: len(registry.spaces_of(name)) for name in registry.zones} == {
        "place-du-marche": 12,
        "rue-de-la-gare": 8,
        "rue-des-halles": 3,
    }
    for bay in TOWN.bays():
        (serving,) = registry.serving(bay.id, FRIDAY)
        assert (serving.device, serving.channel) == (bay.device.address, SPACE_CHANNEL)
    for counter in TOWN.counters:
        assert registry.serving(counter.id, FRIDAY)[0].device == counter.device.address
        assert registry.counters[counter.id].in_ == counter.in_
    assert [name for name, zone in registry.zones.items() if zone.max_stay] == ["place-du-marche", "rue-des-halles"]
    assert {(each.name, len(each.sections)) for each in streets_of(list(registry.counters.values()))} == {
        ("Rue de la République", 2),
        ("Quai des Tanneurs", 1),
    }


def test_the_gateway_reads_its_configuration() -> None:
    config = parse(TOWN.gateway_toml(PORTS, Path("/var/lib/passerelle")), Path("gateway.toml"))
    assert [link.name for link in config.link] == ["chirpstack", "rak3172", "serial", "ble"]
    assert {device.address for device in config.device} == {device.address for device in TOWN.devices()}


def test_without_bluetooth_its_sensors_are_left_out(tmp_path: Path) -> None:
    deaf = Ports(broker=PORTS.broker, serial=PORTS.serial, modem=PORTS.modem, ble=False)
    document = tomllib.loads(TOWN.gateway_toml(deaf, tmp_path))
    assert "ble" not in [link["kind"] for link in document["link"]]
    assert len(document["device"]) == sum(device.link is not Link.BLE for device in TOWN.devices())


def test_addresses_and_keys_follow_from_the_seed() -> None:
    same, other = saint_aubin(1), saint_aubin(2)
    assert list(same.devices()) == list(TOWN.devices())
    for mine, theirs in zip(TOWN.devices(), other.devices(), strict=True):
        assert mine.link is Link.SERIAL or mine.address != theirs.address
        assert mine.key is None or mine.key != theirs.key
        assert mine.session is None or theirs.session is None or mine.session.app_skey != theirs.session.app_skey


def test_no_two_sensors_share_an_address_or_a_key() -> None:
    devices = list(TOWN.devices())
    keys = [device.key for device in devices if device.key]
    sessions = [
        key for device in devices if device.session for key in (device.session.nwk_skey, device.session.app_skey)
    ]
    assert len({device.address for device in devices}) == len(devices) == 27
    assert len({*keys, *sessions}) == len(keys) + len(sessions)


def test_keys_do_not_show_when_a_device_is_printed() -> None:
    for device in TOWN.devices():
        assert device.key is None or device.key.hex() not in repr(device)
        assert repr(device).count("key") == 0


def test_free_spaces_are_the_bays_that_nobody_stands_on() -> None:
    occupied = TOWN.occupied(FRIDAY)
    for zone in TOWN.parking:
        assert TOWN.free(FRIDAY)[zone.id] == sum(not occupied[bay.id] for bay in zone.bays)
    assert TOWN.truth_hour("rue-de-la-republique", FRIDAY) > (100, 100)
