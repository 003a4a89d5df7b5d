"""What a form asks for is done once, however often a weak network sends it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, Generic, TypeVar

from starlette.datastructures import FormData

from cloud_api.access import Caller

Value = TypeVar("Value")
MOST_REMEMBERED: Final = 2_000


class Once(Generic[Value]):
    """Guards that one number of one caller is worked on once. What failed is forgotten: it may be sent again.

    Belongs to the event loop.
    """

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], asyncio.Task[Value]] = {}

    async def do(self, caller: Caller, form: FormData, work: Callable[[], Coroutine[None, None, Value]]) -> Value:
        """What came of it, now or the first time; a form without a number is done each time."""
        name = (caller.name, str(form.get("request", "")))
        known = self._answers.get(name)
        if known is None or not name[1]:
            known = asyncio.create_task(work())
            self._remember(name, known)
        try:
            return await asyncio.shield(known)
        except Exception:
            self._answers.pop(name, None)
            raise

    def _remember(self, name: tuple[str, str], work: asyncio.Task[Value]) -> None:
        self._answers[name] = work
        if len(self._answers) > MOST_REMEMBERED:
            del self._answers[next(iter(self._answers))]
