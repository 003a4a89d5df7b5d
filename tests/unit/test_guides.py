"""The guides keep their word: every command and option that they name is there, and every link leads to a place."""

import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from passerelle import EXTRAS, app

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    *(page.name for page in sorted(REPOSITORY.glob("*.md"))),
    *(str(page.relative_to(REPOSITORY)) for page in sorted((REPOSITORY / "docs").glob("*.md"))),
]
CODE = re.compile(r"```.*?```|^(?: {4}|\t)[^\n]*$(?:\n(?: {4}|\t)[^\n]*$)*|`[^`]+`", re.DOTALL | re.MULTILINE)
FENCED = re.compile(r"```.*?```", re.DOTALL)
COMMAND = re.compile(r"(?<![\w/.@-])(?<!-u )passerelle((?:[ |][a-z][a-z-]*)+)(?![\w/.=:@])")
LINE = re.compile(r"(?<![\w.@-])(?<!-u )passerelle ((?:[^\n`\\#;&>|]|\\\n|(?<=\w)\|(?=\w))+)")
"""What stands after the program's name, to the end of its line or of its part of a pipe, a backslash carrying it on."""
LINK = re.compile(r"""\]\((?P<markdown>[^)\s]+)\)|(?:src|href)="(?P<html>[^"]+)\"""")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
ROOMS = ("edge", "cloud_api", "firmware_sim", "passerelle_demo")
RUN_ALONE = {("edge",)}
"""Groups that do something without a further word."""


def test_a_word_that_is_no_command_is_found() -> None:
    assert list(unknown_commands("`passerelle gateway conjure mairie`")) == ["passerelle gateway conjure"]
    assert list(unknown_commands("`passerelle backup|conjure`")) == ["passerelle conjure"]
    assert list(unknown_commands("`passerelle gateway invite mairie`, and passerelle conjure in prose")) == []


def test_an_option_that_a_command_does_not_have_is_found() -> None:
    assert list(unknown_options("`passerelle gateway invite mairie --conjure 3`")) == [
        "passerelle gateway invite --conjure"
    ]
    assert list(unknown_options("```\npasserelle key create x \\\n  --scope y --conjure=1 | tee -a\n```")) == [
        "passerelle key create --conjure"
    ]
    assert list(unknown_options("`passerelle edge --check` and `passerelle key|person list --registry r`")) == []
    assert list(unknown_options("`passerelle key|status list --registry r`")) == ["passerelle status --registry"]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_guide_names_is_there(page: str) -> None:
    assert list(unknown_commands(text_of(page))) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_option_that_a_guide_names_is_there(page: str) -> None:
    assert list(unknown_options(text_of(page))) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_guide_leads_to_a_file_and_a_heading(page: str) -> None:
    assert [target for target in targets(page) if not leads_somewhere(page, target)] == []


def test_every_guide_can_be_reached_from_the_readme() -> None:
    reached, fresh = {"README.md"}, ["README.md"]
    while fresh:
        fresh = [page for page in PAGES if page not in reached and any(leads_to(page, other) for other in fresh)]
        reached.update(fresh)
    assert sorted(set(PAGES) - reached) == []


def test_every_module_that_the_design_names_is_there() -> None:
    named = set(re.findall(r"(?<![\w*/])\w+\.py\b", text_of("docs/architecture.md")))
    ours = [*REPOSITORY.glob("*.py"), *(file for room in ROOMS for file in (REPOSITORY / room).rglob("*.py"))]
    assert sorted(named - {file.name for file in ours}) == []


def text_of(page: str) -> str:
    """A page of ours."""
    return (REPOSITORY / page).read_text(encoding="utf-8")


def targets(page: str) -> list[str]:
    """What a page links to in this repository."""
    found = [match["markdown"] or match["html"] for match in LINK.finditer(CODE.sub("", text_of(page)))]
    return [target for target in found if "://" not in target]


def leads_to(page: str, other: str) -> bool:
    """Whether the other page has a link to this one."""
    paths = ((REPOSITORY / other).parent / target.partition("#")[0] for target in targets(other))
    return any(path.resolve() == REPOSITORY / page for path in paths)


def leads_somewhere(page: str, target: str) -> bool:
    """The file is there, and the heading in it."""
    file, _, heading = target.partition("#")
    path = (REPOSITORY / page).parent / file if file else REPOSITORY / page
    return path.exists() and (not heading or heading in anchors(path.read_text(encoding="utf-8")))


def anchors(text: str) -> set[str]:
    """The names that GitHub gives a page's headings."""
    headings = (re.sub(r"[^\w -]", "", heading.lower()) for heading in HEADING.findall(FENCED.sub("", text)))
    return {heading.replace(" ", "-") for heading in headings}


def unknown_commands(text: str) -> Iterator[str]:
    """The commands in a page's code that there are not."""
    for code in CODE.findall(text):
        for match in COMMAND.finditer(code):
            for words in spelled_out(match[1].split()):
                missing = missing_at(words)
                if missing:
                    yield f"passerelle {missing}"


def unknown_options(text: str) -> Iterator[str]:
    """The options in a page's code that their commands do not have, each with its command."""
    for code in CODE.findall(text):
        for match in LINE.finditer(code):
            for words in spelled_out(split(match[1])):
                path, command = command_at(words)
                known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
                asked = [word.partition("=")[0] for word in words if re.match("--?[a-z]", word)]
                yield from (
                    " ".join(("passerelle", *path, option)) for option in asked if option not in {*known, "--help"}
                )


def split(line: str) -> list[str]:
    """A command line's words, as a shell would see them; prose with a single apostrophe by its spaces."""
    line = re.sub(r"\$\([^)]*\)", "…", line)
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def spelled_out(words: list[str]) -> Iterator[list[str]]:
    """`backup|restore FILE` as what it stands for."""
    first, *rest = words
    for word in first.split("|"):
        yield [word, *rest]


def missing_at(words: list[str]) -> str | None:
    """The words up to the first that is no command, where one was due; None when all are there."""
    path, command = command_at(words)
    if not isinstance(command, TyperGroup) or path in RUN_ALONE or len(path) == len(words):
        return None
    return " ".join((*path, words[len(path)]))


def command_at(words: list[str]) -> tuple[tuple[str, ...], TyperCommand | TyperGroup]:
    """How far words name a command, and the command."""
    path: tuple[str, ...] = ()
    while len(path) < len(words) and (*path, words[len(path)]) in commands():
        path = (*path, words[len(path)])
    return path, commands()[path]


@cache
def commands() -> dict[tuple[str, ...], TyperCommand | TyperGroup]:
    """Every command and group by its words, those of the extras too."""
    found: dict[tuple[str, ...], TyperCommand | TyperGroup] = {}
    collect(found, (), get_group(app))
    for extra in EXTRAS:
        collect(found, extra.words, brought_by(getattr(import_module(extra.module), extra.function)))
    return found


def brought_by(it: Callable[..., None] | typer.Typer) -> TyperCommand | TyperGroup:
    """A group as it is, a function as the command that it becomes."""
    if isinstance(it, typer.Typer):
        return get_group(it)
    alone = typer.Typer()
    alone.command()(it)
    command = get_command(alone)
    assert isinstance(command, TyperCommand)
    return command


def collect(
    found: dict[tuple[str, ...], TyperCommand | TyperGroup],
    path: tuple[str, ...],
    command: TyperCommand | TyperGroup,
) -> None:
    """Add a command, and those within."""
    found[path] = command
    if isinstance(command, TyperGroup):
        for name, within in command.commands.items():
            assert isinstance(within, TyperCommand | TyperGroup)
            collect(found, (*path, name), within)
