"""The office page in a real browser: accessible, fit for a telephone and for the keyboard, whole without scripts."""

from urllib.parse import urlencode

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver import ActionChains, Chrome, Keys

from tests.browser.looking import complaints, find, open_signed_in, resize, wait_until
from tests.contract.test_office_page import office as office
from tests.offices import Office

REPORT = "/bureau?" + urlencode({"kind": "flows", "from": "2026-10-01", "to": "2026-11-01"})

WEEK = "/bureau?" + urlencode({"kind": "flows", "place": "rue-haute", "from": "2026-11-09", "to": "2026-11-16"})
ROWS = """return [...document.querySelector("figure .values").querySelectorAll("tbody tr")]
    .map(row => [...row.cells].slice(1).map(cell => cell.textContent))"""
LOADED_S = 60
"""Until the script that draws is made, once: on a busy machine."""


def open_page(browser: Chrome, office: Office, path: str) -> None:
    """Open a page as somebody who signed in."""
    open_signed_in(browser, office.address + path, office.secret)


@pytest.mark.parametrize(
    "path", ["/bureau", "/bureau/events", REPORT, "/bureau?kind=flows&from=2027-01-01&to=2027-02-01"]
)
def test_no_rule_of_accessibility_is_broken(browser: Chrome, office: Office, path: str) -> None:
    open_page(browser, office, path)

    told = Axe().run(browser)

    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in told["violations"]] == []
    assert {"color-contrast", "label", "region"} <= {rule["id"] for rule in told["passes"]}


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out_and_nothing_is_refused_by_the_browser(browser: Chrome, office: Office, width: int) -> None:
    resize(browser, width)
    open_page(browser, office, REPORT)

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert complaints(browser) == []
    assert browser.execute_script("return [...document.images].every(it => it.complete && it.naturalWidth > 0)")
    resize(browser, 1280)


def test_the_form_shows_what_its_subject_needs_and_works_by_keyboard(browser: Chrome, office: Office) -> None:
    open_page(browser, office, "/bureau")
    assert not find(browser, "#event").is_displayed()
    find(browser, "input[value=event]").send_keys(Keys.SPACE)
    assert find(browser, "#event").is_displayed()
    assert not find(browser, "#from").is_displayed()
    find(browser, "#event").send_keys("F")
    find(browser, "button.main").send_keys(Keys.ENTER)

    wait_until(browser, lambda it: "rue" in find(it, "#report h1").text, "the event's report")


def test_a_chart_is_explored_by_keyboard_and_pointer_and_tells_what_its_table_says(
    browser: Chrome, office: Office
) -> None:
    open_page(browser, office, WEEK)
    find(browser, "figure [data-explore]").send_keys(Keys.ENTER)
    wait_until(browser, lambda it: bool(it.find_elements("css selector", ".drawing svg")), "the chart", LOADED_S)
    wait_until(browser, lambda it: it.switch_to.active_element == find(it, ".drawing"), "the focus")

    find(browser, ".drawing").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    by_keyboard = find(browser, ".reading").text
    ActionChains(browser).move_to_element(find(browser, ".drawing .mark-rect path")).perform()
    wait_until(browser, lambda it: find(it, ".reading").text != by_keyboard, "the bar under the pointer")

    rows = browser.execute_script(ROWS)
    assert by_keyboard == "mar. 10/11/2026 · heures mesurées : {} · heures écartées : {}".format(*rows[1])
    assert len(rows) == 7
    assert find(browser, ".reading").text.startswith("lun. 09/11/2026")
    assert complaints(browser) == []


def test_a_chart_that_cannot_be_explored_says_so_and_its_picture_stays(browser: Chrome, office: Office) -> None:
    open_page(browser, office, WEEK)
    button = find(browser, "figure [data-explore]")
    browser.execute_script("arguments[0].dataset.explore = 'nowhere.js'", button)
    button.send_keys(Keys.ENTER)
    wait_until(browser, lambda it: "Réessayez" in find(it, ".reading").text, "that it could not be made")

    assert find(browser, "figure img").is_displayed()
    assert button.is_displayed()
    assert button.get_attribute("aria-busy") is None


def test_without_scripts_the_page_is_whole(browser_without_scripts: Chrome, office: Office) -> None:
    open_page(browser_without_scripts, office, REPORT)

    assert find(browser_without_scripts, "#from").is_displayed()
    assert find(browser_without_scripts, "dl.figures b").text
