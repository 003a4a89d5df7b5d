"""Pages that are made from the code, so that they cannot go stale: the messages, and the supported devices.

In comes nothing but the declarations themselves, out comes Markdown. A test holds the committed pages to it.
"""

import ast
import inspect
import types
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from edge import messages
from edge.drivers.devices import catalogue
from edge.drivers.model import Model

MESSAGES: tuple[tuple[str, type[Struct]], ...] = (
    ("status", messages.Status),
    ("models", messages.Models),
    ("flow", messages.Flow),
    ("space/{device}", messages.Space),
    ("health/{device}", messages.HealthReport),
    ("heard", messages.Heard),
    ("dropped", messages.Dropped),
    ("config/desired", messages.Desired),
    ("config/reported", messages.Reported),
    ("stored", messages.Stored),
    ("command", messages.Command),
    ("result", messages.CommandResult),
)
PARTS: tuple[type[Struct], ...] = (
    messages.FlowInterval,
    messages.SpaceState,
    messages.DeviceHealth,
    messages.HeardDevice,
    messages.LinkHealth,
    messages.ModelInfo,
    messages.CountedLine,
    messages.DeviceSettings,
    messages.RefusedSetting,
    messages.SeqRange,
)
WORDS: tuple[tuple[str, type[StrEnum]], ...] = (
    ("Flags", messages.Flag),
    ("What is dropped", messages.Trimmed),
    ("Why it is dropped", messages.Limit),
)
MADE = "<!-- Made from the code by `passerelle docs`. Change the code, not this page. -->"


def messages_page() -> str:
    """`docs/messages.md`."""
    lines = [
        "# The messages",
        MADE,
        "",
        f"Everything that crosses MQTT, JSON in UTF-8, schema version {messages.SCHEMA}. Times are UTC, RFC 3339. "
        "A reader ignores fields it does not know and refuses a newer schema by name. A field that is absent has its "
        "default; a count that is absent is unknown, never zero. Source: `edge/messages/`.",
        "",
        f"At most {messages.MOST_UNCONFIRMED:,} messages of a gateway may be out without `stored`; a gateway has fewer "
        "out on a new connection, and while the cloud is behind. Ingest may let go of what is beyond, without an "
        "answer; what is not confirmed in time is sent again.",
        "",
        "## Every message",
        *_table(messages.Message),
    ]
    for suffix, message in MESSAGES:
        retained = "retained, " if message in messages.RETAINED else ""
        lines += ["", f"## `{messages.ROOT}/{{gateway}}/{suffix}`", f"{_doc(message)} ({retained}QoS 1)", ""]
        lines += _table(message, beyond=messages.Message)
    lines += ["", "# Parts of messages"]
    for part in PARTS:
        lines += ["", f"## {part.__name__}", _doc(part), "", *_table(part)]
    for title, words in WORDS:
        lines += ["", f"## {title}", "", "| word | meaning |", "|---|---|"]
        lines += [f"| `{word.value}` | {text} |" for word, text in zip(words, _texts(words).values(), strict=True)]
    return "\n".join(lines) + "\n"


def devices_page() -> str:
    """`docs/devices.md`."""
    models = catalogue().values()
    lines = [
        "# Supported devices",
        MADE,
        "",
        f"{len(models)} models. `passerelle devices show MODEL` prints the same; `passerelle devices decode MODEL` "
        "decodes a frame. How to add one: [adding-a-device.md](adding-a-device.md).",
        "",
        "| model | maker, product | kind | links | channels | reports every |",
        "|---|---|---|---|---|---|",
        *(_row(model) for model in models),
    ]
    for model in models:
        lines += ["", f"## {model.name}", f"{model.maker} {model.product}: {model.detects}.", "", model.mounting, ""]
        lines += [f"- fPort {port}: {text}" for port, text in model.ports.items()]
        lines += [f"- option `{name}`: {text}" for name, text in model.options.items()]
        lines += [f"- source: {model.source}"]
    return "\n".join(lines) + "\n"


def _row(model: Model) -> str:
    channels = ", ".join(
        f"{channel.name}{'' if channel.mode is None else '/' + channel.mode}"
        + ("" if channel.bits is None else f" ({channel.bits} bits)")
        for channel in model.channels
    )
    links = ", ".join(sorted(model.links))
    period = f"{model.reporting_period_s} s"
    return f"| `{model.name}` | {model.maker} {model.product} | {model.kind} | {links} | {channels or '–'} | {period} |"


def _table(struct: type[Struct], beyond: type[Struct] | None = None) -> list[str]:
    known = set() if beyond is None else {field.name for field in msgspec.structs.fields(beyond)}
    rows = [_field_row(struct, field) for field in msgspec.structs.fields(struct) if field.name not in known]
    return ["| field | type | default | meaning |", "|---|---|---|---|", *rows]


def _field_row(struct: type[Struct], field: msgspec.structs.FieldInfo) -> str:
    hint = get_type_hints(struct)[field.name]
    default = (
        "required" if field.required else "empty" if field.default is msgspec.NODEFAULT else f"`{field.default!r}`"
    )
    meaning = _texts(struct).get(field.name, "")
    return f"| `{field.encode_name}` | {_type_name(hint)} | {default} | {meaning} |"


def _type_name(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type_name(arguments[0])
    if origin in (Union, types.UnionType):
        return " or ".join(_type_name(argument) for argument in arguments)
    if origin is dict:
        return f"map of {_type_name(arguments[1])}"
    if origin is tuple and arguments[-1] is Ellipsis:
        return f"list of {_type_name(arguments[0])}"
    if origin is tuple:
        return f"{len(arguments)} × {_type_name(arguments[0])}"
    return "null" if hint is type(None) else str(getattr(hint, "__name__", hint))


def _doc(described: type) -> str:
    return " ".join((described.__doc__ or "").split())


def _texts(described: type) -> dict[str, str]:
    """The docstrings under the fields of a class and its bases, by field name."""
    texts: dict[str, str] = {}
    for base in reversed(described.__mro__[:-1]):
        if base.__module__.startswith(messages.__name__):
            texts.update(_texts_below(ast.parse(inspect.getsource(base)).body[0]))
    return texts


def _texts_below(node: ast.stmt) -> Iterator[tuple[str, str]]:
    body = node.body if isinstance(node, ast.ClassDef) else []
    for statement, following in pairwise(body):
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0] if isinstance(statement.targets[0], ast.Name) else None
        if (
            isinstance(target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            yield target.id, " ".join(str(following.value.value).split())
