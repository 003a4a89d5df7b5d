"""The page for everybody: read aloud, enlarged, by keyboard, in the dark, on paper, without moving pictures."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver import ActionChains, Chrome, Keys

from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from tests.broker import running_mosquitto
from tests.browser.looking import count, find, open_live, prefer, resize, wait_for, zone_texts
from tests.browser.market_town import PARKINGS, STREETS, Parking, ServedPage, market_town

HERE = Position(lat=47.4132, lon=0.9815)
EVERY_STATE = (
    replace(PARKINGS[0], kept=(Audience.PMR, Audience.EV), price="1,50 € l’heure"),
    *PARKINGS[1:],
    Parking(id="platanes", name="Place des Platanes", at=HERE, spaces=4, occupied=1, same_for_days=70),
    Parking(id="basse", name="Rue Basse", at=HERE, spaces=3, occupied=1, fault="capteur noyé"),
    Parking(
        id="forges",
        name="Rue des Forges",
        at=HERE,
        spaces=3,
        occupied=1,
        closed="travaux",
        closed_until=datetime(2026, 11, 23, 17, tzinfo=UTC),
    ),
)
BADGE_HOLDER = "?lang=en&audience=pmr&near=gare"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """A town with a zone in every state."""
    folder = tmp_path_factory.mktemp("market-town")
    streets = (replace(STREETS[0], weeks_before=8), *STREETS[1:])
    with running_mosquitto(folder) as broker, market_town(broker, folder, parkings=EVERY_STATE, streets=streets) as it:
        yield it


@pytest.mark.parametrize(
    ("asked", "scheme", "width"),
    [("", "light", 390), ("", "dark", 1280), (BADGE_HOLDER, "dark", 390), (BADGE_HOLDER, "light", 1280)],
)
def test_no_rule_of_wcag_is_broken(browser: Chrome, page: ServedPage, asked: str, scheme: str, width: int) -> None:
    prefer(browser, scheme)
    resize(browser, width, 900)
    open_live(browser, f"{page.address}/{asked}")
    for summary in browser.find_elements("css selector", "details:not([open]) > summary"):
        summary.click()

    told = Axe().run(browser, options=RULES)

    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in told["violations"]] == []
    assert {"color-contrast", "select-name", "region"} <= {rule["id"] for rule in told["passes"]}


@pytest.mark.parametrize("asked", ["", "?audience=pmr", BADGE_HOLDER, "?audience=ev&lang=en"])
def test_the_browser_rewrites_every_state_as_the_server_wrote_it(
    browser: Chrome, browser_without_scripts: Chrome, page: ServedPage, asked: str
) -> None:
    browser_without_scripts.get(f"{page.address}/{asked}")
    open_live(browser, f"{page.address}/{asked}")

    assert zone_texts(browser) == zone_texts(browser_without_scripts)


def test_the_filter_is_worked_by_keyboard_and_says_what_it_found(browser: Chrome, page: ServedPage) -> None:
    open_live(browser, page.address)
    browser.execute_script("arguments[0].focus()", find(browser, ".chip"))

    ActionChains(browser).send_keys(Keys.TAB, Keys.ENTER).perform()

    wait_for(browser, "#announcer", "0 place PMR libre sur 1")
    assert find(browser, ".chip[aria-current]").text == "PMR"
    assert browser.switch_to.active_element == find(browser, ".chip[aria-current]")


@pytest.mark.parametrize("asked", ["", "?audience=pmr&near=gare"])
def test_at_twice_the_size_nothing_is_cut_off_or_scrolls_sideways(
    browser: Chrome, page: ServedPage, asked: str
) -> None:
    resize(browser, 640, 450)
    open_live(browser, f"{page.address}/{asked}")
    browser.execute_script("document.documentElement.style.fontSize = '200%'")

    assert browser.execute_script("return document.documentElement.scrollWidth") <= 640
    cut = (
        "return [...document.querySelectorAll('main :is(p, h1, h2, h3, b, span, a, button)')]"
        ".filter((each) => each.checkVisibility() && !each.closest('.unseen, #map') "
        "&& each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline')"
        ".map((each) => each.outerHTML)"
    )
    assert browser.execute_script(cut) == []


def test_nothing_moves_for_those_who_asked_for_stillness(browser: Chrome, page: ServedPage) -> None:
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    open_live(browser, page.address)
    browser.execute_script("document.querySelector('.figure').classList.add('changed')")

    assert browser.execute_script("return document.getAnimations().length") == 0


def test_no_state_is_told_by_its_colour_alone(browser: Chrome, page: ServedPage) -> None:
    open_live(browser, page.address)

    for card in browser.find_elements("css selector", "#zones > li"):
        trust = card.get_attribute("data-trust")
        assert card.find_element("css selector", "[data-field='trust']").text
        assert card.find_element("css selector", ".sign use").get_attribute("href") == f"#sign-{trust}"
    pins = {each.text for each in browser.find_elements("css selector", ".pin:not(.counter-pin)")}
    assert {"?", "–", "0"} < pins


def test_on_paper_are_the_figures_their_time_and_no_buttons(browser: Chrome, page: ServedPage) -> None:
    open_live(browser, page.address)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")

    assert find(browser, "#status").text == "Chiffres de 11 h 30"
    shown = [each.is_displayed() for each in browser.find_elements("css selector", ".chip, .button, #map")]
    assert not any(shown)
    assert find(browser, "#zone-forges").is_displayed()
    assert count(browser, "#zones > li") == len(EVERY_STATE)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
