"""A store that is not always there, and that is not pleased with everything."""

from collections.abc import Sequence
from pathlib import Path

from cloud_api.stores.base import Fact, RefusedFactError, StoredFlow, StoreError
from cloud_api.stores.sqlite import SqliteStore


class MoodyStore(SqliteStore):
    """A real store that can be away, and that refuses facts of one device for good."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.away = False

    def write(self, facts: Sequence[Fact]) -> None:
        if self.away:
            raise StoreError("away")
        for fact in facts:
            if isinstance(fact, StoredFlow) and fact.interval.device == "refused":
                raise RefusedFactError(fact, "field type conflict")
        super().write(facts)
