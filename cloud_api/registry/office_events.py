"""Events that the office named: every edition of each, who wrote it and when. Editions are only added."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, Select, insert, select

from cloud_api.registry.database import reading, writing
from cloud_api.registry.errors import RegistryError
from cloud_api.registry.event_editions import EventEdition
from cloud_api.registry.tables import AUDIT, OFFICE_EVENT

INSTANT: Final = timedelta(microseconds=1)
"""Between an edition and the next, at least: a report as of one knows it and none after it."""


class EditedMeanwhileError(RegistryError):
    """Somebody else wrote a later edition than the one that was seen."""

    def __init__(self, event: str, seen: int, newest: int) -> None:
        super().__init__(f"event {event}: changed meanwhile (seen edition {seen}, now {newest}); look again")


class OfficeEventStore:
    """The editions in the registry's database. Methods block and raise `RegistryError`; safe for several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> tuple[EventEdition, ...]:
        """Every edition that ever was, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(OFFICE_EVENT).order_by(OFFICE_EVENT.c.number)).mappings()
            return tuple(EventEdition(**row) for row in rows)

    def write(
        self, event: str, body: Mapping[str, Any] | None, *, seen: int, by: str, at: datetime
    ) -> EventEdition | None:
        """Add an edition of an event whose newest was `seen` (0: there was none); None where it says nothing new.

        Raises `EditedMeanwhileError`.
        """
        with writing(self._engine) as connection:
            newest = _first(connection, _NEWEST.where(OFFICE_EVENT.c.event == event))
            before = None if newest is None else newest.body
            if before == body:
                return None
            number = 0 if newest is None else newest.number
            if number != seen:
                raise EditedMeanwhileError(event, seen, number)
            last = _first(connection, _NEWEST)
            moment = at if last is None else max(last.at + INSTANT, at)
            row = {"event": event, "at": moment, "who": by, "body": body}
            written = connection.execute(insert(OFFICE_EVENT).values(row).returning(OFFICE_EVENT.c.number)).scalar_one()
            trace = {"at": moment, "who": by, "kind": "office_event", "key": event, "before": before, "after": body}
            connection.execute(insert(AUDIT).values(trace))
        return msgspec.convert({**row, "number": written}, EventEdition)


_NEWEST: Final = select(OFFICE_EVENT).order_by(OFFICE_EVENT.c.number.desc()).limit(1)


def _first(connection: Connection, query: Select[Any]) -> EventEdition | None:
    row = connection.execute(query).mappings().first()
    return None if row is None else EventEdition(**row)
