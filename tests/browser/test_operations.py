"""The operators' page in a real browser: what is wrong comes first, it goes on by itself, and everybody can read it."""

from collections.abc import Iterator

import pytest
from axe_core_python.selenium import Axe
from msgspec.structs import replace
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.broker import running_mosquitto
from tests.browser.looking import complaints, count, find, open_signed_in, prefer, resize, wait_until
from tests.watched_town import LINKS, WatchedTown, status_of, watched_town

STICKS_OUT = "const page = document.documentElement; return page.scrollWidth > page.clientWidth"
WATCHED = """
window.said = 0;
new MutationObserver((changes) => { window.said += changes.length })
  .observe(document.getElementById("verdict"), { childList: true, subtree: true, characterData: true });
document.querySelector("#row-gw-halles a").focus();
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedTown]:
    folder = tmp_path_factory.mktemp("operations")
    with running_mosquitto(folder) as broker, watched_town(broker, folder) as it:
        yield it


def open_page(browser: Chrome, town: WatchedTown, query: str = "") -> None:
    """Open it as somebody who signed in."""
    open_signed_in(browser, f"{town.address}/operations{query}", town.key)


def test_the_page_is_for_everybody_who_runs_the_town(browser: Chrome, town: WatchedTown) -> None:
    for width, scheme, query in ((390, "dark", ""), (1280, "light", "?lang=en")):
        prefer(browser, scheme)
        resize(browser, width)
        open_page(browser, town, query)
        for summary in browser.find_elements(By.CSS_SELECTOR, "summary"):
            summary.click()
        told = Axe().run(browser)

        assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in told["violations"]] == []
        assert {"color-contrast", "region"} <= {rule["id"] for rule in told["passes"]}
        assert not browser.execute_script(STICKS_OUT), f"to be scrolled sideways at {width} px"
        assert complaints(browser) == []


def test_what_happens_is_told_in_place_and_focus_and_what_is_open_stay(browser: Chrome, town: WatchedTown) -> None:
    resize(browser, 390)
    open_page(browser, town)
    assert find(browser, "#verdict").text.startswith("3 à regarder. D’abord : passerelle Gare (gw-gare), hors ligne")
    assert count(browser, ".concerns > li") == 3
    find(browser, "#backup-backup summary").click()
    browser.execute_script(WATCHED)
    scrolled = browser.execute_script("return scrollY")

    up = tuple(replace(link, state="up") for link in LINKS)
    town.gateway.publish(replace(status_of(town.gateway), links=up, version="1.5.0"))

    wait_until(browser, lambda it: count(it, ".concerns > li") == 2, "one trouble fewer")
    assert find(browser, "#verdict").text.startswith("2 à regarder")
    assert "1.5.0" in find(browser, "#row-gw-halles").text
    assert browser.execute_script("return said") == 1, "told once to who listens"
    assert browser.execute_script("return document.activeElement.closest('tr')?.id") == "row-gw-halles"
    assert browser.execute_script("return scrollY") > 0 < scrolled
    assert find(browser, "#backup-backup details").get_attribute("open")
    assert find(browser, "[data-pulse]").text == "Se met à jour tout seul"
    assert complaints(browser) == []
