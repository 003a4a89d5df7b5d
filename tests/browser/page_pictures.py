"""The pictures of the README: `python -m tests.browser.page_pictures` starts the demo, and takes its page."""

import sys
import tempfile
from pathlib import Path

from tests.browser.conftest import chromium
from tests.browser.field_pictures import FOLDER
from tests.browser.field_work import PHONE
from tests.browser.looking import open_live, resize
from tests.browser.office_pictures import DESK
from tests.system.test_demo import FIRST_FIGURE_S, PREPARED_S, demo, is_forecast, is_fresh, is_told
from tests.town import until


def main(folder: Path = FOLDER) -> None:
    """Write them all."""
    with (
        tempfile.TemporaryDirectory() as work,
        demo(Path(work), "--days", "2") as (_, client),
        chromium(Path(work) / "profile") as browser,
    ):
        browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        until(lambda: is_told(Path(work)), PREPARED_S)
        until(lambda: is_fresh(client) and is_forecast(client, "place-du-marche"), FIRST_FIGURE_S)
        for name, size in {"desktop": DESK, "phone": PHONE}.items():
            resize(browser, *size)
            open_live(browser, str(client.base_url))
            browser.save_screenshot(str(folder / f"page-{name}.png"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
