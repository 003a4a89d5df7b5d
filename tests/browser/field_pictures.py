"""The pictures of `docs/technicien.md` and `docs/technician.md`, each in its language.

`python -m tests.browser.field_pictures` walks the path in French and takes them.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from selenium.webdriver import Chrome

from cloud_api.web.technician.english import ENGLISH
from cloud_api.web.technician.french import FRENCH
from cloud_api.web.technician.room import LANGUAGE
from cloud_api.web.technician.words import Words
from tests.broker import running_mosquitto
from tests.browser.conftest import chromium
from tests.browser.field_work import BAY_EUI, EUI, PHONE, FieldWork, Phone, field_work
from tests.browser.looking import resize
from tests.browser.test_technician_path import BATTERY, TOTAL, adopted, installed, walked

FOLDER = Path(__file__).parents[2] / "docs" / "images"


Again = Callable[[Words], None]


def nothing(_: Words) -> None:
    """For a page that comes back as it was."""


def take(browser: Chrome, folder: Path, *, fr: str, en: str, again: Again = nothing) -> None:
    """The page from its top to its foot, as wide as a telephone, in both languages.

    `again` brings back what goes when a page is loaded anew. The walk goes on in French.
    """
    for words, name in ((ENGLISH, f"technician-{en}"), (FRENCH, f"technicien-{fr}")):
        browser.add_cookie({"name": LANGUAGE, "value": words.lang})
        browser.refresh()
        again(words)
        height = browser.execute_script("return document.documentElement.scrollHeight")
        resize(browser, PHONE[0], max(height, PHONE[1]))
        browser.save_screenshot(str(folder / f"{name}.png"))
        resize(browser, *PHONE)


def walk(browser: Chrome, town: FieldWork, folder: Path) -> None:
    """From the box to the signed record, with a picture of every page."""
    phone = Phone(browser)
    town.switch_on(EUI, "parametric-pcr2", hint="PCR2 carton 3")
    town.switch_on(BAY_EUI, "bosch-tps110", rssi_dbm=-108)
    browser.get(town.invite())
    take(browser, folder, fr="lien", en="link")
    phone.tap("button.main")
    phone.wait_for(BAY_EUI)
    take(browser, folder, fr="capteurs", en="sensors", again=lambda words: phone.wait_for(words.live))
    phone.tap(f"[id='heard-{EUI}'] a.button")
    phone.wait_for("Passerelle qui")
    take(browser, folder, fr="adopter", en="adopt")
    adopted(phone, EUI)
    phone.tap("a.button.main", text="Poser")
    take(browser, folder, fr="poser", en="install", again=lambda _: phone.tap("#places label", text="Rue Haute"))
    browser.back()
    installed(phone, "Rue Haute")
    town.believe(EUI)

    def speaking(_: Words) -> None:
        town.show_to(browser, TOTAL.format(in_=18, out=22), BATTERY)
        phone.wait_for("18 / 22")

    phone.wait_for("appliqué")
    take(browser, folder, fr="capteur", en="sensor", again=speaking)
    phone.tap("a.button.main", text="Essai sur place")
    walked(phone, town, "« vers la gare »", before=(18, 22), after=(18, 32))
    walked(phone, town, "« vers la mairie »", before=(18, 32), after=(28, 32))
    phone.wait_for("Les deux sens sont inversés")
    take(browser, folder, fr="essai", en="test")


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
