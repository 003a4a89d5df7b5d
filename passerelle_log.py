"""How a program of ours writes its log: lines for people, or a JSON object a line for those who gather logs.

The gateway and the platform write alike, and take it from here: it belongs to neither, and imports nothing of either.
"""

import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum

import msgspec
from msgspec import Struct


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the log as JSON."""

    at: datetime
    """UTC."""
    level: str
    """`debug`, `info`, `warning`, `error` or `critical`."""
    logger: str
    """Which part of the program speaks."""
    message: str
    error: str | None = None
    """The traceback, where there is one."""


class JsonLines(logging.Formatter):
    """Writes each record as one `Line`."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object without a line break."""
        line = Line(
            at=datetime.fromtimestamp(record.created, UTC),
            level=record.levelname.lower(),
            logger=record.name,
            message=record.getMessage(),
            error=self.formatException(record.exc_info) if record.exc_info else None,
        )
        return msgspec.json.encode(line).decode()


def set_up_log(level: str, form: LogFormat, text: str) -> None:
    """Log to standard error from `level` on; `text` is the pattern of a line for people."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else logging.Formatter(text))
    logging.basicConfig(level=level, handlers=[handler])
