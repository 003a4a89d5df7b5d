"""From a sensor in a box to a figure one can trust, on a telephone."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from selenium.webdriver import Chrome

from edge.messages import Reported, Space, SpaceState
from tests.broker import running_mosquitto
from tests.browser.field_work import BAY_EUI, PERSON, FieldWork, Phone, field_work
from tests.browser.looking import complaints
from tests.town import EPOCH, until


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWork]:
    folder = tmp_path_factory.mktemp("field-work")
    with running_mosquitto(folder) as broker, field_work(broker, folder) as it:
        yield it


def test_a_bay_goes_from_the_box_to_its_state_on_the_page(browser: Chrome, town: FieldWork) -> None:
    phone = Phone(browser)
    started = time.monotonic()
    browser.get(town.invite())
    phone.tap("button.main")
    town.switch_on(BAY_EUI, "bosch-tps110")
    phone.tap(f"[id='heard-{BAY_EUI}'] a.button")
    phone.tap("main form button.main")
    phone.wait_for("écouté par la passerelle Les Halles")
    phone.tap("button[name=confirmed]")
    phone.tap("a.button.main", text="Poser")
    phone.tap("#places label", text="marche-2")
    phone.tap("main form button.main")
    phone.tap("button[name=confirmed]")
    phone.wait_for("rien dit encore")

    until(lambda: town.gateway.name in town.api.services.gateways.desired)
    told = town.api.services.gateways.desired[town.gateway.name]
    town.gateway.publish(
        Reported(gateway=town.gateway.name, epoch=EPOCH, revision=told.revision, devices=(BAY_EUI,)),
        Space(
            gateway=town.gateway.name,
            epoch=EPOCH,
            seq=1,
            states=(SpaceState(device=BAY_EUI, channel="1", occupied=True, at=datetime.now(UTC)),),
        ),
    )
    phone.wait_for("occupée, il y a")
    phone.wait_for("appliqué")

    took_s = time.monotonic() - started
    print(f"box to trusted figure: {phone.taps} taps, {took_s:.1f} s")
    assert phone.taps <= 8
    assert {trace.who for trace in town.registry.trail(key=BAY_EUI)} == {PERSON}
    assert complaints(browser) == []
