"""Reports over HTTP, for holders of a key with the scope `report`. Read only; each is made in a process of its own."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from cloud_api.access import needs
from cloud_api.openapi import Responses, key_refusals, parameter, refusal
from cloud_api.problems import FieldError, ProblemError, invalid, unavailable
from cloud_api.reports.asking import AskError, Texts
from cloud_api.reports.formats import MEDIA_TYPES, SUFFIXES, Format
from cloud_api.reports.report import SHOP_HOURS, Kind, Language
from cloud_api.routes.flows import NO_HISTORY
from cloud_api.scopes import Scope
from cloud_api.services import Services

ANSWERS: Final = ()
PATH: Final = "/v1/reports/flows"
NOT_HERE: Final = "This installation makes no reports."
PRIVATE: Final = "private, no-store"
WRONG: Final = FieldError(field="from", reason="a past or present period expected")

Start = Annotated[
    str,
    Query(
        alias="from",
        max_length=40,
        description="A local date, or a time with its offset.",
        openapi_examples=parameter("2026-10-01", "Local midnight"),
    ),
]
End = Annotated[
    str,
    Query(
        alias="to",
        max_length=40,
        description="The end, not included: one day ends on the next.",
        openapi_examples=parameter("2026-11-01", "The midnight that ends the month"),
    ),
]
Places = Annotated[
    list[str],
    Query(
        alias="place",
        default_factory=list,
        description="Ids; all where none is named.",
        max_length=100,
        openapi_examples=parameter("rue-haute", "A street"),
    ),
]
Compare = Annotated[
    str | None,
    Query(
        max_length=90,
        description="`last-year` (52 weeks before), `week-before`, or `FROM/TO`.",
        openapi_examples=parameter("last-year", "The same weekdays a year before"),
    ),
]
AsOf = Annotated[
    str | None,
    Query(
        max_length=40,
        description="As known at the end of a date, or at a time with its offset; now by default.",
        openapi_examples=parameter("2026-11-02", "As known when that day ended"),
    ),
]
Tongue = Annotated[
    Language, Query(description="The language of the report.", openapi_examples=parameter("fr", "French"))
]
Form = Annotated[
    Format, Query(alias="format", description="In which form.", openapi_examples=parameter("pdf", "Pages"))
]
Filled = Annotated[
    bool,
    Query(
        description="Estimate what was not measured, in columns of its own.",
        openapi_examples=parameter(False, "Leave gaps as they are"),
    ),
]
OpenHours = Annotated[
    str,
    Query(
        alias="open",
        max_length=200,
        description="When shops are open, as OpenStreetMap writes it.",
        openapi_examples=parameter("10:00-19:00", "Every day from ten to seven"),
    ),
]
EventName = Annotated[
    str,
    Query(
        max_length=200,
        description="The event's name in the office's calendar.",
        openapi_examples=parameter("Marché de Noël", "A Christmas market"),
    ),
]


def router(services: Services) -> APIRouter:
    """The routes under `/v1/reports`."""
    routes = APIRouter(
        prefix="/v1/reports",
        tags=["reports"],
        default_response_class=Response,
        dependencies=[needs(Scope.REPORT)],
        responses={
            **_file_answer(),
            **key_refusals(Scope.REPORT, PATH),
            **refusal(invalid([WRONG]), PATH),
            **refusal(unavailable(NO_HISTORY), PATH),
        },
    )

    @routes.get("/flows", summary="A report on flows")
    async def flows(
        start: Start,
        end: End,
        place: Places,
        compare: Compare = None,
        as_of: AsOf = None,
        language: Tongue = Language.FRENCH,
        form: Form = Format.JSON,
        open_hours: OpenHours = SHOP_HOURS,
        filled: Filled = False,
    ) -> Response:
        """How many people passed: totals, rhythms, a fair comparison, and how good the data are."""
        return await _answer(
            services,
            Texts(
                kind=Kind.FLOWS,
                start=start,
                end=end,
                places=tuple(place),
                compare=compare,
                as_of=as_of,
                language=language,
                open_hours=open_hours,
                filled=filled,
            ),
            form,
        )

    @routes.get("/parking", summary="A report on parking")
    async def parking(
        start: Start,
        end: End,
        place: Places,
        as_of: AsOf = None,
        language: Tongue = Language.FRENCH,
        form: Form = Format.JSON,
    ) -> Response:
        """How full, for how long, how often anew: zones that are counted space by space."""
        texts = Texts(kind=Kind.PARKING, start=start, end=end, places=tuple(place), as_of=as_of, language=language)
        return await _answer(services, texts, form)

    @routes.get("/event", summary="A report on an event")
    async def event(
        event: EventName,
        place: Places,
        as_of: AsOf = None,
        language: Tongue = Language.FRENCH,
        form: Form = Format.JSON,
    ) -> Response:
        """What an event brought, against comparable days, with its interval; or that it cannot be told, and why."""
        texts = Texts(
            kind=Kind.EVENT, start="", end="", places=tuple(place), as_of=as_of, language=language, event=event
        )
        return await _answer(services, texts, form)

    return routes


async def _answer(services: Services, texts: Texts, form: Format) -> Response:
    if services.reporter is None:
        raise unavailable(NOT_HERE)
    try:
        file = await services.reporter.file(texts, form)
    except AskError as error:
        raise misasked(error, texts.language) from error
    suffix = SUFFIXES.get(form, form.value)
    return Response(
        file,
        media_type=MEDIA_TYPES[form],
        headers={"cache-control": PRIVATE, "content-disposition": f'inline; filename="{texts.kind}.{suffix}"'},
    )


def misasked(error: AskError, language: Language) -> ProblemError:
    """What cannot be asked so, in the language asked for."""
    reason = error.cause.fr if language is Language.FRENCH else error.cause.en
    return invalid([FieldError(field=error.field, reason=reason)])


def _file_answer() -> Responses:
    content = {
        media: {"schema": {"type": "string", "format": "binary"}, "example": "…"} for media in set(MEDIA_TYPES.values())
    }
    return {200: {"description": "The report, in the form asked for", "content": content}}
