"""A file that is there whole or not at all, whatever is interrupted."""

import os
import shutil
from pathlib import Path

SECRET = 0o600
READABLE = 0o644


def place(path: Path, content: bytes, mode: int, owner: Path | None = None) -> None:
    """Put a file in its place at once, on the disk too. As root it belongs to whom `owner` belongs to.

    Raises `OSError`.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0 and owner is not None and owner.exists():
        shutil.chown(draft, owner.stat().st_uid, owner.stat().st_gid)
    move(draft, path)


def move(draft: Path, path: Path) -> None:
    """Let a file take another's place at once, on the disk too. Raises `OSError`."""
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
