"""Pictures of a sensor where it hangs: taken in by the telephone's camera, shown on the device's page."""

import asyncio
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cloud_api.provisioning.installing import in_force
from cloud_api.registry.photos import LARGEST_PHOTO, Photo, WrongPhotoError
from cloud_api.web.technician.once import Once
from cloud_api.web.technician.room import HOME, Room

FOR_EVER: Final = "private, max-age=31536000, immutable"


def add_routes(routes: APIRouter, room: Room) -> None:
    """The routes `/technician/devices/{address}/photo` and `/technician/photos/{photo}`."""
    services = room.services
    photos, once = services.registry_store.photos, Once[Photo]()

    @routes.post("/devices/{address}/photo")
    async def take(request: Request, address: str) -> Response:
        caller, now = room.admit_change(request), services.clock()
        town = services.registry
        if address not in town.devices:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        async with request.form() as form:
            picture = form.get("picture")
            body = await picture.read(LARGEST_PHOTO + 1) if isinstance(picture, UploadFile) else b""
        served = in_force(town, address, now)
        place = served[0].place if served else ""

        async def kept() -> Photo:
            return await asyncio.to_thread(photos.add, body, place=place, device=address, who=caller.who, at=now)

        try:
            await once.do(caller, form, kept)
        except WrongPhotoError:
            return room.page(request, "trouble.html", status=HTTPStatus.UNPROCESSABLE_ENTITY, trouble="photo_wrong")
        return room.go(request, f"{HOME}/devices/{address}#photos")

    @routes.get("/photos/{photo}")
    async def show(request: Request, photo: str) -> Response:
        room.admit(request)
        found = await asyncio.to_thread(photos.find, photo)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        body, media_type = found
        headers = {"Cache-Control": FOR_EVER, "X-Content-Type-Options": "nosniff"}
        return Response(body, media_type=media_type, headers=headers)
