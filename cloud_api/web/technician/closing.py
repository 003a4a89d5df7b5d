"""A bay out of service for works: closed from the telephone, and opened again."""

import asyncio
from datetime import datetime, tzinfo
from http import HTTPStatus

from fastapi import APIRouter, Request
from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cloud_api.provisioning.carrying_out import Action, Seen
from cloud_api.provisioning.plan import Plan
from cloud_api.registry import Registry
from cloud_api.registry.places import Closure
from cloud_api.web.technician.deciding import Deciding, Wish, WrongInputError, seen_in
from cloud_api.web.technician.gateway_cards import place_name
from cloud_api.web.technician.room import HOME, Room, words_for


def add_routes(routes: APIRouter, room: Room) -> None:
    """The route `/technician/closures/{place}`."""
    services, deciding = room.services, Deciding(room)

    @routes.get("/closures/{place}")
    async def show(request: Request, place: str, device: str = "") -> Response:
        room.admit(request)
        view, now = await asyncio.to_thread(services.registry_store.view), services.clock()
        if place not in view.registry.zones and place not in {each.id for each in view.registry.spaces}:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        closure = view.registry.closures_at(now).get(place)
        return room.page(
            request,
            "closure.html",
            place=place,
            name=place_name(view.registry, place),
            device=device,
            closure=closure,
            new_id=f"{place}.{now:%Y%m%dT%H%M%SZ}",
            version=0 if closure is None else view.version_of(closure),
        )

    @routes.post("/closures/{place}")
    async def decide(request: Request, place: str) -> Response:
        caller, now = room.admit_change(request), services.clock()
        form, words = await request.form(), words_for(request)
        said = {name: str(form.get(name, "")).strip() for name in ("ends", "id", "reason", "end", "device")}
        action = _end(said["ends"], now) if said["ends"] else _begin(place, said, now, services.settings.time_zone)
        page = f"{HOME}/devices/{said['device']}" if said["device"] else HOME
        wish = Wish(
            title=words.open_bay if said["ends"] else words.close_bay,
            action=action,
            seen=Seen("closure", said["ends"] or said["id"], seen_in(form)),
            back=f"{HOME}/closures/{place}",
            onward=page,
            draft=f"closure {place}",
        )
        return await deciding.answer(request, caller, form, wish)


def _begin(place: str, said: dict[str, str], now: datetime, zone: tzinfo) -> Action:
    start = now.replace(second=0, microsecond=0)

    def close(_town: Registry) -> Plan:
        end = _moment(said["end"], zone) if said["end"] else None
        if end is not None and end <= start:
            raise WrongInputError(f"{said['end']}; a time after now expected")
        return Plan(entries=(Closure(id=said["id"], place=place, start=start, end=end, reason=said["reason"]),))

    return close


def _end(closure: str, now: datetime) -> Action:
    over = now.replace(second=0, microsecond=0)

    def reopen(town: Registry) -> Plan:
        known = next((each for each in town.closures if each.id == closure), None)
        if known is None:
            return Plan()
        return Plan(entries=(replace(known, end=max(over, known.start)),))

    return reopen


def _moment(text: str, zone: tzinfo) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise WrongInputError(f"{text!r}; a date and a time expected") from None
