"""The routes that thousands ask at once, as plain ASGI: all zones now, and the streams. `parking.py` and `flows.py`
describe them."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from cloud_api.access import guarded
from cloud_api.feed import ZoneFeed
from cloud_api.routes.event_stream import event_stream
from cloud_api.scopes import Scope
from cloud_api.services import Services

ZONES = "/v1/parking/zones"
FLOWS = "/v1/flows/now"


def hot_routes(services: Services) -> Mapping[str, ASGIApp]:
    """By path."""
    parking = event_stream(
        services.feed.stream, parameter="zones", known=lambda: services.registry.zones, instead=ZONES
    )
    flows = event_stream(
        services.flows.stream, parameter="counters", known=lambda: services.registry.counters, instead=FLOWS
    )
    return {
        ZONES: _zones(services.feed),
        "/v1/parking/stream": parking,
        "/v1/flows/stream": guarded(flows, Scope.READ_FLOWS),
    }


def _zones(feed: ZoneFeed) -> ASGIApp:
    async def zones(scope: AsgiScope, _receive: Receive, send: Send) -> None:
        await feed.prepared().send_to(scope, send)

    return zones
