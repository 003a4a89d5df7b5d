"""The gateway's disk: a small file system of its own, which can be full, or give up and become read-only.

In comes a folder, out comes ext4 on a loop device, mounted there with `errors=remount-ro` as on a Raspberry Pi's card:
what it had not written when it gave up is gone. Where the machine lets nobody mount, the kernel's limit of file size
stands in for it.
"""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.chaos.programs import Program

SIZE_BYTES = 48_000_000
CHUNKS = (b"\0" * 65_536, b"\0" * 512, b"\0")
BALLAST = "ballast"


class Disk(Protocol):
    """What can befall a disk."""

    how: str
    """How it is brought about, in words."""
    can_be_read_only: bool
    """For whoever starts on it, too; else a program that runs is kept from writing, its log included."""

    def fill(self) -> None:
        """From now on it has room for nothing more."""

    def free(self) -> None:
        """It has room again."""

    def give_up(self) -> None:
        """From now on it is read-only, for open files too."""

    def repair(self) -> None:
        """It writes again. Nobody has a file on it open."""


class Card:
    """Guards that it is mounted whenever nobody repairs it."""

    how = "ext4 on a loop device, full to the last byte, or read-only after an error"
    can_be_read_only = True

    def __init__(self, image: Path, folder: Path) -> None:
        """Raises `CalledProcessError` or `OSError` where nobody may mount."""
        self._image = image
        self._folder = folder
        with image.open("wb") as file:
            file.truncate(SIZE_BYTES)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        self._mount()

    def fill(self) -> None:
        """Write until nothing more has room."""
        with (self._folder / BALLAST).open("ab", buffering=0) as ballast:
            for chunk in CHUNKS:
                _write_until_full(ballast.fileno(), chunk)

    def free(self) -> None:
        """Remove what was written, and see to it that it stays removed when the card gives up the next moment."""
        (self._folder / BALLAST).unlink()
        folder = os.open(self._folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def give_up(self) -> None:
        """The kernel finds an error of the file system."""
        with suppress(OSError):  # the write itself is refused by what it brings about
            Path(f"/sys/fs/ext4/{self._device}/trigger_fs_error").write_text("the rig")

    def repair(self) -> None:
        """Take it out, check it, put it in again."""
        self.remove()
        _run("fsck.ext4", "-p", str(self._image), fine=(0, 1))
        self._mount()

    def remove(self) -> None:
        """Unmount it."""
        _run("umount", str(self._folder))

    def _mount(self) -> None:
        _run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self._folder))
        device = self._folder.stat().st_dev
        self._device = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name


class LimitedDisk:
    """No disk of its own: the program's files can be kept from growing."""

    how = "nobody may mount here: the kernel's limit of file size stands for a full and for a read-only disk"
    can_be_read_only = False

    def __init__(self, program: Program) -> None:
        self._program = program

    def fill(self) -> None:
        """A write is torn in the middle of an SQLite page."""
        self._program.limit_files()

    def free(self) -> None:
        """It may write again."""
        self._program.free_files()

    def give_up(self) -> None:
        """Not a byte is written."""
        self._program.limit_files(0)

    def repair(self) -> None:
        """It may write again."""
        self._program.free_files()


@contextmanager
def disk_of(program: Program, folder: Path, image: Path) -> Iterator[Disk]:
    """A disk of its own for a program's data folder for the length of a `with`, at the end of which it has ended."""
    folder.mkdir()
    try:
        card = Card(image, folder)
    except (OSError, subprocess.CalledProcessError):
        yield LimitedDisk(program)
        return
    try:
        yield card
    finally:
        card.remove()


def _write_until_full(descriptor: int, chunk: bytes) -> None:
    while True:
        try:
            os.write(descriptor, chunk)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return


def _run(*command: str, fine: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode not in fine:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
