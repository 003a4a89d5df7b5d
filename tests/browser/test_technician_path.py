"""From a sensor in a box to a figure one can trust, on a telephone: taps are counted, seconds are told."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from selenium.webdriver import Chrome

from cloud_api.registry import Device, Installation
from edge.messages import Space, SpaceState
from tests.broker import running_mosquitto
from tests.browser.field_work import BAY_EUI, EUI, PERSON, FieldWork, Phone, field_work
from tests.browser.looking import complaints
from tests.town import EPOCH, until

TOTAL = '{{"kind":"total","channel":"line1","mode":"pedestrian","in":{in_},"out":{out},"bits":16}}'
BATTERY = '{"kind":"health","battery_pct":98}'


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWork]:
    folder = tmp_path_factory.mktemp("field-work")
    with running_mosquitto(folder) as broker, field_work(broker, folder) as it:
        yield it


def adopted(phone: Phone, eui: str) -> None:
    """From the list of those that are heard to the device's page."""
    phone.browser.get(phone.browser.current_url.partition("/technician")[0] + "/technician")
    phone.tap(f"[id='heard-{eui}'] a.button")
    phone.tap("main form button.main")
    phone.wait_for("écouté par la passerelle Les Halles")
    phone.tap("button[name=confirmed]")


def installed(phone: Phone, place: str) -> None:
    """From the device's page to its place and back."""
    phone.tap("a.button.main", text="Poser")
    phone.tap("#places label", text=place)
    phone.tap("main form button.main")
    phone.wait_for("sert à")
    phone.tap("button[name=confirmed]")
    phone.wait_for("Essai sur place")


def test_a_bay_goes_from_the_box_to_its_state_on_the_page(browser: Chrome, town: FieldWork) -> None:
    phone, started = Phone(browser), time.monotonic()
    town.switch_on(BAY_EUI, "bosch-tps110")
    browser.get(town.invite())
    phone.tap("button.main")
    adopted(phone, BAY_EUI)
    installed(phone, "marche-2")
    town.believe(BAY_EUI)
    state = SpaceState(device=BAY_EUI, channel="1", occupied=True, at=datetime.now(UTC))
    town.gateway.publish(Space(gateway=town.gateway.name, epoch=EPOCH, seq=1, states=(state,)))

    phone.wait_for("occupée, il y a")
    phone.wait_for("appliqué")
    print(f"\na bay: {phone.taps} taps, {time.monotonic() - started:.1f} s")
    assert phone.taps == 8
    assert {trace.who for trace in town.registry.trail(key=BAY_EUI)} == {PERSON}
    assert complaints(browser) == []


def test_a_counter_hung_the_wrong_way_round_is_found_mended_and_signed_for_on_the_spot(
    browser: Chrome, town: FieldWork
) -> None:
    phone, started = Phone(browser), time.monotonic()
    town.switch_on(EUI, "parametric-pcr2")
    browser.get(town.invite())
    phone.tap("button.main")
    adopted(phone, EUI)
    installed(phone, "Rue Haute")
    town.believe(BAY_EUI, EUI)
    phone.tap("a.button.main", text="Essai sur place")
    walked(phone, town, "« vers la gare »", before=(18, 22), after=(18, 32))
    walked(phone, town, "« vers la mairie »", before=(18, 32), after=(28, 32))
    phone.wait_for("Les deux sens sont inversés")

    phone.tap("#mend button")

    phone.wait_for("10 sur 10 dans le bon sens")
    phone.tap("main form button.main", text="Signer")
    phone.wait_for("Procès-verbaux")
    print(f"\na counter: {phone.taps} taps, {time.monotonic() - started:.1f} s")
    (installation,) = (each for each in town.registry.snapshot().installations if each.device == EUI)
    assert installation.reversed
    (record,) = town.registry.acceptances.of_device(EUI)
    assert (record.who, record.place) == (PERSON, "rue-haute")
    assert phone.taps <= 15
    assert complaints(browser) == []


def test_six_things_are_done_to_sensors_from_their_pages_by_tapping(browser: Chrome, town: FieldWork) -> None:
    phone = Phone(browser)
    old, new, lidar = "0004a30b00ff00aa", "0004a30b00ff00bb", "quai-1"
    town.registry.merge(
        [
            Device(address=old, model="bosch-tps110", gateway="gw-halles", link="lora"),
            Device(address=lidar, model="benewake-tfmini-plus", gateway="gw-halles", link="usb"),
            Installation(place="marche-1", device=old, channel="1", start=datetime(2026, 11, 1, tzinfo=UTC)),
        ],
        by="test",
        at=datetime.now(UTC),
    )
    town.switch_on(new, "bosch-tps110")
    browser.get(town.invite())
    phone.tap("button.main")
    phone.wait_for("Passerelles")

    def page(address: str) -> None:
        browser.get(f"{town.address}/technician/devices/{address}")

    def confirmed(page_says: str) -> None:
        phone.wait_for("Ce qui va changer")
        phone.tap("button[name=confirmed]")
        phone.wait_until_gone("Ce qui va changer")
        phone.wait_for(page_says)

    def serving() -> dict[str, str]:
        return {each.place: each.device for each in town.registry.snapshot().installations if each.end is None}

    page(old)
    phone.tap(".actions button", text="Inverser libre et occupée")
    confirmed("Essai sur place")
    assert town.registry.snapshot().devices[old].invert_presence

    phone.tap(".actions a.button", text="Déplacer")
    phone.tap("#places label", text="marche-3")
    phone.tap("main form button.main")
    confirmed("Place du Marché, marche-3")
    assert (serving().get("marche-1"), serving()["marche-3"]) == (None, old)

    phone.tap(".actions a.button", text="Remplacer")
    phone.tap("fieldset label", text=new)
    phone.tap("main form button.main")
    confirmed("Poser")
    assert serving()["marche-3"] == new
    assert town.registry.snapshot().devices[new].invert_presence, "the new one is set as the old one was"
    assert town.registry.snapshot().devices[old].gateway is None

    phone.tap(".actions button", text="Mettre hors service")
    confirmed("Hors service depuis le")
    assert town.registry.snapshot().devices[old].retired

    page(new)
    phone.tap(".actions button", text="Mettre en réserve")
    confirmed("Poser")
    assert town.registry.snapshot().devices[new].gateway is None
    assert "marche-3" not in serving()

    page(lidar)
    phone.tap(".actions button", text="Recalibrer")
    phone.wait_for("Recalibrage demandé")
    town.answer(browser)
    phone.wait_for("Recalibré")
    assert complaints(browser) == []


def walked(phone: Phone, town: FieldWork, where: str, *, before: tuple[int, int], after: tuple[int, int]) -> None:
    """Begin, walk ten times, say that it is done; the sensor tells its totals before and after."""
    phone.wait_for(where)
    town.show_to(phone.browser, TOTAL.format(in_=before[0], out=before[1]), BATTERY)
    phone.tap("main form button.main", text="Je commence")
    phone.wait_for("C’est parti")
    phone.tap("main form button.main", text="C’est fait")
    until(lambda: "since=" not in phone.browser.current_url)
    town.show_to(phone.browser, TOTAL.format(in_=after[0], out=after[1]), BATTERY)
    phone.wait_for("10 comptés pour 10 passages")
