"""Records of tests on the spot: who tested what, when, and what was seen. Signed, and only added to."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, insert, select

from cloud_api.registry.database import reading, writing
from cloud_api.registry.tables import ACCEPTANCE

MOST: Final = 200


class SignedRecord(Struct, frozen=True, kw_only=True):
    """A record as it was signed. What it says is its writer's business; here it is bytes."""

    id: str
    device: str
    place: str
    at: datetime
    who: str
    body: str
    """JSON, to the byte as it was signed."""
    signature: str
    """In base64."""


class AcceptanceStore:
    """The records in the registry's database. Methods block and raise `RegistryError`; safe for several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, record: SignedRecord) -> None:
        """Keep a record."""
        with writing(self._engine) as connection:
            connection.execute(insert(ACCEPTANCE).values(msgspec.structs.asdict(record)))

    def find(self, record_id: str) -> SignedRecord | None:
        """One record."""
        with reading(self._engine) as connection:
            row = connection.execute(select(ACCEPTANCE).where(ACCEPTANCE.c.id == record_id)).mappings().first()
        return None if row is None else SignedRecord(**row)

    def of_device(self, device: str) -> list[SignedRecord]:
        """The records of a device, newest first."""
        query = select(ACCEPTANCE).where(ACCEPTANCE.c.device == device).order_by(ACCEPTANCE.c.at.desc()).limit(MOST)
        with reading(self._engine) as connection:
            return [SignedRecord(**row) for row in connection.execute(query).mappings()]
