"""Files that must not be there yet, with the mode that they have from their first byte on."""

import os
from pathlib import Path
from typing import IO, Final

PRIVATE: Final = 0o600
"""For its owner alone."""


def open_new(file: Path, mode: int = PRIVATE) -> IO[bytes]:
    """A new file, open to be written. Raises `OSError`; `FileExistsError` where there is one."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")


def write_new(file: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write a new file. Raises `OSError`; `FileExistsError` where there is one."""
    with open_new(file, mode) as opened:
        opened.write(content)
