"""The technicians' pages for everybody, everywhere: WCAG, thumbs, a keyboard, no scripts, two at once, no network."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_core_python.selenium import Axe
from msgspec.structs import replace
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from cloud_api.registry.places import Device, Installation
from tests.broker import running_mosquitto
from tests.browser.field_work import BAY_EUI, EUI, FieldWork, Phone, field_work
from tests.browser.looking import complaints, find, prefer, resize, wait_until
from tests.town import until

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COUNTER = Device(address=EUI, model="parametric-pcr2", gateway="gw-halles", link="lora", label="Rue Haute nord")
BLUETOOTH = "A4:C1:38:00:00:01"
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
SERVED = Installation(place="rue-haute", device=EUI, channel="line1", mode="pedestrian", start=START)
PAGES = (
    "",
    "?q=zzz",
    f"/adopt/{BAY_EUI}?gateway=gw-halles",
    "/adopt?address=70b3d5e75e001a2",
    f"/devices/{EUI}",
    f"/devices/{EUI}/test",
    f"/devices/{EUI}/move",
    f"/devices/{EUI}/swap",
    "/closures/marche-2",
    "/sign-in",
)
TOO_SMALL = """
return [...document.querySelectorAll('button, .button, input:not([type=hidden]), select, textarea, summary, a')]
  .filter((each) => each.checkVisibility() && !each.closest('.leaflet-container, .unseen, .help, .skip')
    && !each.matches('.skip, [type=radio], [type=checkbox], .quick *'))
  .filter((each) => each.getBoundingClientRect().height < 48)
  .map((each) => each.outerHTML.slice(0, 120))
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWork]:
    """A counter that is installed, and a parking sensor in its box."""
    folder = tmp_path_factory.mktemp("field-pages")
    with running_mosquitto(folder) as broker, field_work(broker, folder) as it:
        it.registry.merge([COUNTER, SERVED], by="test", at=START)
        it.switch_on(BAY_EUI, "bosch-tps110", "pni-placepod")
        until(lambda: EUI in it.api.services.registry.devices and bool(it.api.services.gateways.heard))
        yield it


@pytest.fixture
def phone(browser: Chrome, town: FieldWork) -> Phone:
    """A telephone that is signed in."""
    return signed_in(browser, town)


def signed_in(browser: Chrome, town: FieldWork) -> Phone:
    phone = Phone(browser)
    browser.get(town.invite())
    phone.tap("button.main")
    phone.wait_for("Passerelles")
    return phone


@pytest.mark.parametrize(("scheme", "width", "pages"), [("light", 360, PAGES), ("dark", 1280, PAGES[::3])])
def test_no_rule_of_wcag_is_broken_and_a_thumb_finds_every_button(
    phone: Phone, town: FieldWork, scheme: str, width: int, pages: tuple[str, ...]
) -> None:
    prefer(phone.browser, scheme)
    resize(phone.browser, width)
    broken = {}
    for path in pages:
        phone.browser.get(f"{town.address}/technician{path}")
        for summary in phone.browser.find_elements(By.CSS_SELECTOR, "details:not([open]) > summary"):
            summary.click()
        told = Axe().run(phone.browser, options=RULES)
        found = [(rule["id"], node["html"][:160]) for rule in told["violations"] for node in rule["nodes"]]
        small = phone.browser.execute_script(TOO_SMALL)
        sideways = phone.browser.execute_script("return document.documentElement.scrollWidth") > width
        if found or small or sideways:
            broken[path] = (found, small, sideways)
    prefer(phone.browser, "light")

    assert broken == {}
    assert complaints(phone.browser) == []


def test_a_change_is_made_by_keyboard_alone(phone: Phone, town: FieldWork) -> None:
    browser = phone.browser
    browser.get(f"{town.address}/technician/closures/marche-1")
    browser.execute_script("arguments[0].focus()", find(browser, "#reason"))
    keys = ActionChains(browser).send_keys(Keys.END, " Noël")
    for _ in range(20):
        keys.send_keys(Keys.TAB).perform()
        keys = ActionChains(browser)
        if browser.switch_to.active_element == find(browser, "main form button.main"):
            break
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    phone.wait_for("est fermée au public jusqu’à nouvel ordre : travaux de voirie Noël")
    browser.execute_script("arguments[0].focus()", find(browser, "button[name=confirmed]"))
    ActionChains(browser).send_keys(Keys.SPACE).perform()

    phone.wait_for("Passerelles")
    assert [each.reason for each in town.registry.snapshot().closures if each.place == "marche-1"] == [
        "travaux de voirie Noël"
    ]


