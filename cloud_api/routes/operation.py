"""What those who run it ask: is it alive, can it work, what does it count."""

import asyncio
from typing import Literal

import msgspec
from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from cloud_api.metrics import MEDIA_TYPE
from cloud_api.openapi import JSON, answer, refusal, text_answer
from cloud_api.problems import unavailable
from cloud_api.services import Services
from cloud_api.stores.base import Store, StoreError


class Alive(Struct, frozen=True):
    """That the process answers."""

    status: Literal["alive"] = "alive"


class Ready(Struct, frozen=True):
    """That broker and store are reachable."""

    status: Literal["ready"] = "ready"


ALIVE = Alive()
READY = Ready()
ANSWERS = (ALIVE, READY)
METRICS_EXAMPLE = 'passerelle_ingest_facts_total 128403.0\npasserelle_gateway_online{gateway="gw-halles"} 1.0\n'


def router(services: Services) -> APIRouter:
    """The routes `/healthz`, `/readyz` and `/metrics`."""
    routes = APIRouter(tags=["operation"], default_response_class=Response)

    @routes.get("/healthz", summary="Alive", responses=answer(ALIVE, "The process answers"))
    async def healthz() -> Response:
        """The process is alive; restart it when this does not answer."""
        return Response(msgspec.json.encode(ALIVE), media_type=JSON)

    @routes.get(
        "/readyz",
        summary="Ready",
        responses={
            **answer(READY, "Broker and store are reachable"),
            **refusal(unavailable("the broker cannot be reached"), "/readyz"),
        },
    )
    async def readyz() -> Response:
        """Broker and store are reachable; send no callers while they are not."""
        problems = [*services.problems(), *await asyncio.to_thread(_store_problems, services.store)]
        if problems:
            raise unavailable("; ".join(problems))
        return Response(msgspec.json.encode(READY), media_type=JSON)

    @routes.get(
        "/metrics",
        summary="Figures for Prometheus",
        responses=text_answer("text/plain", METRICS_EXAMPLE, "Prometheus's text format"),
    )
    async def metrics() -> Response:
        """What ingest counted, and what the gateways say of themselves."""
        return Response(services.metrics.text(), media_type=MEDIA_TYPE)

    return routes


def _store_problems(store: Store) -> list[str]:
    try:
        store.ready()
    except StoreError as error:
        return [f"the store is not ready: {error}"]
    return []
