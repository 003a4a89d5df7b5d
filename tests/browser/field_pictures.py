"""The pictures of `docs/technicien.md`: `python -m tests.browser.field_pictures` walks the path and takes them."""

import sys
import tempfile
from pathlib import Path

from selenium.webdriver import Chrome

from tests.broker import running_mosquitto
from tests.browser.conftest import chromium
from tests.browser.field_work import BAY_EUI, EUI, PHONE, FieldWork, Phone, field_work
from tests.browser.looking import resize
from tests.browser.test_technician_path import BATTERY, TOTAL, adopted, installed, walked

FOLDER = Path(__file__).parents[2] / "docs" / "images"


def take(browser: Chrome, folder: Path, name: str) -> None:
    """The page from its top to its foot, as wide as a telephone."""
    height = browser.execute_script("return document.documentElement.scrollHeight")
    resize(browser, PHONE[0], max(height, PHONE[1]))
    browser.save_screenshot(str(folder / f"technicien-{name}.png"))
    resize(browser, *PHONE)


def walk(browser: Chrome, town: FieldWork, folder: Path) -> None:
    """From the box to the signed record, with a picture of every page."""
    phone = Phone(browser)
    town.switch_on(EUI, "parametric-pcr2", hint="PCR2 carton 3")
    town.switch_on(BAY_EUI, "bosch-tps110", rssi_dbm=-108)
    browser.get(town.invite())
    take(browser, folder, "lien")
    phone.tap("button.main")
    phone.wait_for(BAY_EUI)
    phone.wait_for("En direct")
    take(browser, folder, "capteurs")
    phone.tap(f"[id='heard-{EUI}'] a.button")
    phone.wait_for("Passerelle qui")
    take(browser, folder, "adopter")
    adopted(phone, EUI)
    phone.tap("a.button.main", text="Poser")
    phone.tap("#places label", text="Rue Haute")
    take(browser, folder, "poser")
    browser.back()
    installed(phone, "Rue Haute")
    town.believe(EUI)
    town.show_to(browser, TOTAL.format(in_=18, out=22), BATTERY)
    phone.wait_for("18 / 22 au compteur")
    phone.wait_for("appliqué")
    take(browser, folder, "capteur")
    phone.tap("a.button.main", text="Essai sur place")
    walked(phone, town, "« vers la gare »", before=(18, 22), after=(18, 32))
    walked(phone, town, "« vers la mairie »", before=(18, 32), after=(28, 32))
    phone.wait_for("Les deux sens sont inversés")
    take(browser, folder, "essai")


def main(folder: Path = FOLDER) -> None:
    """Write them all."""
    with (
        tempfile.TemporaryDirectory() as work,
        running_mosquitto(Path(work)) as broker,
        field_work(broker, Path(work)) as town,
        chromium(Path(work) / "profile") as browser,
    ):
        walk(browser, town, folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
