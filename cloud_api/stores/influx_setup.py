"""A server of InfluxDB 2 that nobody has set up yet gets its first user, organisation, bucket and token, over HTTP.

Its own tool would show the token in the process list. Source: InfluxDB OSS v2 API, `/api/v2/setup`.
"""

from contextlib import closing
from secrets import token_urlsafe
from typing import Final

import msgspec
from msgspec import Struct

from cloud_api.stores.address import InfluxAddress
from cloud_api.stores.base import StoreError
from cloud_api.stores.influx_server import InfluxServer, complaint_of

SETUP: Final = "/api/v2/setup"


class _Setup(Struct):
    """Whether the server waits to be set up."""

    allowed: bool


class _First(Struct, rename="camel"):
    """What a server is set up with."""

    username: str
    password: str
    """Nobody needs it: the token opens all, and can set another."""
    org: str
    bucket: str
    token: str
    retention_period_seconds: int = 0
    """Keeps points for ever."""


_SETUP: Final = msgspec.json.Decoder(_Setup)


def set_up(address: InfluxAddress) -> bool:
    """Set the server up, if it is one of 2.x that waits for it; says whether it was. Raises `StoreError`.

    Whoever is beaten to it leaves it as it is.
    The address's user, its database as organisation and bucket, its password as the operator's token.
    """
    with closing(InfluxServer(address)) as server:
        if not _waits(server):
            return False
        first = _First(
            username=address.user,
            password=token_urlsafe(32),
            org=address.database,
            bucket=address.database,
            token=address.password,
        )
        status, body = server.request("POST", SETUP, msgspec.json.encode(first))
        if status != 201 and _waits(server):
            raise StoreError(f"{address}: answered {status} to its being set up: {complaint_of(body)}")
    return status == 201


def _waits(server: InfluxServer) -> bool:
    status, body = server.request("GET", SETUP)
    try:
        return status == 200 and _SETUP.decode(body).allowed
    except msgspec.DecodeError:
        return False
