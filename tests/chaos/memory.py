"""A limit of memory for one program, as systemd's `MemoryMax`: a control group, whose kernel kills what takes more.

In comes a program, out comes the limit on it. Where the machine lets nobody make a group, the limit of its address
space stands in for it: then memory is refused to the program, which ends or is killed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.chaos.programs import Program

GROUPS = Path("/sys/fs/cgroup")
USED = {"memory.max": "memory.current", "memory.limit_in_bytes": "memory.usage_in_bytes"}
UNLIMITED = {"memory.max": "max", "memory.limit_in_bytes": "-1"}


class MemoryLimit(Protocol):
    """A limit that can be set and lifted."""

    how: str
    """How it is brought about, in words."""

    def hold(self, more: int) -> None:
        """From now on the program may take so many bytes more than it has."""

    async def lift(self) -> bool:
        """It may take what it likes, started again where it has ended; whether it had."""


class Group:
    """A control group of version 1 or 2 that holds the program of the day."""

    how = "a control group"

    def __init__(self, program: Program, folder: Path, limit: str) -> None:
        self._program = program
        self._folder = folder
        self._limit = folder / limit

    def hold(self, more: int) -> None:
        """What it had before it was held the first time stays charged to where it was."""
        used = int((self._folder / USED[self._limit.name]).read_text())
        self._limit.write_text(str(used + more))
        with suppress(ProcessLookupError):
            (self._folder / "cgroup.procs").write_text(str(self._program.process_id))

    async def lift(self) -> bool:
        """Start it outside of the group where the kernel has killed it."""
        self._limit.write_text(UNLIMITED[self._limit.name])
        return await self._program.start_if_ended()


class AddressSpace:
    """The kernel refuses memory, and kills nobody."""

    how = "the limit of address space, as nobody may make a control group here"

    def __init__(self, program: Program) -> None:
        self._program = program

    def hold(self, more: int) -> None:
        """What it has already counts too."""
        self._program.limit_memory(more)

    async def lift(self) -> bool:
        """One that has not ended may be half dead: it is killed, as the watchdog would."""
        await self._program.kill()
        self._program.start()
        return True


@contextmanager
def memory_limit(program: Program) -> Iterator[MemoryLimit]:
    """A limit for the length of a `with`, at the end of which the program has ended."""
    version_2 = (GROUPS / "cgroup.controllers").exists()
    parent, limit = (GROUPS, "memory.max") if version_2 else (GROUPS / "memory", "memory.limit_in_bytes")
    folder = parent / f"passerelle-chaos-{os.getpid()}-{program.name}"
    try:
        folder.mkdir()
        is_limited = (folder / limit).exists()
    except OSError:
        is_limited = False
    try:
        yield Group(program, folder, limit) if is_limited else AddressSpace(program)
    finally:
        with suppress(OSError):
            folder.rmdir()
