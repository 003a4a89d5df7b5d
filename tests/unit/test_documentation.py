"""The committed pages say what the code says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.documentation import devices_page, messages_page

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("name", "page"), [("messages.md", messages_page), ("devices.md", devices_page)])
def test_the_page_is_what_passerelle_docs_writes(name: str, page: Callable[[], str]) -> None:
    assert (DOCS / name).read_text() == page(), "run `make docs` and commit the page"