def test_everything_works_without_scripts(browser_without_scripts: Chrome, town: FieldWork) -> None:
    phone = signed_in(browser_without_scripts, town)
    phone.browser.get(f"{town.address}/technician/closures/marche-3")
    phone.tap("main form button.main")
    phone.wait_for("Ce qui va changer")
    phone.tap("button[name=confirmed]")
    phone.wait_for("Passerelles")
    phone.browser.get(f"{town.address}/technician/closures/marche-3")
    phone.tap("main form button.main", text="Rouvrir")
    phone.wait_for("rouvre maintenant")
    phone.tap("button[name=confirmed]")
    phone.wait_for("Passerelles")

    assert town.registry.snapshot().closures_at(datetime.now(UTC)).get("marche-3") is None


def test_an_address_with_colons_is_adopted_and_found_again_by_its_sticker(
    browser_without_scripts: Chrome, town: FieldWork
) -> None:
    phone = signed_in(browser_without_scripts, town)
    phone.browser.get(f"{town.address}/technician/devices/{BLUETOOTH}")
    Select(find(phone.browser, "#model")).select_by_value("bosch-tps110")
    phone.tap("main form button.main")
    phone.wait_for("est écouté par la passerelle Les Halles")
    phone.tap("button[name=confirmed]")

    phone.wait_for(f"{BLUETOOTH}\nBosch TPS110")
    assert town.registry.snapshot().devices[BLUETOOTH].gateway == "gw-halles"


def test_two_technicians_at_once_are_told_of_each_other(phone: Phone, town: FieldWork) -> None:
    browser = phone.browser
    browser.get(f"{town.address}/technician/devices/{EUI}")
    phone.tap(".actions button", text="Inverser le sens")
    phone.wait_for("Premier sens du capteur")
    turned = replace(SERVED, reversed=True)
    town.registry.merge([turned], by="Paul Martin", at=datetime.now(UTC))

    phone.tap("button[name=confirmed]")

    phone.wait_for("Paul Martin a changé ceci")
    assert SERVED not in town.registry.snapshot().installations
    town.registry.merge([SERVED], by="test", at=datetime.now(UTC))


def test_what_was_typed_survives_a_reload(phone: Phone, town: FieldWork) -> None:
    browser = phone.browser
    browser.get(f"{town.address}/technician/adopt/{BAY_EUI}?gateway=gw-halles")
    find(browser, "#label").send_keys("Marché 12")
    find(browser, "details summary").click()
    find(browser, "#app_skey").send_keys("00112233445566778899aabbccddeeff")

    browser.refresh()

    assert find(browser, "#label").get_attribute("value") == "Marché 12"
    kept = browser.execute_script("return JSON.stringify(localStorage)")
    assert "00112233" not in kept, "a radio key stays in the form"
    browser.execute_script("localStorage.clear()")


def test_without_network_a_change_waits_and_is_made_once(phone: Phone, town: FieldWork) -> None:
    browser = phone.browser
    browser.get(f"{town.address}/technician/devices/{EUI}")
    phone.tap(".actions button", text="Inverser le sens")
    phone.wait_for("Premier sens du capteur")
    offline(browser, offline=True)
    phone.tap("button[name=confirmed]")
    phone.wait_for("En attente du réseau")

    offline(browser, offline=False)

    phone.wait_for("Essai sur place")
    changes = [trace for trace in town.registry.trail(limit=20) if trace.kind == "installation"]
    assert changes[0].who == "Marie Dupont"
    (now,) = (each for each in town.registry.snapshot().installations if each.device == EUI)
    assert now.reversed
    complaints(browser)


def offline(browser: Chrome, *, offline: bool) -> None:
    """The telephone has no network, or has it back."""
    browser.execute_cdp_cmd("Network.enable", {})
    conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


def test_a_picture_is_made_small_on_the_telephone_and_shown_on_the_page(
    phone: Phone, town: FieldWork, tmp_path: Path
) -> None:
    browser = phone.browser
    picture = tmp_path / "ladder.png"
    browser.set_window_size(1200, 900)
    browser.get(f"{town.address}/technician/devices/{EUI}")
    browser.save_screenshot(str(picture))

    find(browser, "#picture").send_keys(str(picture))

    wait_until(browser, lambda it: bool(it.find_elements(By.CSS_SELECTOR, "img.photo")), "a picture")
    (kept,) = town.registry.photos.of_device(EUI)
    found = town.registry.photos.find(kept.id)
    assert found is not None
    assert (found[1], kept.place, kept.who) == ("image/jpeg", "rue-haute", "Marie Dupont")
