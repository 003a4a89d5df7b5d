"""Devices adopted, set, handed over, taken away; addresses as people type them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from cloud_api.provisioning import actions
from cloud_api.provisioning.addresses import parse_address
from cloud_api.provisioning.plan import NotPossibleError, Plan
from cloud_api.registry import Device, Gateway, Registry, Space, Zone
from cloud_api.registry.places import Installation
from tests.town import HERE

NOW = datetime(2026, 11, 27, 12, 34, 56, tzinfo=UTC)
PUCK = Device(address="0004a30b00ff0001", model="bosch-tps110", gateway="halles")
SERVES = Installation(place="m1", device=PUCK.address, channel="1", start=datetime(2026, 1, 1, tzinfo=UTC))
TOWN = Registry(
    zones=[Zone(id="marche", name="Marché", position=HERE)],
    spaces=[Space(id="m1", zone="marche")],
    gateways=[Gateway(name="halles", label="Les halles", managed=True), Gateway(name="gare", label="Gare")],
    devices=[PUCK],
    installations=[SERVES],
)


def refused(action: Callable[[], object]) -> NotPossibleError:
    with pytest.raises(NotPossibleError) as caught:
        action()
    return caught.value


def device_in(plan: Plan) -> Device:
    (device,) = (each for each in plan.entries if isinstance(each, Device))
    return device


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("0004A30B00FF0001", "0004a30b00ff0001"),
        (" 00-04-A3-0B-00-FF-00-01 ", "0004a30b00ff0001"),
        ("26011BDA", "26011bda"),
        ("a4:c1:38:01:02:03", "A4:C1:38:01:02:03"),
        ("A4C138010203", "A4:C1:38:01:02:03"),
        ("radar-north", "radar-north"),
        ("d1", "d1"),
    ],
)
def test_an_address_is_brought_into_the_contracts_form(typed: str, address: str) -> None:
    assert parse_address(typed) == address


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0004a30b00ff000", "16 hexadecimal digits, not 15"),
        ("0004a30b00ff00011", "16 hexadecimal digits, not 17"),
        ("0004a3ob00ff0001", "hexadecimal digits without o"),
        ("A4:C1:38:01:02", "16 hexadecimal digits, not 10"),
        ("Radar Nord!", "a Bluetooth address"),
        ("", "a Bluetooth address"),
    ],
)
def test_a_mistyped_address_is_refused_with_what_was_expected(typed: str, said: str) -> None:
    error = refused(lambda: parse_address(typed))

    assert error.name == "wrong-address"
    assert said in str(error)


def test_a_device_is_adopted_by_its_gateway() -> None:
    plan = actions.adopt(TOWN, Device(address="0004A30B00FF0002", model="bosch-tps110", gateway="halles"))

    assert device_in(plan).address == "0004a30b00ff0002"
    assert plan.words == ("0004a30b00ff0002 (bosch-tps110) is adopted by gateway halles",)


def test_what_another_gateway_has_adopted_is_handed_over_not_adopted_twice() -> None:
    error = refused(lambda: actions.adopt(TOWN, replace(PUCK, gateway="gare")))

    assert (error.name, error.facts["gateway"]) == ("adopted-elsewhere", "halles")
    moved = device_in(actions.hand_over(TOWN, PUCK.address, "gare"))
    assert moved.gateway == "gare"
    assert refused(lambda: actions.hand_over(TOWN, PUCK.address, "hales")).nearest == "halles"


def test_a_device_that_nobody_adopted_comes_with_the_nearest_one() -> None:
    assert refused(lambda: actions.invert_presence(TOWN, "0004a30b00ff0010")).nearest == PUCK.address


def test_presence_is_inverted_and_back() -> None:
    once = device_in(actions.invert_presence(TOWN, PUCK.address))
    twice = device_in(
        actions.invert_presence(Registry(gateways=list(TOWN.gateways.values()), devices=[once]), PUCK.address)
    )

    assert once.invert_presence
    assert twice == PUCK


def test_what_is_retired_leaves_its_gateway_and_its_place_and_comes_back_when_adopted_anew() -> None:
    plan = actions.retire(TOWN, PUCK.address, NOW)

    assert device_in(plan) == replace(PUCK, gateway=None, retired=NOW)
    assert replace(SERVES, end=NOW.replace(second=0)) in plan.entries
    retired = Registry(gateways=list(TOWN.gateways.values()), devices=[device_in(plan)])
    assert refused(lambda: actions.hand_over(retired, PUCK.address, "gare")).name == "retired"
    assert device_in(actions.adopt(retired, replace(PUCK, gateway="gare"))).retired is None


def test_what_goes_to_the_store_room_may_be_adopted_by_another_gateway() -> None:
    plan = actions.put_in_store_room(TOWN, PUCK.address, NOW)
    stored = Registry(gateways=list(TOWN.gateways.values()), devices=[device_in(plan)])

    assert device_in(actions.adopt(stored, replace(PUCK, gateway="gare"))).gateway == "gare"
