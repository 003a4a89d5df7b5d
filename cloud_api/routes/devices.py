"""Devices: adopted and set, and how each does at its gateway. For technicians."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from msgspec import Struct, field
from msgspec.structs import asdict, replace
from starlette.responses import Response

from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.problems import not_found
from cloud_api.provisioning import actions, installing
from cloud_api.provisioning.addresses import address_meant
from cloud_api.provisioning.carrying_out import Action, Seen, SeenDevice, edition_of
from cloud_api.provisioning.desired import holders_of
from cloud_api.provisioning.plan import Plan, nearest
from cloud_api.provisioning.standing import DeviceStanding, Standing, device_standing
from cloud_api.registry import Device, Registry
from cloud_api.registry.places import GatewayId, Label
from cloud_api.registry.radio_keys import NO_KEYS, NO_RADIO_KEYS, RadioKeys
from cloud_api.registry.views import View
from cloud_api.routes.changing import (
    EXAMPLE_DONE,
    DryRun,
    as_problems,
    body_of,
    change_refusals,
    do,
    edition_seen,
    etag,
    in_thread,
    known_addresses,
    refusals,
    takes,
)
from cloud_api.routes.installations import InstallationView, installation_view
from cloud_api.routes.provisioning import provisioning_routes
from cloud_api.services import Services
from edge.messages import Name

PATH: Final = "/v1/devices"
ADDRESS: Final = "0004a30b00ff0001"
ONE: Final = f"{PATH}/{ADDRESS}"
DevicePath = Annotated[str, Path(max_length=128, openapi_examples=parameter(ADDRESS, "A device"))]


class DeviceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the town decides of a device."""

    model: Name
    """As the gateway's models name it."""
    gateway: GatewayId | None = None
    """Who listens to it; null for the store room."""
    link: Name | None = None
    period_s: int | None = None
    label: Label | None = None
    invert_presence: bool = False
    debounce_s: int | None = None
    ignored_channels: tuple[Name, ...] = ()
    line_mm: tuple[int, int, int, int] | None = None
    options: dict[str, bool | int | float | str] = field(default_factory=dict)
    keys: RadioKeys | None = None
    """Its radio keys; null leaves those that there are. No answer ever shows one."""


class DeviceView(Struct, frozen=True, kw_only=True):
    """One device."""

    device: Device
    edition: str
    """To be named by who changes it; so does the ETag."""
    standing: DeviceStanding
    """Whether it is at its gateway as decided here, and why not."""
    keys: tuple[str, ...]
    """Which radio keys there are."""
    serves: tuple[InstallationView, ...]
    """What it serves now, or will serve."""


class DeviceList(Struct, frozen=True):
    """Devices, by their addresses."""

    devices: tuple[DeviceView, ...]


EXAMPLE: Final = DeviceView(
    device=Device(address=ADDRESS, model="bosch-tps110", gateway="gw-halles", link="lora", label="bay 7"),
    edition="2",
    standing=DeviceStanding(Standing.WAITING, "gateway gw-halles is off line"),
    keys=("nwk_skey", "app_skey"),
    serves=(),
)
EXAMPLE_SETTINGS: Final = DeviceSettings(model="bosch-tps110", gateway="gw-halles", link="lora", label="bay 7")
ANSWERS: Final = (EXAMPLE, DeviceList((EXAMPLE,)), EXAMPLE_SETTINGS)


def router(services: Services) -> APIRouter:
    """The routes `/v1/devices` and `…/{device}`."""
    routes = provisioning_routes(PATH)
    unknown = refusal(not_found("device", "0004a30b00ff0009"), ONE)

    @routes.get("", summary="Devices", responses={**answer(ANSWERS[1], "By their addresses"), **refusals(PATH)})
    async def list_devices(
        gateway: Annotated[
            str | None,
            Query(max_length=63, description="Of this gateway.", openapi_examples=parameter("gw-halles", "A gateway")),
        ] = None,
    ) -> Response:
        """Every device that was ever adopted, with how it does at its gateway."""
        view, keys = await in_thread(lambda: _looked(services))
        wanted = (each for each in view.registry.devices.values() if gateway in {None, each.gateway})
        found = [_view(each, view, keys, services) for each in sorted(wanted, key=lambda each: each.address)]
        return Response(msgspec.json.encode(DeviceList(tuple(found))), media_type=JSON)

    @routes.get(
        "/{device}", summary="A device", responses={**answer(EXAMPLE, "With its ETag"), **unknown, **refusals(ONE)}
    )
    async def find_device(device: DevicePath) -> Response:
        """One device; its ETag is another one whenever it or what it serves changes."""
        view, keys = await in_thread(lambda: _looked(services))
        known = view.registry.devices.get(device)
        if known is None:
            raise not_found("device", device)
        found = _view(known, view, keys, services)
        return Response(msgspec.json.encode(found), headers=etag(found.edition), media_type=JSON)

    @routes.put(
        "/{device}",
        summary="Adopt or change a device",
        responses={**answer(EXAMPLE_DONE, "What was done"), **change_refusals(ONE)},
        openapi_extra=takes(EXAMPLE_SETTINGS),
    )
    async def put_device(device: DevicePath, request: Request, *, dry_run: DryRun = False) -> Response:
        """A new one with `If-None-Match: *`, other settings or another gateway with `If-Match`.

        It is refused where its gateway has said that it does not know the model; else its standing tells later whether
        the gateway has it in force.
        """
        settings = await body_of(request, DeviceSettings)
        with as_problems():
            address = address_meant(device, known_addresses(services))
        fields = {name: value for name, value in asdict(settings).items() if name != "keys"}
        wanted = Device(address=address, **fields)
        keys = NO_RADIO_KEYS if settings.keys is None else {address: settings.keys}
        heard = frozenset(by.device for by in services.gateways.heard)
        if request.headers.get("if-none-match") == "*":
            action: Action = partial(_adopt, device=wanted, heard=heard)
            return await do(services, request, action, dry_run=dry_run, seen=Seen("device", address, 0), keys=keys)
        seen = SeenDevice(address, edition_seen(request))
        return await do(services, request, partial(_change, device=wanted), dry_run=dry_run, seen=seen, keys=keys)

    return routes


def _adopt(town: Registry, *, device: Device, heard: frozenset[str]) -> Plan:
    plan = actions.adopt(town, device)
    if device.address in heard:
        return plan
    near = nearest(device.address, heard - set(town.devices))
    hint = "" if near is None else f"; {near} was, and may be meant"
    return replace(plan, words=(*plan.words, f"{device.address} was not heard by any gateway yet{hint}"))


def _change(town: Registry, *, device: Device) -> Plan:
    """One that was retired comes back into service with a gateway."""
    known = actions.device_of(town, device.address)
    return actions.change(town, replace(device, retired=None if device.gateway else known.retired))


def _looked(services: Services) -> tuple[View, Mapping[str, RadioKeys]]:
    store = services.registry_store
    return store.view(), store.radio_keys.all()


def _view(device: Device, view: View, keys: Mapping[str, RadioKeys], services: Services) -> DeviceView:
    town, known = view.registry, services.gateways
    holders = holders_of(town, known.reported)
    return DeviceView(
        device=device,
        edition=edition_of(view, device.address),
        standing=device_standing(device, town.gateways.get(device.gateway or ""), known, holders),
        keys=keys.get(device.address, NO_KEYS).names,
        serves=tuple(
            installation_view(each, view) for each in installing.in_force(town, device.address, services.clock())
        ),
    )
