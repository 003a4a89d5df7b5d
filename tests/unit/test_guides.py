"""The guides keep their word: every command that they name is there, and every link leads to a file."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_group

from passerelle import EXTRAS, app

REPOSITORY = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(str(page.relative_to(REPOSITORY)) for page in (REPOSITORY / "docs").glob("*.md"))]
CODE = re.compile(r"```.*?```|^(?: {4}|\t)[^\n]*$|`[^`]+`", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"(?<![\w/.@-])(?<!-u )passerelle((?:[ |][a-z][a-z-]*)+)(?![\w/.=:@])")
LINK = re.compile(r"""\]\((?P<markdown>[^)\s]+)\)|(?:src|href)="(?P<html>[^"]+)\"""")


def test_a_word_that_is_no_command_is_found() -> None:
    assert list(unknown("`passerelle gateway conjure mairie`")) == ["passerelle gateway conjure"]
    assert list(unknown("`passerelle backup|conjure`")) == ["passerelle conjure"]
    assert list(unknown("`passerelle gateway invite mairie`, and passerelle conjure in prose")) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_guide_names_is_there(page: str) -> None:
    assert list(unknown((REPOSITORY / page).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_guide_leads_to_a_file(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    targets = [match["markdown"] or match["html"] for match in LINK.finditer(CODE.sub("", text))]
    files = [target.partition("#")[0] for target in targets if "://" not in target]
    assert [file for file in files if file and not (REPOSITORY / page).parent.joinpath(file).exists()] == []


def unknown(text: str) -> Iterator[str]:
    """The commands in a page's code that there are not."""
    for code in CODE.findall(text):
        for match in COMMAND.finditer(code):
            first, *rest = match[1].split()
            for word in first.split("|"):
                missing = missing_at([word, *rest])
                if missing:
                    yield f"passerelle {missing}"


def missing_at(words: list[str]) -> str | None:
    """The words up to the first that is no command, where one was due; None when all are there."""
    groups = command_groups()
    path: tuple[str, ...] = ()
    for word in words:
        if path not in groups:
            return None
        if word not in groups[path]:
            return None if path in RUN_ALONE else " ".join((*path, word))
        path = (*path, word)
    return None


RUN_ALONE = {("edge",)}
"""Groups that do something without a further word."""


@cache
def command_groups() -> dict[tuple[str, ...], set[str]]:
    """Each group of commands by its words, with the words that may follow."""
    tops: list[tuple[tuple[str, ...], typer.Typer]] = [((), app)]
    names: dict[tuple[str, ...], set[str]] = {}
    for extra in EXTRAS:
        names.setdefault(extra.words[:-1], set()).add(extra.words[-1])
        brought = getattr(import_module(extra.module), extra.function)
        if isinstance(brought, typer.Typer):
            tops.append((extra.words, brought))
    for words, top in tops:
        collect(names, words, get_group(top))
    return names


def collect(names: dict[tuple[str, ...], set[str]], path: tuple[str, ...], group: TyperGroup) -> None:
    """Add a group, and those within."""
    names.setdefault(path, set()).update(group.commands)
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            collect(names, (*path, name), command)
