"""Names that are meant to do something are text in a real browser, on every kind of page."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from selenium.webdriver import Chrome

from tests.broker import running_mosquitto
from tests.browser.looking import complaints, count, open_signed_in, wait_for_state
from tests.hostile_town import EVIL, HostileTown, hostile_town

REPORT = "/bureau?" + urlencode({"kind": "flows", "from": "2026-11-21", "to": "2026-11-22"})
CAME_TO_LIFE = (
    '[src="x"], [onerror], [onmouseover], [onfocus], [autofocus], script:not([src], [type="application/json"])'
)
TEXTS = """
const attributes = [...document.querySelectorAll("*")].flatMap((each) => [...each.attributes].map((one) => one.value));
return [document.body.textContent, ...attributes].filter((text) => text.includes(arguments[0])).length;
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileTown]:
    folder = tmp_path_factory.mktemp("hostile-pages")
    with running_mosquitto(folder) as broker, hostile_town(broker, folder) as it:
        yield it


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/technician",
        "/technician/closures/marche",
        "/technician/devices/d1",
        "/technician/devices/d1/move",
        "/technician/round",
        "/bureau",
        "/bureau/events",
        REPORT,
        "/operations",
    ],
)
def test_a_name_with_a_script_in_it_is_text_on_the_page(browser: Chrome, town: HostileTown, path: str) -> None:
    open_signed_in(browser, town.address + path, town.key)
    if path == "/":
        wait_for_state(browser, "live")

    assert browser.execute_script(TEXTS, EVIL) > 0
    assert count(browser, CAME_TO_LIFE) == 0
    assert complaints(browser) == [], "a script that the policy stopped is told here"
