"""The pictures of `docs/bureau.md` and `docs/office.md`, each in its language.

`python -m tests.browser.office_pictures` asks for reports, names an event, explores a chart and takes them.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from selenium.webdriver import Chrome, Keys

from tests.broker import running_mosquitto
from tests.browser.conftest import chromium
from tests.browser.field_pictures import FOLDER
from tests.browser.field_work import PHONE
from tests.browser.looking import find, resize, wait_until
from tests.browser.test_office import LOADED_S
from tests.offices import Office, office_at, write_history

DESK, LOW = (1280, 1000), (1280, 480)
MONTH = "/bureau?" + urlencode(
    {
        "kind": "flows",
        "place": "rue-haute",
        "from": "2026-10-26",
        "to": "2026-11-23",
        "compare": "week-before",
        "language": "fr",
    }
)
EVENT = "/bureau?" + urlencode({"kind": "event", "event": "Fête de la rue", "language": "fr"})
EVENTS = "/bureau/events?language=fr"
WORKS = {"name": "Travaux de la place", "start": "2026-11-03", "end": "2026-11-05"}

Doing = Callable[[Chrome], None]


def nothing(_: Chrome) -> None:
    """For a page as it comes."""


def sign_in(browser: Chrome, office: Office) -> None:
    """As Claire Martin, by her link."""
    browser.get(f"{office.address}/technician/sign-in/{office.invitation}")
    find(browser, "button.main").click()
    wait_until(browser, lambda it: "Claire Martin" in find(it, ".who").text, "the office's page")


def name_an_event(browser: Chrome) -> None:
    """Write works down; the page comes back with the list."""
    for field, text in WORKS.items():
        browser.execute_script(f"document.getElementById({field!r}).value = {text!r}")
    find(browser, "#write button.main").click()
    wait_until(browser, lambda it: bool(it.find_elements("css selector", ".done")), "the event in the list")


def explore(browser: Chrome) -> None:
    """Open the first chart, and walk to its twentieth bar."""
    find(browser, "figure [data-explore]").send_keys(Keys.ENTER)
    wait_until(browser, lambda it: it.switch_to.active_element == find(it, ".drawing"), "the chart", LOADED_S)
    find(browser, ".drawing").send_keys(*[Keys.ARROW_RIGHT] * 20)
    browser.execute_script("document.querySelector('figure').scrollIntoView()")


def take(browser: Chrome, folder: Path, size: tuple[int, int], *, fr: str, en: str, doing: Doing = nothing) -> None:
    """What a screen shows first of the page that is open, in both languages, once something was done there."""
    address = browser.current_url.replace("language=en", "language=fr")
    resize(browser, *size)
    for language, name in (("fr", f"bureau-{fr}"), ("en", f"office-{en}")):
        browser.get(address.replace("language=fr", f"language={language}"))
        start = "document.getElementById('report').scrollIntoView()" if size == PHONE else "scrollTo(0, 0)"
        browser.execute_script(start)
        doing(browser)
        browser.save_screenshot(str(folder / f"{name}.png"))


def walk(browser: Chrome, office: Office, folder: Path) -> None:
    """From the link to the list of events."""
    sign_in(browser, office)
    browser.get(office.address + MONTH)
    take(browser, folder, DESK, fr="ordinateur", en="desk")
    take(browser, folder, LOW, fr="graphique", en="chart", doing=explore)
    browser.get(office.address + EVENT)
    take(browser, folder, PHONE, fr="telephone", en="phone")
    browser.get(office.address + EVENTS)
    name_an_event(browser)
    take(browser, folder, DESK, fr="evenements", en="events")


def main(folder: Path = FOLDER) -> None:
    """Write them all."""
    with tempfile.TemporaryDirectory() as work:
        write_history(Path(work))
        scratch = Path(work) / "scratch"
        scratch.mkdir()
        with (
            running_mosquitto(Path(work)) as broker,
            office_at(broker, Path(work), scratch, "office-pictures") as office,
            chromium(Path(work) / "profile") as browser,
        ):
            walk(browser, office, folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
