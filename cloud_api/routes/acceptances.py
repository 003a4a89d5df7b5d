"""Tests of sensors on the spot: judged while they go on, and kept as signed records. For technicians."""

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from cloud_api.access import caller_of
from cloud_api.openapi import JSON, answer, key_refusals, parameter, refusal
from cloud_api.problems import FieldError, invalid, not_found
from cloud_api.provisioning.acceptance import (
    MOST_LEGS,
    Act,
    Check,
    Finding,
    Installed,
    Judgement,
    Leg,
    Verdict,
    judge,
)
from cloud_api.provisioning.acceptance_record import AcceptanceRecord, Tested, draw_up, from_text, sign, to_pdf
from cloud_api.provisioning.signing import is_signed
from cloud_api.registry import Installation, Registry
from cloud_api.registry.acceptances import SignedRecord
from cloud_api.registry.places import Device
from cloud_api.reports.report import Language
from cloud_api.routes.provisioning import provisioning_routes
from cloud_api.scopes import Scope
from cloud_api.services import Services
from edge.messages import CapturedFrame

PATH: Final = "/v1/acceptances"
MOST_BODY: Final = 16_384
"""Bytes of a request."""
MOST_ERRANDS: Final = 50
PDF: Final = "application/pdf"
NOW: Final = datetime(2026, 11, 27, 10, 20, tzinfo=UTC)


class AskedAcceptance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test as its technician did it."""

    device: Annotated[str, Meta(min_length=1, max_length=128)]
    channel: Annotated[str, Meta(min_length=1, max_length=128)]
    mode: Annotated[str, Meta(max_length=128)] = ""
    errands: Annotated[tuple[str, ...], Meta(max_length=MOST_ERRANDS)]
    """The captures (`/v1/gateways/…/errands`) that showed its frames meanwhile."""
    legs: Annotated[tuple[Leg, ...], Meta(max_length=MOST_LEGS)]
    note: Annotated[str, Meta(max_length=2000)] = ""


class JudgedAcceptance(Struct, frozen=True, kw_only=True):
    """What a test has found so far, or its record's judgement."""

    at: datetime
    """The platform's time: what the legs of a test are dated by."""
    frames: int
    """Frames that were looked at."""
    judgement: Judgement
    record: str | None = None
    """The id of the record; null while nothing is kept."""


class KeptRecord(Struct, frozen=True, kw_only=True):
    """A record as it is kept."""

    record: AcceptanceRecord
    signature: str
    """Of `signed`, Ed25519, in base64, by the record's `key`."""
    signed: str
    """The very bytes that were signed."""
    good: bool
    """Whether the signature holds."""


_LEG: Final = Leg(act=Act.DRIVE_ON, start=NOW - timedelta(minutes=2), end=NOW - timedelta(minutes=1))
_JUDGEMENT: Final = Judgement(
    verdict=Verdict.PASSED, findings=(Finding(check=Check.STATE, verdict=Verdict.PASSED, act=Act.DRIVE_ON),)
)
JUDGED: Final = JudgedAcceptance(at=NOW, frames=4, judgement=_JUDGEMENT, record="3f9a1c20b7d84e55")
ASKED: Final = AskedAcceptance(device="0004a30b00ff0001", channel="1", errands=("5f0c6b1e9a3d4c27",), legs=(_LEG,))
_RECORD: Final = AcceptanceRecord(
    id="3f9a1c20b7d84e55",
    at=NOW,
    who="Anne Le Goff",
    town="Châteaubriant",
    device="0004a30b00ff0001",
    model="bosch-tps110",
    gateway="gw-halles",
    place="marche-12",
    place_name="Place du Marché, marche-12",
    directions=None,
    channel="1",
    mode="",
    reversed=False,
    inverted=False,
    legs=(_LEG,),
    frames=4,
    judgement=_JUDGEMENT,
    key="mM8Yy1n3V8pB4k0m8b6gRr7oJcQm2JgH0t0m1mJw0qk=",
)
KEPT: Final = KeptRecord(record=_RECORD, signature="c2lnbmF0dXJl", signed='{"id":"3f9a1c20b7d84e55"}', good=True)
ANSWERS: Final = (JUDGED, KEPT)
WRONG_BODY: Final = FieldError(field="body", reason="Object missing required field `legs`")
WRONG_RECORD: Final = FieldError(field="record", reason="String should have at most 16 characters")
NOT_INSTALLED: Final = "this device and channel serve no place now; install it first"


RecordPath = Annotated[str, Path(max_length=16, openapi_examples=parameter(_RECORD.id, "A record"))]


