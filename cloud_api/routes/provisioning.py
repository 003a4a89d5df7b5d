"""Routes for technicians: whoever has no key to provisioning comes no further."""

from fastapi import APIRouter
from starlette.responses import Response

from cloud_api.access import needs
from cloud_api.scopes import Scope


def provisioning_routes(prefix: str = "") -> APIRouter:
    """An empty set of them."""
    return APIRouter(
        prefix=prefix, tags=["provisioning"], default_response_class=Response, dependencies=[needs(Scope.PROVISION)]
    )
