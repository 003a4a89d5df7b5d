"""A sensor that is heard becomes the town's: its gateway, its model, its label, its settings."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.datastructures import FormData
from starlette.responses import Response

from cloud_api.provisioning.actions import adopt
from cloud_api.provisioning.addresses import parse_address
from cloud_api.provisioning.carrying_out import Seen
from cloud_api.provisioning.gateways import Gateways, Sighting
from cloud_api.provisioning.heard import NO_SIGNAL
from cloud_api.provisioning.plan import NotPossibleError
from cloud_api.registry import Registry
from cloud_api.registry.places import Device
from cloud_api.registry.radio_keys import RadioKeys
from cloud_api.registry.views import View
from cloud_api.web.technician.changes import why_not
from cloud_api.web.technician.deciding import Deciding, Wish, WrongInputError, seen_in
from cloud_api.web.technician.hearing import Signal, age, signal
from cloud_api.web.technician.room import HOME, Room, words_for
from cloud_api.web.technician.words import Words
from edge.messages import ModelInfo

FIELDS: Final = ("model", "gateway", "link", "label", "period_s", "debounce_s")
"""What the form names of a device, as text."""


class GatewayChoice(Struct, frozen=True, kw_only=True):
    """A gateway that could listen."""

    name: str
    label: str
    signal: Signal
    age: str
    """When it last heard the sensor; empty where it never did."""


def add_routes(routes: APIRouter, room: Room) -> None:
    """The routes `/technician/adopt` and `/technician/adopt/{address}`."""
    services, deciding = room.services, Deciding(room)

    @routes.get("/adopt")
    async def find(request: Request, address: str = "") -> Response:
        room.admit(request)
        try:
            found = parse_address(address)
        except NotPossibleError as error:
            reason = why_not(services.registry, error, words_for(request)) if address else None
            return room.page(request, "typed.html", address=address, reason=reason)
        return room.go(request, f"{HOME}/adopt/{found}")

    @routes.get("/adopt/{address}")
    async def show(request: Request, address: str, gateway: str = "") -> Response:
        room.admit(request)
        view = await asyncio.to_thread(services.registry_store.view)
        return _form_page(room, request, view, address, gateway)

    @routes.post("/adopt/{address}")
    async def decide(request: Request, address: str) -> Response:
        caller = room.admit_change(request)
        form = await request.form()
        return await deciding.answer(request, caller, form, _wish(address, form, words_for(request)))


def _form_page(room: Room, request: Request, view: View, address: str, gateway: str) -> Response:
    """The form, filled in with what was heard of the sensor; `gateway` was chosen before."""
    services = room.services
    known = view.registry.devices.get(address)
    sightings = [each for each in services.gateways.heard.values() if each.device.device == address]
    likely = models_of(sightings)
    return room.page(
        request,
        "adopt.html",
        address=address,
        known=known,
        version=view.versions.get(("device", address), 0),
        gateways=gateway_choices(view.registry, sightings, words_for(request), services.clock()),
        chosen=gateway or (sightings[-1].gateway if sightings else ""),
        models=models_known(services.gateways),
        likely=likely,
        model=known.model if known else likely[0] if len(likely) == 1 else "",
        link=sightings[-1].device.link if sightings else "",
        hint=next((each.device.hint for each in reversed(sightings) if each.device.hint), ""),
    )


def _wish(address: str, form: FormData, words: Words) -> Wish:
    return Wish(
        title=words.adopt,
        action=lambda town: adopt(town, device_of_form(town, address, form)),
        seen=Seen("device", address, seen_in(form)),
        back=f"{HOME}/adopt/{address}",
        onward=f"{HOME}/devices/{address}",
        draft=f"adopt {address}",
        keys=keys_of_form(address, form),
    )


def models_of(sightings: Iterable[Sighting]) -> tuple[str, ...]:
    """What a sensor may be, by all that was heard of it; the likeliest first."""
    told = [each.device.models for each in sightings if each.device.models]
    return min(told, key=len, default=())


def models_known(known: Gateways) -> list[ModelInfo]:
    """Every model that some gateway reads, by maker and product."""
    by_name = {model.name: model for told in known.models.values() for model in told.models}
    return sorted(by_name.values(), key=lambda each: (each.maker.casefold(), each.product.casefold()))


def gateway_choices(town: Registry, sightings: list[Sighting], words: Words, now: datetime) -> list[GatewayChoice]:
    """Gateways that take orders from here, the one that hears the sensor best at the front."""
    heard = {each.gateway: each.device for each in sightings}
    managed = [each for each in town.gateways.values() if each.managed]
    found = [
        GatewayChoice(
            name=each.name,
            label=each.label,
            signal=signal(heard[each.name].rssi_dbm if each.name in heard else None, words),
            age=age(heard[each.name].at, words, now) if each.name in heard else "",
        )
        for each in managed
    ]
    strength = {name: NO_SIGNAL if device.rssi_dbm is None else device.rssi_dbm for name, device in heard.items()}
    return sorted(found, key=lambda each: (-strength.get(each.name, 2 * NO_SIGNAL), each.label))


def device_of_form(town: Registry, address: str, form: FormData) -> Device:
    """The device as the form has it; what the form does not name stays as it is. Raises `WrongInputError`."""
    known = town.devices.get(address)
    said = {name: str(form[name]).strip() for name in FIELDS if str(form.get(name, "")).strip()}
    before = {} if known is None else msgspec.to_builtins(known)
    kept = {name: value for name, value in before.items() if name not in (*FIELDS, "invert_presence", "retired")}
    inverted = {"invert_presence": True} if form.get("invert_presence") else {}
    try:
        return msgspec.convert({**kept, **said, **inverted, "address": address}, Device, strict=False)
    except msgspec.ValidationError as error:
        raise WrongInputError(str(error)) from error


def keys_of_form(address: str, form: FormData) -> Mapping[str, RadioKeys]:
    """Radio keys that were typed; none leaves those that there are. Raises `WrongInputError`."""
    typed = {name: "".join(str(form.get(name, "")).split()) for name in RadioKeys.__struct_fields__}
    given = {name: value for name, value in typed.items() if value}
    try:
        return {address: msgspec.convert(given, RadioKeys)} if given else {}
    except msgspec.ValidationError as error:
        raise WrongInputError(str(error)) from error