def router(services: Services) -> APIRouter:
    """The routes `/v1/acceptances` and `…/{record}`, as data and as a PDF."""
    routes = provisioning_routes(PATH)
    key = key_refusals(Scope.PROVISION, PATH)

    @routes.post(
        "",
        summary="Judge a test, and keep its record",
        status_code=HTTPStatus.OK,
        responses={
            **answer(JUDGED, "What was found"),
            **key,
            **refusal(not_found("device", "0004a30b00ff0009"), PATH),
            **refusal(invalid([WRONG_BODY]), PATH),
        },
        openapi_extra=_body_of(ASKED),
    )
    async def judge_test(
        request: Request,
        dry_run: Annotated[
            bool,
            Query(
                description="Only judge, while the test goes on: nothing is kept.",
                openapi_examples=parameter("true", "While the test goes on"),
            ),
        ] = False,
    ) -> Response:
        """Hold what was done against what the sensor told meanwhile. Legs are dated by `at` of an earlier answer."""
        asked, now = await _asked(request), services.clock()
        device, installation = _tested(services.registry, asked, now)
        frames = _frames(services, device, asked)
        judgement = judge(asked.legs, frames, _installed(asked, device, installation), now)
        if dry_run:
            judged = JudgedAcceptance(at=now, frames=len(frames), judgement=judgement)
            return Response(msgspec.json.encode(judged), media_type=JSON)
        tested = Tested(
            town=services.settings.town or services.settings.title,
            registry=services.registry,
            device=device,
            installation=installation,
        )
        record = draw_up(
            tested, asked.legs, judgement, frames=len(frames), note=asked.note, who=caller_of(request).who, at=now
        )
        kept = sign(record, services.signer)
        await asyncio.to_thread(services.registry_store.acceptances.add, kept)
        judged = JudgedAcceptance(at=now, frames=len(frames), judgement=judgement, record=kept.id)
        return Response(msgspec.json.encode(judged), media_type=JSON)

    @routes.get(
        "/{record}",
        summary="A record",
        responses={
            **answer(KEPT, "The record and its signature"),
            **key,
            **refusal(not_found("record", "3f"), PATH),
            **refusal(invalid([WRONG_RECORD]), PATH),
        },
    )
    def find(record: RecordPath) -> Response:
        """Who tested what, when, what was done and what was seen; with the very bytes that were signed."""
        return Response(msgspec.json.encode(_kept(_found(services, record))), media_type=JSON)

    @routes.get(
        "/{record}/pdf",
        summary="A record on paper",
        responses={
            200: {"description": "One page", "content": {PDF: {"schema": {"type": "string"}, "example": "%PDF-1.7 …"}}},
            **key,
            **refusal(not_found("record", "3f"), PATH),
            **refusal(invalid([FieldError(field="lang", reason="Input should be 'fr' or 'en'")]), PATH),
        },
    )
    def paper(
        record: RecordPath,
        lang: Annotated[
            Language, Query(description="Its language.", openapi_examples=parameter("fr", "French"))
        ] = Language.FRENCH,
    ) -> Response:
        """The record as a PDF of one page, tagged for whoever has it read aloud."""
        found = _found(services, record)
        pdf = to_pdf(from_text(found.body), found.signature, services.settings.time_zone, lang)
        return Response(pdf, media_type=PDF)

    return routes


def _body_of(example: Struct) -> dict[str, Any]:
    """The description of a request's body."""
    content = {JSON: {"schema": {"type": "object"}, "example": msgspec.to_builtins(example)}}
    return {"requestBody": {"required": True, "content": content}}


async def _asked(request: Request) -> AskedAcceptance:
    """Raises `ProblemError`."""
    body = await request.body()
    if len(body) > MOST_BODY:
        raise invalid([FieldError(field="body", reason=f"at most {MOST_BODY} bytes expected")])
    try:
        return msgspec.json.decode(body, type=AskedAcceptance)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise invalid([FieldError(field="body", reason=str(error))]) from error


def _tested(registry: Registry, asked: AskedAcceptance, now: datetime) -> tuple[Device, Installation]:
    """The device and what it serves now. Raises `ProblemError`."""
    device = registry.devices.get(asked.device)
    if device is None:
        raise not_found("device", asked.device)
    for each in registry.installations:
        if (each.device, each.channel, each.mode) == (asked.device, asked.channel, asked.mode) and each.serves_at(now):
            return device, each
    raise invalid([FieldError(field="channel", reason=NOT_INSTALLED)])


def _frames(services: Services, device: Device, asked: AskedAcceptance) -> list[CapturedFrame]:
    errands = (services.errands.find(device.gateway or "", each) for each in asked.errands)
    return [frame for errand in errands if errand is not None for frame in errand.frames]


def _installed(asked: AskedAcceptance, device: Device, installation: Installation) -> Installed:
    return Installed(
        channel=asked.channel,
        mode=asked.mode,
        reversed=installation.reversed,
        inverted=device.invert_presence,
    )


def _found(services: Services, record: str) -> SignedRecord:
    """Raises `ProblemError`."""
    found = services.registry_store.acceptances.find(record)
    if found is None:
        raise not_found("record", record)
    return found


def _kept(found: SignedRecord) -> KeptRecord:
    record = from_text(found.body)
    good = is_signed(found.body.encode(), found.signature, record.key)
    return KeptRecord(record=record, signature=found.signature, signed=found.body, good=good)
