"""The first page: who is heard now, every gateway's devices and how far they have come, a search."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from cloud_api.provisioning.heard import heard_devices
from cloud_api.web.technician.gateway_cards import gateway_cards, stored_lines
from cloud_api.web.technician.hearing import heard_lines
from cloud_api.web.technician.room import Room, words_for

LONGEST_SEARCH = 100


def add_routes(routes: APIRouter, room: Room) -> None:
    """The route `/technician`; with `?part=now` that of it which changes by itself."""
    services = room.services

    def show(request: Request, template: str, asked: str) -> Response:
        town, words, now = services.registry, words_for(request), services.clock()
        heard = heard_devices(town, services.gateways.heard, now)
        wanted = asked.strip()[:LONGEST_SEARCH]
        return room.page(
            request,
            template,
            heard=heard_lines(heard, town, words, now, wanted=wanted),
            gateways=gateway_cards(town, services.gateways, words, now, wanted=wanted),
            stored=stored_lines(town, services.gateways, words, now, wanted=wanted),
            wanted=wanted,
        )

    @routes.get("")
    async def show_home(request: Request, q: str = "", part: str = "") -> Response:
        room.admit(request)
        return show(request, "now.html" if part else "home.html", q)
