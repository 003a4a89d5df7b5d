"""Parking on arrival: what can be expected of a zone, and how good such forecasts were. Public, read only."""

import re
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from cloud_api.forecast.answers import QUALITY_TTL_S
from cloud_api.forecast.arrival import LONGEST_MINUTES, SHORTEST_MINUTES
from cloud_api.forecast.examples import FORECAST, QUALITY
from cloud_api.openapi import JSON, answer, parameter, refusal
from cloud_api.prepared import Prepared
from cloud_api.problems import FieldError, invalid, not_found
from cloud_api.routes.parking import UNCHANGED
from cloud_api.services import Services
from cloud_api.shelf import Shelf

ANSWERS: Final = (FORECAST, QUALITY)
MOST_LEADS: Final = 4
LEADS: Final = re.compile(r"[0-9]{1,4}(,[0-9]{1,4})*")
QUALITY_KEPT: Final = f"public, max-age={QUALITY_TTL_S}"
EXPECTED: Final = (
    f"1 to {MOST_LEADS} lead times in minutes, each {SHORTEST_MINUTES} to {LONGEST_MINUTES}, "
    "none twice, separated by commas (15,30,60), expected"
)
WRONG_LEADS: Final = FieldError(field="in", reason=EXPECTED)
PATH: Final = "/v1/parking/zones/place-du-marche/forecast"
QUALITY_PATH: Final = "/v1/parking/forecast/quality"


def router(services: Services) -> APIRouter:
    """The routes that tell of arrivals."""
    routes = APIRouter(prefix="/v1/parking", tags=["parking"], default_response_class=Response)
    shelf, judged = Shelf(), Shelf()

    @routes.get(
        "/zones/{id}/forecast",
        summary="One zone on arrival",
        responses={
            **answer(FORECAST, "What can be said of each moment of arrival"),
            **UNCHANGED,
            **refusal(not_found("zone", "place-du-marcher"), "/v1/parking/zones/place-du-marcher/forecast"),
            **refusal(invalid([WRONG_LEADS]), PATH),
        },
    )
    async def forecast(
        zone_id: Annotated[
            str, Path(alias="id", max_length=63, openapi_examples=parameter("place-du-marche", "The market square"))
        ],
        leads: Annotated[
            str,
            Query(
                alias="in",
                max_length=40,
                description=f"In how many minutes the driver arrives: {EXPECTED}.",
                openapi_examples=parameter("30,120", "In half an hour, and in two hours"),
            ),
        ] = "15,30,60",
    ) -> Response:
        """How likely a space is free then, how many are to be expected, and whose word that is.

        Where nothing can be said (closed, no history, no sure news of the present) all figures are null, with the
        cause. Where single spaces are counted, those open to everybody are meant.
        """
        place = services.registry.zones.get(zone_id)
        if place is None:
            raise not_found("zone", zone_id)
        minutes = _minutes(leads)
        told = services.forecaster.look(place, minutes, services.clock())
        return shelf.give((zone_id, minutes), told, JSON, lambda: msgspec.json.encode(told))

    @routes.get(
        "/forecast/quality",
        summary="How good past forecasts were",
        responses={
            **answer(QUALITY, "By zone and lead time: the model's forecasts against both baselines"),
            **UNCHANGED,
            **refusal(not_found("zone", "place-du-marcher"), QUALITY_PATH),
            **refusal(invalid([FieldError(field="zone", reason="at most 63 characters expected")]), QUALITY_PATH),
        },
    )
    async def quality(
        zone: Annotated[
            str | None,
            Query(
                max_length=63,
                description="One zone's id; all zones where it is left out.",
                openapi_examples=parameter("place-du-marche", "The market square"),
            ),
        ] = None,
    ) -> Response:
        """Forecasts of the last four weeks, held against what was observed when their time had come.

        The Brier score is the mean squared error of the probability: 0 is best, a coin's is 0.25. `as_now` says that
        nothing changes, `usual` what was so at this hour in the last three weeks.
        """
        zones = services.registry.zones
        if zone is not None and zone not in zones:
            raise not_found("zone", zone)
        wanted = zones if zone is None else {zone: zones[zone]}
        version = (services.forecaster.rounds, services.places.revision)
        return judged.find(zone, version) or judged.put(
            zone,
            version,
            Prepared(
                msgspec.json.encode(services.forecaster.quality(wanted, services.clock())),
                media_type=JSON,
                cache_control=QUALITY_KEPT,
            ),
        )

    return routes


def _minutes(text: str) -> tuple[int, ...]:
    """The lead times, in minutes. Raises `ProblemError`."""
    minutes = tuple(int(each) for each in text.split(",")) if LEADS.fullmatch(text) else ()
    possible = all(SHORTEST_MINUTES <= each <= LONGEST_MINUTES for each in minutes)
    if not possible or not 1 <= len(minutes) == len(set(minutes)) <= MOST_LEADS:
        raise invalid([WRONG_LEADS])
    return minutes
