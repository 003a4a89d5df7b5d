"""What is done to a device from its page: each shown first, and done by a second tap."""

import asyncio

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from cloud_api.access import Caller
from cloud_api.provisioning.actions import invert_presence, put_in_store_room, retire
from cloud_api.provisioning.addresses_shown import grouped
from cloud_api.provisioning.carrying_out import Action, Seen
from cloud_api.provisioning.installing import swap, turn_round
from cloud_api.registry import Device
from cloud_api.web.technician.deciding import Deciding, Wish, seen_in
from cloud_api.web.technician.room import HOME, Room, words_for


def add_routes(routes: APIRouter, room: Room) -> None:
    """The routes below `/technician/devices/{address}` that change something."""
    services, deciding = room.services, Deciding(room)

    async def decide(request: Request, caller: Caller, address: str, title: str, action: Action) -> Response:
        form = await request.form()
        kind, key = str(form.get("kind", "device")), str(form.get("key", address))
        wish = Wish(
            title=title,
            action=action,
            seen=Seen(kind, key, seen_in(form)),
            back=f"{HOME}/devices/{address}",
            onward=onward_in(form, address),
            draft=f"device {address}",
        )
        return await deciding.answer(request, caller, form, wish)

    @routes.post("/devices/{address}/turn-round")
    async def turn(request: Request, address: str) -> Response:
        caller, now = room.admit_change(request), services.clock()
        form = await request.form()
        channel = str(form.get("channel", "")) or None
        title = words_for(request).turn_round
        return await decide(
            request, caller, address, title, lambda town: turn_round(town, address, now, channel=channel)
        )

    @routes.post("/devices/{address}/invert")
    async def invert(request: Request, address: str) -> Response:
        caller = room.admit_change(request)
        return await decide(
            request, caller, address, words_for(request).invert, lambda town: invert_presence(town, address)
        )

    @routes.post("/devices/{address}/store")
    async def store(request: Request, address: str) -> Response:
        caller, now = room.admit_change(request), services.clock()
        return await decide(
            request, caller, address, words_for(request).store, lambda town: put_in_store_room(town, address, now)
        )

    @routes.post("/devices/{address}/retire")
    async def end(request: Request, address: str) -> Response:
        caller, now = room.admit_change(request), services.clock()
        return await decide(
            request, caller, address, words_for(request).retire, lambda town: retire(town, address, now)
        )

    @routes.get("/devices/{address}/swap")
    async def show_swap(request: Request, address: str) -> Response:
        room.admit(request)
        return await _show_swap(room, request, address)

    @routes.post("/devices/{address}/swap")
    async def exchange(request: Request, address: str) -> Response:
        caller, now = room.admit_change(request), services.clock()
        form = await request.form()
        new, model = str(form.get("new_address") or form.get("new", "")), str(form.get("model", ""))
        return await decide(
            request,
            caller,
            address,
            words_for(request).swap,
            lambda town: swap(town, address, Device(address=new.strip(), model=model), now),
        )


async def _show_swap(room: Room, request: Request, address: str) -> Response:
    services = room.services
    view = await asyncio.to_thread(services.registry_store.view)
    device = view.registry.devices.get(address)
    if device is None:
        return room.go(request, f"{HOME}/adopt?address={address}")
    stored = [each for each in view.registry.devices.values() if each.gateway is None and each.retired is None]
    heard = dict.fromkeys(
        each.device.device
        for each in reversed([*services.gateways.heard.values()])
        if each.device.device not in view.registry.devices
    )
    return room.page(
        request,
        "swap.html",
        device=device,
        name=device.label or grouped(address),
        version=view.versions.get(("device", address), 0),
        heard=list(heard),
        stored=stored,
    )


def onward_in(form: FormData, address: str) -> str:
    """The page for afterwards: the device's own, or its test where that asked."""
    page = f"{HOME}/devices/{address}"
    onward = str(form.get("onward", ""))
    return f"{page}/{onward}" if onward.startswith("test?") else page
