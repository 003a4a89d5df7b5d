"""What a program of ours logs, line by line, to wait for and to count."""

import asyncio
import logging
import queue
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 30


class Log(logging.Handler):
    """All lines since it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._new: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self._new.put(record.getMessage())

    async def says(self, *beginnings: str) -> None:
        """Return when a line has begun with each of them, in any order. Raises `queue.Empty` when none comes."""
        missing = set(beginnings)
        while missing:
            line = await asyncio.to_thread(self._new.get, timeout=PATIENCE_S)
            missing -= {beginning for beginning in missing if line.startswith(beginning)}

    def with_beginning(self, beginning: str) -> list[str]:
        """The lines that begin so."""
        return [line for line in self.lines if line.startswith(beginning)]


@contextmanager
def logged(name: str) -> Iterator[Log]:
    """What the logger of that name says within a `with`."""
    handler, logger = Log(), logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
