"""The round of the day: which sensors want a visit, why, and in which order."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from cloud_api.provisioning.visiting import Town, find_visits
from cloud_api.registry import Position
from cloud_api.stores.base import StoreError
from cloud_api.web.technician.room import Room, words_for


def add_routes(routes: APIRouter, room: Room) -> None:
    """The route `/technician/round`; with `lat` and `lon` from where one stands."""
    services = room.services

    @routes.get("/round")
    async def show_round(request: Request) -> Response:
        room.admit(request)
        town = Town(
            registry=services.registry,
            live=services.live,
            gateways=services.gateways,
            store=services.store,
            ledger=services.ledger,
            zone=services.settings.time_zone,
        )
        try:
            found = await find_visits(town, services.clock(), _start(request))
        except StoreError:
            return room.page(request, "trouble.html", status=HTTPStatus.SERVICE_UNAVAILABLE, trouble="unavailable")
        lang = words_for(request).lang
        lines = [(visit, [getattr(reason.cause, lang) for reason in visit.reasons]) for visit in found]
        return room.page(request, "round.html", lines=lines)


def _start(request: Request) -> Position | None:
    """Where one stands, if the address says it so that it can be."""
    try:
        lat, lon = float(request.query_params["lat"]), float(request.query_params["lon"])
    except (KeyError, ValueError):
        return None
    return Position(lat=lat, lon=lon) if abs(lat) <= 90 and abs(lon) <= 180 else None
