"""docs/security.md names tests; each is there."""

import re

import pytest

from tests.system.programs import REPOSITORY

NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (REPOSITORY / "docs" / "security.md").read_text())


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_the_page_on_security_names_is_there(file: str, test: str) -> None:
    assert f"def {test}(" in (REPOSITORY / file).read_text()


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 15
