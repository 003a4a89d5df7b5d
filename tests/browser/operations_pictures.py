"""The picture of `docs/operations.md`: `python -m tests.browser.operations_pictures` watches a town and takes it."""

import sys
import tempfile
from pathlib import Path

from tests.broker import running_mosquitto
from tests.browser.conftest import chromium
from tests.browser.field_pictures import FOLDER
from tests.browser.looking import find, open_signed_in, resize
from tests.watched_town import watched_town

DESK = (1100, 1080)


def main(folder: Path = FOLDER) -> None:
    """Write it."""
    with (
        tempfile.TemporaryDirectory() as work,
        running_mosquitto(Path(work)) as broker,
        watched_town(broker, Path(work)) as town,
        chromium(Path(work) / "profile") as browser,
    ):
        resize(browser, *DESK)
        open_signed_in(browser, f"{town.address}/operations", town.key)
        find(browser, ".concerns summary").click()
        browser.save_screenshot(str(folder / "operations.png"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
