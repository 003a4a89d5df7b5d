"""A log is lines for people or JSON objects for machines, whatever is in a message."""

import logging
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle_log import JsonLines, Line

SPEAK = """
import logging
from passerelle_log import LogFormat, set_up_log
set_up_log("INFO", LogFormat("{form}"), "%(levelname)s %(name)s: %(message)s")
logging.getLogger("edge.gateway").debug("not told")
logging.getLogger("edge.gateway").warning("link %s is down", "ble")
"""


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_record_is_one_line_that_gives_its_message_back(message: str) -> None:
    record = logging.LogRecord("edge.gateway", logging.WARNING, "", 1, "%s", (message,), None)
    line = JsonLines().format(record)

    assert "\n" not in line
    told = msgspec.json.decode(line, type=Line)
    assert (told.level, told.logger, told.message, told.error) == ("warning", "edge.gateway", message, None)


def test_a_traceback_is_told_in_its_line() -> None:
    error = ValueError("no such zone")
    record = logging.LogRecord("cloud_api", logging.ERROR, "", 1, "failed", None, (ValueError, error, None))

    told = msgspec.json.decode(JsonLines().format(record), type=Line)
    assert told.error is not None
    assert "no such zone" in told.error


@pytest.mark.parametrize(("form", "begins"), [("text", "WARNING edge.gateway: link ble is down"), ("json", '{"at":"')])
def test_a_program_writes_the_form_it_is_told_from_its_level_on(form: str, begins: str, tmp_path: Path) -> None:
    spoken = subprocess.run(
        [sys.executable, "-c", SPEAK.format(form=form)], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    (line,) = spoken.stderr.splitlines()
    assert line.startswith(begins)
