"""The test on the spot, step by step: walk past or drive on, see what the sensor told, mend it, sign the record.

How far a test has come is in the page's address, so that it survives a reload, a lost network and another replica.
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from msgspec import Struct
from msgspec.structs import replace
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cloud_api.provisioning.acceptance import Act, Installed, Judgement, Leg, Verdict, judge
from cloud_api.provisioning.acceptance_record import AcceptanceRecord, Tested, draw_up, from_text, sign
from cloud_api.provisioning.acceptance_words import act_words, check_words, finding_words, mend_words, verdict_words
from cloud_api.provisioning.errands import Action
from cloud_api.provisioning.installing import in_force
from cloud_api.registry import Counter, Device, Installation, Registry
from cloud_api.registry.kinds import key_of
from cloud_api.registry.views import View
from cloud_api.reports.report import Language
from cloud_api.web.technician.changes import name_of
from cloud_api.web.technician.gateway_cards import place_name
from cloud_api.web.technician.once import Once
from cloud_api.web.technician.room import HOME, Room, words_for
from edge.messages import CapturedFrame

TIMES: Final = 10
MOST_TIMES: Final = 100
MOST_ERRANDS: Final = 12
LANGUAGES: Final = {"fr": Language.FRENCH, "en": Language.ENGLISH}


class Progress(Struct, frozen=True, kw_only=True):
    """How far a test has come."""

    channel: str = ""
    times: int = TIMES
    legs: tuple[Leg, ...] = ()
    """Those that are done."""
    running_since: datetime | None = None
    """When the leg that is being done was begun; None between legs."""
    errands: tuple[str, ...] = ()

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Progress":
        """From a page's address; the beginning of a test where that says nothing of one."""
        started = query.get("since", "")
        try:
            return cls(
                channel=query.get("channel", "")[:128],
                times=min(max(int(query.get("times", TIMES)), 1), MOST_TIMES),
                legs=tuple(_read_leg(each) for each in query.get("legs", "").split("~") if each)[:2],
                running_since=_instant(started) if started else None,
                errands=tuple(query.get("errands", "").split("~")[-MOST_ERRANDS:]),
            )
        except (ValueError, OverflowError):
            return cls()

    def address(self, device: str) -> str:
        """The page's address."""
        legs = "~".join(f"{each.act}.{each.times}.{_stamp(each.start)}.{_stamp(each.end)}" for each in self.legs)
        query = {
            "channel": self.channel,
            "times": self.times,
            "legs": legs,
            "since": "" if self.running_since is None else _stamp(self.running_since),
            "errands": "~".join(each for each in self.errands if each),
        }
        return f"{HOME}/devices/{device}/test?{urlencode({name: value for name, value in query.items() if value})}"


def add_routes(routes: APIRouter, room: Room) -> None:
    """The routes `/technician/devices/{address}/test` and `…/test/sign`."""
    services, once = room.services, Once[None]()

    @routes.get("/devices/{address}/test")
    async def show(request: Request, address: str, part: str = "") -> Response:
        room.admit(request)
        progress, now = Progress.read(request.query_params), services.clock()
        spot = await _spot(room, address, progress, now)
        kept = await asyncio.to_thread(services.registry_store.acceptances.of_device, address)
        records = [from_text(each.body) for each in kept]
        return _test_page(room, request, "test_found.html" if part else "test.html", spot, progress, records)

    @routes.post("/devices/{address}/test")
    async def step(request: Request, address: str) -> Response:
        room.admit_change(request)
        form, progress, now = await request.form(), Progress.read(request.query_params), services.clock()
        spot = await _spot(room, address, progress, now)
        progress = replace(progress, channel=spot.installation.channel)
        progress = _stepped(progress, form, now, is_counter=spot.counter is not None)
        errand = services.errands.ask(spot.device.gateway or "", Action.CAPTURE, address, now)
        if errand is not None:
            progress = replace(progress, errands=(*progress.errands, errand.id)[-MOST_ERRANDS:])
        return room.go(request, progress.address(address))

    @routes.post("/devices/{address}/test/sign")
    async def keep(request: Request, address: str) -> Response:
        caller = room.admit_change(request)
        form, progress, now = await request.form(), Progress.read(request.query_params), services.clock()
        spot = await _spot(room, address, progress, now)

        async def signed() -> None:
            named = services.settings.town or services.settings.title
            what = Tested(town=named, registry=spot.town, device=spot.device, installation=spot.installation)
            note, frames = str(form.get("note", ""))[:2000], len(spot.frames)
            record = draw_up(
                what, progress.legs, spot.judgement, frames=frames, note=note, who=caller.who, at=services.clock()
            )
            await asyncio.to_thread(services.registry_store.acceptances.add, sign(record, services.signer))

        await once.do(caller, form, signed)
        return room.go(request, f"{HOME}/devices/{address}#records")


