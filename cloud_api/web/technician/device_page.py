"""One device's page: what a sticker's QR code opens. How it does, what it says now, what can be done about it."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from cloud_api.provisioning.acceptance_record import from_text
from cloud_api.provisioning.acceptance_words import verdict_words
from cloud_api.provisioning.addresses_shown import grouped
from cloud_api.provisioning.desired import holders_of
from cloud_api.provisioning.errands import Action, Errand, Outcome
from cloud_api.provisioning.installing import in_force
from cloud_api.registry import Counter, Device, Installation, Registry
from cloud_api.registry.kinds import key_of
from cloud_api.registry.views import EntryName
from cloud_api.web.technician.changes import first_direction, moment
from cloud_api.web.technician.gateway_cards import place_name, why
from cloud_api.web.technician.hearing import age, signal
from cloud_api.web.technician.placing import find_model
from cloud_api.web.technician.readings import FrameLine, frame_lines
from cloud_api.web.technician.room import HOME, Room, words_for
from cloud_api.web.technician.testing import LANGUAGES
from cloud_api.web.technician.words import Words

FRAMES_SHOWN: Final = 8


class Served(Struct, frozen=True, kw_only=True):
    """One place that a device serves."""

    place: str
    name: str
    channel: str
    since: str
    directions: tuple[str, str] | None
    """What its first and second direction mean in the street; None where nothing passes."""
    now: str
    """What it said last, in words; empty where it said nothing yet."""
    key: str
    version: int
    closed: str
    """Why the place is closed; empty while it is open."""


def add_routes(routes: APIRouter, room: Room) -> None:
    """The route `/technician/devices/{address}`, and what its gateway is asked from there."""
    services = room.services

    @routes.get("/devices/{address}")
    async def show(request: Request, address: str, listen: str = "", asked: str = "", part: str = "") -> Response:
        room.admit(request)
        view = await asyncio.to_thread(services.registry_store.view)
        device = view.registry.devices.get(address)
        if device is None:
            return room.go(request, f"{HOME}/adopt?address={address}")
        served = _served(room, request, view.registry, view.versions, address)
        about = _about(room, request, view.registry, device, listen, asked)
        version = view.versions.get(("device", address), 0)
        photos = [] if part else await asyncio.to_thread(services.registry_store.photos.of_device, address)
        records = [] if part else await asyncio.to_thread(_records, room, request, address)
        template = "device_live.html" if part else "device_page.html"
        return room.page(
            request,
            template,
            photos=photos,
            served=served,
            records=records,
            number=secrets.token_hex(8),
            version=version,
            **about,
        )

    @routes.post("/devices/{address}/listen")
    async def listen(request: Request, address: str) -> Response:
        room.admit_change(request)
        return _ask_gateway(room, request, address, Action.CAPTURE, "listen")

    @routes.post("/devices/{address}/recalibrate")
    async def recalibrate(request: Request, address: str) -> Response:
        room.admit_change(request)
        return _ask_gateway(room, request, address, Action.RECALIBRATE, "asked")


class RecordLine(Struct, frozen=True):
    """A record of a test on the spot."""

    id: str
    text: str


def _records(room: Room, request: Request, address: str) -> list[RecordLine]:
    """Blocks."""
    words, zone = words_for(request), room.services.settings.time_zone
    known = [from_text(each.body) for each in room.services.registry_store.acceptances.of_device(address)]
    return [
        RecordLine(
            each.id,
            words.record_of.format(
                time=moment(each.at, zone),
                who=each.who,
                verdict=verdict_words(each.judgement.verdict, LANGUAGES[words.lang]),
            ),
        )
        for each in known
    ]


def _ask_gateway(room: Room, request: Request, address: str, what: Action, parameter: str) -> Response:
    """Ask, and go to the device's page, whose address then names the errand."""
    services = room.services
    device = services.registry.devices.get(address)
    page = f"{HOME}/devices/{address}"
    if device is None or device.gateway is None:
        return room.go(request, page)
    errand = services.errands.ask(device.gateway, what, address, services.clock())
    if errand is None:
        return room.page(request, "trouble.html", status=HTTPStatus.SERVICE_UNAVAILABLE, trouble="broker_away")
    return room.go(request, f"{page}?{parameter}={errand.id}")


def _about(room: Room, request: Request, town: Registry, device: Device, listen: str, asked: str) -> dict[str, Any]:
    services, words, now = room.services, words_for(request), room.services.clock()
    gateway = None if device.gateway is None else town.gateways.get(device.gateway)
    holders = holders_of(town, services.gateways.reported)
    standing, reason = why(device, gateway, services.gateways, holders, words)
    errand, recalibration = (
        None if device.gateway is None else services.errands.find(device.gateway, each) for each in (listen, asked)
    )
    health = services.live.health(device.address)
    model = find_model(services.gateways, device.model)
    return {
        "device": device,
        "name": device.label or grouped(device.address),
        "shown_address": grouped(device.address),
        "gateway": gateway,
        "standing": standing,
        "reason": reason,
        "retired": "" if device.retired is None else moment(device.retired, services.settings.time_zone),
        "health": health,
        "health_age": "" if health is None else age(health.at, words, now),
        "health_signal": None if health is None else signal(health.rssi_dbm, words),
        "listen": listen,
        "errand": errand,
        "recalibration": recalibration,
        "frames": _newest(errand, words, now),
        "model": model,
        "is_waiting": errand is not None and errand.outcome in {Outcome.WAITING, Outcome.UNDER_WAY},
    }


def _newest(errand: Errand | None, words: Words, now: datetime) -> Sequence[FrameLine]:
    return [] if errand is None else frame_lines(errand.frames[-FRAMES_SHOWN:], words, now)[::-1]


def _served(
    room: Room, request: Request, town: Registry, versions: Mapping[EntryName, int], address: str
) -> list[Served]:
    services, words, now = room.services, words_for(request), room.services.clock()
    closed = town.closures_at(now)
    return [
        Served(
            place=each.place,
            name=place_name(town, each.place),
            channel=each.channel,
            since=moment(each.start, services.settings.time_zone),
            directions=_directions(town.counters.get(each.place), each),
            now=_said_last(room, town, each, words, now),
            key=key_of(each),
            version=versions.get(("installation", key_of(each)), 0),
            closed=closed[each.place].reason if each.place in closed else "",
        )
        for each in in_force(town, address, now)
    ]


def _directions(counter: Counter | None, each: Installation) -> tuple[str, str] | None:
    return None if counter is None else first_direction(counter, reversed_=each.reversed)


def _said_last(room: Room, town: Registry, each: Installation, words: Words, now: datetime) -> str:
    live = room.services.live
    state = live.state(each)
    if state is not None:
        said = words.occupied if state.occupied else words.free
        return f"{said}, {age(state.at, words, now)}"
    last = live.last_interval(each)
    counter = town.counters.get(each.place)
    if last is None or counter is None:
        return ""
    first, second = first_direction(counter, reversed_=each.reversed)
    counted = f"{first} {last.in_}" if last.out is None else f"{first} {last.in_}, {second} {last.out}"
    return words.counted_last.format(counted=counted, minutes=last.seconds // 60, age=age(last.start, words, now))
