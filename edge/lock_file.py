"""One process at a time: a file that is locked for as long as its holder lives, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file for the length of a `with`; it and its folder are made where they are not there yet.

    Raises `BlockingIOError` when another process holds it, another `OSError` when it cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
