"""Pictures of sensors where they were installed: taken on the spot, kept beside the registry, never changed."""

import secrets
from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import Engine, insert, select

from cloud_api.registry.database import reading, writing
from cloud_api.registry.tables import PHOTO

LARGEST_PHOTO: Final = 2_000_000
"""Bytes; a telephone makes them smaller before it sends them."""
SIGNS: Final = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
"""How the files begin that are taken, and what they are."""


class WrongPhotoError(Exception):
    """A picture that is not taken: what was expected."""


class Photo(Struct, frozen=True, kw_only=True):
    """What is known of a picture."""

    id: str
    place: str
    device: str
    at: datetime
    who: str


class PhotoStore:
    """The pictures in the registry's database. Methods block and raise `RegistryError`; safe for several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, body: bytes, *, place: str, device: str, who: str, at: datetime) -> Photo:
        """Keep a picture. Raises `WrongPhotoError`."""
        photo = Photo(id=secrets.token_hex(8), place=place, device=device, at=at, who=who)
        row = {"id": photo.id, "place": place, "device": device, "at": at, "who": who}
        media_type = media_type_of(body)
        with writing(self._engine) as connection:
            connection.execute(insert(PHOTO).values(**row, media_type=media_type, body=body))
        return photo

    def of_device(self, device: str) -> list[Photo]:
        """A device's pictures, the newest first."""
        columns = (PHOTO.c[name] for name in Photo.__struct_fields__)
        query = select(*columns).where(PHOTO.c.device == device).order_by(PHOTO.c.at.desc(), PHOTO.c.id)
        with reading(self._engine) as connection:
            return [Photo(**row) for row in connection.execute(query).mappings()]

    def find(self, photo: str) -> tuple[bytes, str] | None:
        """A picture and its media type."""
        query = select(PHOTO.c.body, PHOTO.c.media_type).where(PHOTO.c.id == photo)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.body, row.media_type)


def media_type_of(body: bytes) -> str:
    """What a picture is, by its first bytes. Raises `WrongPhotoError`."""
    if len(body) > LARGEST_PHOTO:
        raise WrongPhotoError(f"{len(body)} bytes; at most {LARGEST_PHOTO} expected")
    for sign, media_type in SIGNS:
        if body.startswith(sign):
            return media_type
    raise WrongPhotoError("neither JPEG nor PNG")
