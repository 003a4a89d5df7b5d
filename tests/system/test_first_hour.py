"""The first hour, walked as its page says: every block run as it stands, every promise seen.

Its first chapter needs a demo, and is followed where one runs: in `test_demo`.
"""

from pathlib import Path

import pytest

from tests.broker import free_port
from tests.guide import Block, blocks, chapters, keeps, walking

DOCS = Path(__file__).parents[2] / "docs"
PAGE, TWIN = (DOCS / name for name in ("first-hour.md", "premiere-heure.md"))


def test_a_promise_is_kept_by_its_lines_in_order() -> None:
    assert keeps("a … c\n…\nd", "x\n  a b c\nmore\nd.")
    assert not keeps("d\na", "a\nd")
    assert not keeps("(a)", "a")


def test_a_block_says_what_it_is() -> None:
    assert blocks("prose\n```sh terminal=bay\nls\n```\n```text\nx\n```\n") == [
        Block("sh", {"terminal": "bay"}, "ls\n"),
        Block("text", {}, "x\n"),
    ]


def test_the_french_page_has_the_very_same_blocks() -> None:
    assert blocks(TWIN.read_text()) == blocks(PAGE.read_text())
    assert len(chapters(TWIN.read_text())) == len(chapters(PAGE.read_text()))


@pytest.mark.slow
def test_a_newcomer_comes_to_a_figure_of_his_own_and_cannot_break_it(tmp_path: Path) -> None:
    activating, *_ = (block for block in blocks(PAGE.read_text()) if "preamble" in block.marks)
    _, *own, _ = chapters(PAGE.read_text())
    with walking(tmp_path, {port: str(free_port()) for port in ("8001", "1884")}) as walk:
        walk.follow([activating, *(block for chapter in own for block in blocks(chapter))])
