"""What is done to a device in the street: swapped, moved, exchanged, taken down, stored, retired. For technicians.

Each deed is a plan (`cloud_api.provisioning`); its caller names the edition of the device that he saw.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from cloud_api.openapi import answer
from cloud_api.provisioning import actions, installing
from cloud_api.provisioning.addresses import address_meant
from cloud_api.provisioning.carrying_out import SeenDevice
from cloud_api.provisioning.plan import Plan
from cloud_api.registry import Device, Registry
from cloud_api.registry.places import Label, PlaceId
from cloud_api.routes.changing import (
    EXAMPLE_DONE,
    DryRun,
    as_problems,
    body_of,
    change_refusals,
    do,
    edition_seen,
    known_addresses,
    takes,
)
from cloud_api.routes.devices import ONE, PATH, DevicePath
from cloud_api.routes.provisioning import provisioning_routes
from cloud_api.services import Services
from edge.messages import Name


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing more to be said."""


class Elsewhere(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another place for a device."""

    place: PlaceId
    channel: Name | None = None
    """Needed where it serves several places."""


class OneChannel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a device serves, or one channel."""

    channel: Name | None = None


class Successor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The device that takes another's place."""

    address: Name
    model: Name | None = None
    """Null for the same as its predecessor's."""
    label: Label | None = None


class Counterpart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The device that another one was taken for."""

    other: Name


class Deed(NamedTuple):
    """Something that is done to a device."""

    name: str
    """The last part of its path."""
    summary: str
    description: str
    body: Struct
    """An example of what is sent."""
    plan: Callable[[Registry, str, Any, datetime], Plan]
    """Given the registry, the device's address, a body like the example, and the time."""


def _swap(town: Registry, address: str, body: Successor, at: datetime) -> Plan:
    model = body.model or actions.device_of(town, address).model
    return installing.swap(town, address, Device(address=body.address, model=model, label=body.label), at)


def _move(town: Registry, address: str, body: Elsewhere, at: datetime) -> Plan:
    return installing.move(town, address, body.place, at, channel=body.channel)


def _correct(town: Registry, address: str, body: Elsewhere, at: datetime) -> Plan:
    return installing.correct(town, address, body.place, at, channel=body.channel)


def _exchange(town: Registry, address: str, body: Counterpart, at: datetime) -> Plan:
    return installing.exchange(town, address, body.other, at)


def _take_down(town: Registry, address: str, body: OneChannel, at: datetime) -> Plan:
    return installing.end(town, address, at, channel=body.channel)


def _store(town: Registry, address: str, _nothing: Nothing, at: datetime) -> Plan:
    return actions.put_in_store_room(town, address, at)


def _retire(town: Registry, address: str, _nothing: Nothing, at: datetime) -> Plan:
    return actions.retire(town, address, at)


DEEDS: Final = (
    Deed(
        "swap",
        "Swap a device",
        "Another device takes its place, its gateway and, if of the same model, its settings. The history of the place"
        " goes on: in the hour of the swap both count, and their counts add up.",
        Successor(address="0004a30b00ff0002"),
        _swap,
    ),
    Deed(
        "move",
        "Move a device",
        "It was carried to another place. What it counted in the hour of the move belongs to neither place.",
        Elsewhere(place="marche-2"),
        _move,
    ),
    Deed(
        "correct",
        "Correct where a device is",
        "Its place was written down wrongly: it has served another one all the time, and history follows.",
        Elsewhere(place="marche-2"),
        _correct,
    ),
    Deed(
        "exchange",
        "Exchange two devices",
        "They were taken for each other: each has served the other's place all the time, and history follows.",
        Counterpart(other="0004a30b00ff0002"),
        _exchange,
    ),
    Deed(
        "take-down",
        "End what a device serves",
        "It serves its place, or one channel's, no more; its gateway goes on listening to it.",
        OneChannel(channel="line1"),
        _take_down,
    ),
    Deed(
        "store-room",
        "Put a device in the store room",
        "It serves no place any more and no gateway reads it; it may be adopted again.",
        Nothing(),
        _store,
    ),
    Deed("retire", "Retire a device", "It is out of service for good; its places' history stays.", Nothing(), _retire),
)
ANSWERS: Final = tuple({type(each.body): each.body for each in DEEDS}.values())


def router(services: Services) -> APIRouter:
    """The routes `/v1/devices/{device}/DEED`."""
    routes = provisioning_routes(PATH)
    for deed in DEEDS:
        routes.add_api_route(
            f"/{{device}}/{deed.name}",
            _endpoint(deed, services),
            methods=["POST"],
            summary=deed.summary,
            description=deed.description,
            operation_id=deed.name,
            responses={**answer(EXAMPLE_DONE, "What was done"), **change_refusals(f"{ONE}/{deed.name}")},
            openapi_extra=takes(deed.body),
        )
    return routes


def _endpoint(deed: Deed, services: Services) -> Callable[..., Any]:
    async def act(device: DevicePath, request: Request, *, dry_run: DryRun = False) -> Response:
        with as_problems():
            address = address_meant(device, known_addresses(services))
        seen = SeenDevice(address, edition_seen(request))
        body, at = await body_of(request, type(deed.body)), services.clock()

        def planned(town: Registry) -> Plan:
            return deed.plan(town, address, body, at)

        return await do(services, request, planned, dry_run=dry_run, seen=seen)

    return act
