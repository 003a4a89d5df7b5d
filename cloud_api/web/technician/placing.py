"""A device finds its place: chosen from those nearest to the telephone, with the town's words for its directions."""

import asyncio
from collections.abc import Iterator
from typing import Final

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response

from cloud_api.provisioning.carrying_out import Seen
from cloud_api.provisioning.gateways import Gateways
from cloud_api.provisioning.installing import install, move
from cloud_api.registry import Position, Registry
from cloud_api.registry.places import Counting
from cloud_api.web.technician.changes import name_of
from cloud_api.web.technician.deciding import Deciding, Wish, WrongInputError, seen_in
from cloud_api.web.technician.gateway_cards import place_name
from cloud_api.web.technician.room import HOME, Room, words_for
from edge.messages import ModelInfo

ENTRANCE: Final = ("entrées", "sorties")
SPACE_CHANNEL: Final = "1"
"""What every sensor of one space calls it."""
COUNTERS: Final = frozenset({"counter", "distance"})
SPACES: Final = frozenset({"parking", "presence", "distance"})
"""Kinds of models that may serve there; one that nobody knows may serve anywhere."""


class PlaceChoice(Struct, frozen=True, kw_only=True):
    """A place that a device could serve."""

    id: str
    name: str
    position: Position
    served_by: str
    """Who serves it now; empty where nobody does."""
    directions: tuple[str, str] | None = None
    """What `in` and `out` are called there; None where nothing passes."""


class ChannelChoice(Struct, frozen=True):
    """A channel of a device."""

    name: str
    mode: str
    label: str

    @property
    def value(self) -> str:
        """As the form has it."""
        return f"{self.name}/{self.mode}"


def add_routes(routes: APIRouter, room: Room) -> None:
    """The routes `/technician/devices/{address}/install` and `…/move`."""
    services, deciding = room.services, Deciding(room)

    @routes.get("/devices/{address}/install")
    async def show(request: Request, address: str) -> Response:
        return await _show(request, address, moves=False)

    @routes.get("/devices/{address}/move")
    async def show_move(request: Request, address: str) -> Response:
        return await _show(request, address, moves=True)

    async def _show(request: Request, address: str, *, moves: bool) -> Response:
        room.admit(request)
        view = await asyncio.to_thread(services.registry_store.view)
        device = view.registry.devices.get(address)
        if device is None:
            return room.go(request, f"{HOME}/adopt?address={address}")
        model = find_model(services.gateways, device.model)
        return room.page(
            request,
            "place.html",
            device=device,
            name=name_of(view.registry, address),
            version=view.versions.get(("device", address), 0),
            places=list(place_choices(view.registry, model)),
            channels=channel_choices(model),
            moves=moves,
        )

    @routes.post("/devices/{address}/install")
    async def decide_install(request: Request, address: str) -> Response:
        caller = room.admit_change(request)
        form, now = await request.form(), services.clock()
        channel, _, mode = str(form.get("channel", "")).partition("/")
        wish = Wish(
            title=words_for(request).install,
            action=lambda town: install(
                town,
                device=address,
                channel=channel or SPACE_CHANNEL,
                mode=mode,
                place=_place(form, words_for(request).choose_place),
                at=now,
                reversed_=form.get("first") == "out",
            ),
            seen=Seen("device", address, seen_in(form)),
            back=f"{HOME}/devices/{address}/install",
            onward=f"{HOME}/devices/{address}",
            draft=f"place {address}",
        )
        return await deciding.answer(request, caller, form, wish)

    @routes.post("/devices/{address}/move")
    async def decide_move(request: Request, address: str) -> Response:
        caller = room.admit_change(request)
        form, now = await request.form(), services.clock()
        wish = Wish(
            title=words_for(request).move,
            action=lambda town: move(town, address, _place(form, words_for(request).choose_place), now),
            seen=Seen("device", address, seen_in(form)),
            back=f"{HOME}/devices/{address}/move",
            onward=f"{HOME}/devices/{address}",
            draft=f"place {address}",
        )
        return await deciding.answer(request, caller, form, wish)


def find_model(known: Gateways, name: str) -> ModelInfo | None:
    """A model as some gateway knows it."""
    return next((each for told in known.models.values() for each in told.models if each.name == name), None)


def channel_choices(model: ModelInfo | None) -> list[ChannelChoice]:
    """What of a device can serve a place; the first is what one mostly means."""
    if model is None or not model.lines:
        return [ChannelChoice(SPACE_CHANNEL, "", SPACE_CHANNEL)]
    return [ChannelChoice(each.name, each.mode, " ".join((each.name, each.mode)).strip()) for each in model.lines]


def place_choices(town: Registry, model: ModelInfo | None) -> Iterator[PlaceChoice]:
    """The places that a model may serve, by name."""
    serving = {each.place: each.device for each in town.installations if each.end is None}

    def choice(place: str, position: Position, directions: tuple[str, str] | None) -> PlaceChoice:
        served_by = name_of(town, serving[place]) if place in serving else ""
        return PlaceChoice(
            id=place, name=place_name(town, place), position=position, served_by=served_by, directions=directions
        )

    if model is None or model.kind in COUNTERS:
        for counter in sorted(town.counters.values(), key=lambda each: each.name.casefold()):
            yield choice(counter.id, counter.position, (counter.in_, counter.out))
        for zone in town.zones.values():
            if zone.counting is Counting.ENTRANCES:
                yield choice(zone.id, zone.position, ENTRANCE)
    if model is None or model.kind in SPACES:
        for space in town.spaces:
            yield choice(space.id, space.position or town.zones[space.zone].position, None)


def _place(form: FormData, otherwise: str) -> str:
    place = str(form.get("place", ""))
    if not place:
        raise WrongInputError(otherwise)
    return place
