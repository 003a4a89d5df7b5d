"""Radio keys of devices: what a gateway needs to read their payloads.

They are the one secret that cannot be kept as a digest. They go to the one gateway that listens to the device and
nowhere else: no answer, log or line of the audit trail holds one, only which of them there are.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Connection, Engine, delete, insert, select, update

from cloud_api.registry.database import reading, writing
from cloud_api.registry.tables import AUDIT, RADIO_KEYS, REVISION

Key = Annotated[str, Meta(pattern="^[0-9a-fA-F]{32}$")]


class RadioKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys of one device, as in `edge.messages.DeviceSettings`; 16 bytes each in hexadecimal."""

    key: Key | None = None
    """Payload key (BTHome bind key)."""
    nwk_skey: Key | None = None
    app_skey: Key | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Which keys there are; all that may be shown."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) is not None)

    def __repr__(self) -> str:
        """Without the keys."""
        return f"RadioKeys({', '.join(self.names)})"


NO_KEYS = RadioKeys()
NO_RADIO_KEYS: Final[Mapping[str, RadioKeys]] = MappingProxyType({})
"""Of no device."""


class RadioKeyStore:
    """The radio keys in the registry's database. Methods block and raise `RegistryError`; safe for several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> Mapping[str, RadioKeys]:
        """The keys of every device that has some, by address."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(RADIO_KEYS.c.address, RADIO_KEYS.c.body)).all()
        return {address: msgspec.convert(body, RadioKeys) for address, body in rows}

    def put(self, keys: Mapping[str, RadioKeys], *, by: str, at: datetime) -> None:
        """Keep the keys of devices, by address, all or none; `NO_KEYS` forgets them. Gateways hear within seconds."""
        with writing(self._engine) as connection:
            changed = [put_keys(connection, address, each, by, at) for address, each in keys.items()]
            if any(changed):
                connection.execute(update(REVISION).values(number=REVISION.c.number + 1))


def put_keys(connection: Connection, address: str, keys: RadioKeys, by: str, at: datetime) -> bool:
    """Keep the keys of one device within a change, with their trace; whether they are others than before."""
    body = connection.execute(select(RADIO_KEYS.c.body).where(RADIO_KEYS.c.address == address)).scalar()
    before = NO_KEYS if body is None else msgspec.convert(body, RadioKeys)
    if before == keys:
        return False
    connection.execute(delete(RADIO_KEYS).where(RADIO_KEYS.c.address == address))
    if keys != NO_KEYS:
        connection.execute(insert(RADIO_KEYS).values(address=address, body=msgspec.to_builtins(keys)))
    connection.execute(insert(AUDIT).values(_trace(address, by, at, before, keys)))
    return True


def _trace(address: str, by: str, at: datetime, before: RadioKeys, after: RadioKeys) -> dict[str, Any]:
    shown = {"before": before, "after": after}
    return {
        "at": at,
        "who": by,
        "kind": "radio_keys",
        "key": address,
        **{when: {"keys": keys.names} if keys.names else None for when, keys in shown.items()},
    }
