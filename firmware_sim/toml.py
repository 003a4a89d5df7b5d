"""TOML, written: tables of strings, numbers, times and positions. In come values, out comes text; it reads nothing."""

import json
from collections.abc import Mapping
from datetime import datetime

Value = str | int | float | bool | datetime | Mapping[str, str | float]


def table(name: str, /, **fields: Value) -> str:
    """One table; with a name in brackets (`[device]`) the next entry of an array of tables."""
    return "\n".join((f"[{name}]", *(f"{key} = {_written(value)}" for key, value in fields.items()), ""))


def _written(value: Value) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_written(each)}" for key, each in value.items()) + " }"
        case _:
            return json.dumps(value, ensure_ascii=False)  # strings, numbers and truth values are written as in JSON
