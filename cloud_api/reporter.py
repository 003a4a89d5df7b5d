"""Reports for whoever asks the API: one at a time, each in a process of its own."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from cloud_api.registry.contradictions import tables_of
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.office_events import OfficeEventStore
from cloud_api.reports.apart import Question, file_apart
from cloud_api.reports.asking import Texts
from cloud_api.reports.formats import Format
from cloud_api.reports.making import Source


class Reporter:
    """Guards that one report is made at a time, whoever asks: they are work for a processor."""

    def __init__(
        self, source: Source, places: CurrentRegistry, events: OfficeEventStore, clock: Callable[[], datetime]
    ) -> None:
        self.source = source
        self._places = places
        self._events = events
        self._clock = clock
        self._turn = asyncio.Lock()

    async def file(self, texts: Texts, form: Format) -> bytes:
        """The report as a file. Raises `AskError` for what makes no sense, `StoreError` and `RegistryError`."""
        named = await asyncio.to_thread(self._events.all)
        question = Question(
            texts=texts,
            now=self._clock(),
            form=form,
            source=self.source,
            town=tables_of(self._places.now.entries),
            named=named,
        )
        async with self._turn:
            return await file_apart(question)
