"""Writes into a gateway's configuration who it is and how the broker lets it in; all else in the file stays. Pure.

In come a file's text and an identity, out comes the new text. What cannot be edited so that nothing else changes is
refused before anything is written.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge.ports import SerialPort

HEADER = re.compile(r"\s*\[\[?\s*(?P<table>[A-Za-z0-9_-]+)\s*\]\]?\s*(#.*)?$")
NAME = re.compile(r"\s*name\s*=")
Values = Mapping[str, str | int]
"""A section's lines, by key."""
Editor = Callable[[list[str]], list[str]]
"""Makes a section's lines anew."""

TEMPLATE = """\
# Written by `passerelle edge enrol`. Check it with: passerelle edge --check, then: passerelle doctor
# What its sensors hang on is added here as [[link]] sections: gateway.toml.example says what each line is for.

[gateway]
name = ""
data = "/var/lib/passerelle"       # the outbox; must survive a restart

"""
NO_PORTS = """\
# No serial port is plugged in. `passerelle devices ports` lists them when one is.
"""
PORTS = """\
# Serial ports that are plugged in now; say what is on them and take the # away.
"""


class UneditableError(ValueError):
    """A text in which the identity cannot be written: why."""


def with_identity(text: str, name: str, broker: Values) -> str:
    """The configuration of the gateway `name` at a broker. Raises `UneditableError`."""
    sections = _sections(text)
    for table, edited in (("gateway", _named(name)), ("broker", _broker(broker))):
        places = [index for index, section in enumerate(sections) if _table(section) == table]
        if places:
            sections[places[0]] = edited(sections[places[0]])
        else:
            sections.insert(1, edited([f"[{table}]", ""]))
    written = "\n".join(line for section in sections for line in section) + "\n"
    _refuse_unless_equal(written, _expected(text, name, broker))
    return written


def template(ports: Sequence[SerialPort]) -> str:
    """A configuration for a gateway that has none, with a link in comments for each serial port."""
    if not ports:
        return TEMPLATE + NO_PORTS
    return TEMPLATE + PORTS + "".join(map(_suggestion, ports))


def _suggestion(port: SerialPort) -> str:
    lasting = str(port.by_id or port.usb or port.path)
    return (
        f"\n# {port.path}: {port.product or 'says nothing of itself'}\n"
        '# [[link]]\n# kind = "serial"                  # or "rak3172", "modbus"\n# name = "wire"\n'
        f'# port = {_quoted(lasting)}\n# model = "hlk-ld2450"             # passerelle devices list\n'
    )


def _sections(text: str) -> list[list[str]]:
    """The lines before the first table, then those of each, its header first."""
    sections: list[list[str]] = [[]]
    for line in text.removesuffix("\n").split("\n"):
        if HEADER.match(line):
            sections.append([])
        sections[-1].append(line)
    return sections


def _table(section: Sequence[str]) -> str | None:
    header = HEADER.match(section[0]) if section else None
    return None if header is None else header["table"]


def _named(name: str) -> Editor:
    def lines(section: list[str]) -> list[str]:
        header, *others = section
        return [header, f"name = {_quoted(name)}", *(line for line in others if not NAME.match(line))]

    return lines


def _broker(values: Values) -> Editor:
    def lines(section: list[str]) -> list[str]:
        return ["[broker]", *(f"{key} = {_quoted(value)}" for key, value in values.items()), *_tail(section)]

    return lines


def _tail(section: Sequence[str]) -> list[str]:
    """Empty lines and comments at the end: they are about what follows."""
    last = max(index for index, line in enumerate(section) if line.strip() and not line.lstrip().startswith("#"))
    return list(section[last + 1 :])


def _quoted(value: str | int) -> str:
    """As TOML has it: JSON's strings and numbers are TOML's too, but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _expected(text: str, name: str, broker: Values) -> dict[str, Any]:
    document = _parsed(text)
    return {**document, "gateway": {**document.get("gateway", {}), "name": name}, "broker": dict(broker)}


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UneditableError(f"not TOML: {error}") from error


def _refuse_unless_equal(written: str, expected: Mapping[str, Any]) -> None:
    if _parsed(written) != expected:
        raise UneditableError("[gateway] and [broker] are not written as sections of lines KEY = VALUE; write them so")
