"""Files that must not be there yet, with the mode that they have from their first byte on."""

import os
from pathlib import Path


def write_new(file: Path, content: bytes, mode: int) -> None:
    """Write a new file. Raises `OSError`; `FileExistsError` where there is one."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
