"""The pictures of `docs/bureau.md`: `python -m tests.browser.office_pictures` asks for a report and takes them."""

import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from selenium.webdriver import Chrome

from tests.broker import running_mosquitto
from tests.browser.conftest import chromium
from tests.browser.field_pictures import FOLDER
from tests.browser.field_work import PHONE
from tests.browser.looking import resize
from tests.browser.test_office import open_page
from tests.offices import Office, office_at, write_history

DESK = (1280, 1000)
MONTH = "/bureau?" + urlencode(
    {"kind": "flows", "place": "rue-haute", "from": "2026-10-26", "to": "2026-11-23", "compare": "week-before"}
)
EVENT = "/bureau?" + urlencode({"kind": "event", "event": "Fête de la rue"})


def take(browser: Chrome, office: Office, path: str, size: tuple[int, int], file: Path) -> None:
    """What a screen of this size shows first of a page."""
    resize(browser, *size)
    open_page(browser, office, path)
    browser.execute_script("if (innerWidth < 600) document.getElementById('report').scrollIntoView()")
    browser.save_screenshot(str(file))


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
            take(browser, office, MONTH, DESK, folder / "bureau-ordinateur.png")
            take(browser, office, EVENT, PHONE, folder / "bureau-telephone.png")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
