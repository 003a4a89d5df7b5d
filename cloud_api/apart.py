"""Work in a process of its own, so that the API answers meanwhile: one question in, one answer out.

In come a module's name and bytes for its standard input, out comes what it wrote on standard output. The process ends
with the task that waits for it.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from typing import Final

POLITE: Final = 10
"""Niceness of such a process: whoever asks the API goes first."""


class ApartError(Exception):
    """A process that ended without an answer: its status, and the last it said."""


async def ask_apart(module: str, question: bytes, *arguments: str) -> bytes:
    """What `python -m MODULE ARGUMENTS` answers. Raises `ApartError`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        answer, trouble = await process.communicate(question)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = trouble.decode(errors="replace").strip().rpartition("\n")[2]
        raise ApartError(f"it ended with {process.returncode}: {last[:200]}")
    return answer


def read_question() -> bytes:
    """In such a process: what is asked. From here on others go first."""
    os.nice(POLITE)
    return sys.stdin.buffer.read()
