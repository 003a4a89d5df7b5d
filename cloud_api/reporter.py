"""Reports for whoever asks the API: one at a time, each in a process of its own."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from cloud_api.event_writing import Writer, keep_calendar
from cloud_api.registry.contradictions import tables_of
from cloud_api.registry.current import CurrentRegistry
from cloud_api.registry.event_editions import EventEdition
from cloud_api.registry.files.draft import PlacesError
from cloud_api.registry.office_events import OfficeEventStore
from cloud_api.reports.apart import Question, file_apart
from cloud_api.reports.asking import AskError, Texts
from cloud_api.reports.formats import Format
from cloud_api.reports.making import Source
from cloud_api.trust import Cause

WHO: Final = "passerelle api"
"""Who writes down what the calendar's file says, in the audit trail."""


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
        named = await asyncio.to_thread(self._known)
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

    def _known(self) -> tuple[EventEdition, ...]:
        """What the office wrote, after what the calendar's file says now is written down with it."""
        if self.source.calendar is not None:
            try:
                keep_calendar(self._events, Path(self.source.calendar), Writer(WHO, self._clock()))
            except PlacesError as error:
                raise AskError("calendar", Cause(f"l’agenda ne peut pas être lu : {error}", str(error))) from error
        return self._events.all()