class _Spot(NamedTuple):
    """What is tested, and what the sensor told so far."""

    view: View
    device: Device
    installation: Installation
    frames: list[CapturedFrame]
    judgement: Judgement

    @property
    def town(self) -> Registry:
        """As it was seen."""
        return self.view.registry

    @property
    def counter(self) -> Counter | None:
        """The place, where people are counted."""
        return self.town.counters.get(self.installation.place)


async def _spot(room: Room, address: str, progress: Progress, now: datetime) -> _Spot:
    """By the registry as it is this moment: somebody has just installed the sensor that he tests."""
    view = await asyncio.to_thread(room.services.registry_store.view)
    device = view.registry.devices.get(address)
    served = [each for each in in_force(view.registry, address, now) if progress.channel in {"", each.channel}]
    if device is None or not served:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    frames = _frames(room, device, progress)
    judgement = judge(progress.legs, frames, _installed(device, served[0]), now)
    return _Spot(view, device, served[0], frames, judgement)


def _test_page(
    room: Room, request: Request, template: str, spot: _Spot, progress: Progress, records: list[AcceptanceRecord]
) -> Response:
    words, judgement, counter = words_for(request), spot.judgement, spot.counter
    language = LANGUAGES[words.lang]
    directions = (counter.in_, counter.out) if counter else None
    acts = acts_of(is_counter=counter is not None)
    return room.page(
        request,
        template,
        device=spot.device,
        name=name_of(spot.town, spot.device.address),
        place=place_name(spot.town, spot.installation.place),
        progress=progress,
        act=acts[len(progress.legs)] if len(progress.legs) < len(acts) else None,
        directions=directions,
        counter=counter is not None,
        found=_found(judgement, directions or ("", ""), language),
        verdict=judgement.verdict,
        verdict_words=verdict_words(judgement.verdict, language),
        mend=judgement.mend,
        mend_words="" if judgement.mend is None else mend_words(judgement.mend, language),
        frames=len(spot.frames),
        installation=spot.installation,
        key=key_of(spot.installation),
        seen_installation=spot.view.version_of(spot.installation),
        seen_device=spot.view.version_of(spot.device),
        settled=judgement.verdict is not Verdict.WAITING,
        query=request.url.query,
        number=secrets.token_hex(8),
        records=records,
    )


def _stepped(progress: Progress, form: FormData, now: datetime, *, is_counter: bool) -> Progress:
    """After a tap: a leg begun, or done; the same tap again changes nothing."""
    times = str(form.get("times", ""))
    if times.isdecimal():
        progress = replace(progress, times=min(max(int(times), 1), MOST_TIMES))
    acts = acts_of(is_counter=is_counter)
    if form.get("step") == "begin" and progress.running_since is None and len(progress.legs) < len(acts):
        return replace(progress, running_since=now)
    if form.get("step") == "done" and progress.running_since is not None:
        act = acts[len(progress.legs)]
        leg = Leg(act=act, times=progress.times if is_counter else 1, start=progress.running_since, end=now)
        return replace(progress, legs=(*progress.legs, leg), running_since=None)
    return progress


def acts_of(*, is_counter: bool) -> tuple[Act, Act]:
    """What is done at a place, in order."""
    return (Act.WALK_IN, Act.WALK_OUT) if is_counter else (Act.DRIVE_ON, Act.DRIVE_OFF)


def _frames(room: Room, device: Device, progress: Progress) -> list[CapturedFrame]:
    errands = (room.services.errands.find(device.gateway or "", each) for each in progress.errands)
    return [frame for errand in errands if errand is not None for frame in errand.frames]


def _installed(device: Device, installation: Installation) -> Installed:
    return Installed(
        channel=installation.channel,
        mode=installation.mode,
        reversed=installation.reversed,
        inverted=device.invert_presence,
    )


def _found(judgement: Judgement, directions: tuple[str, str], language: Language) -> list[dict[str, str]]:
    return [
        {
            "check": check_words(each.check, language),
            "act": "" if each.act is None else act_words(each.act, directions, language),
            "found": finding_words(each, language),
            "verdict": each.verdict.value,
            "said": verdict_words(each.verdict, language),
        }
        for each in judgement.findings
    ]


def _read_leg(text: str) -> Leg:
    act, times, start, end = text.split(".")
    return Leg(act=Act(act), times=int(times), start=_instant(start), end=_instant(end))


def _stamp(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))


def _instant(text: str) -> datetime:
    return datetime.fromtimestamp(int(text) / 1000, tz=UTC)
