"""What the page is made of besides itself: scripts, styles, pictures, and Leaflet from its package; all served by us.

Read and compressed once when the application is put together. Only files named here can be asked for.
"""

import gzip
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
LEAFLET: Final = ("leaflet.js", "leaflet.css")
NOSNIFF: Final = {"X-Content-Type-Options": "nosniff"}
ASSET_HEADERS: Final = {**NOSNIFF, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
"""Browsers keep assets and ask whether they are still right: an upgrade never meets yesterday's scripts."""


class Asset(Struct, frozen=True):
    """One file, plain and compressed."""

    body: bytes
    packed: bytes
    media_type: str
    etag: str


def load_assets() -> Mapping[str, Asset]:
    """Every asset by its path under `/static/`."""
    own = files("cloud_api.web") / "static"
    leaflet = files("xstatic.pkg.leaflet") / "data"
    paths = {file.name: file for file in own.iterdir() if _suffix(file) in MEDIA_TYPES}
    paths |= {f"leaflet/{name}": leaflet / name for name in LEAFLET}
    return MappingProxyType({path: _load(file) for path, file in paths.items()})


def send_asset(request: Request, asset: Asset) -> Response:
    """An asset, compressed where the caller understands it; nothing where he has it already."""
    headers = {**ASSET_HEADERS, "ETag": asset.etag}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if accepts_gzip(request):
        return Response(asset.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


def accepts_gzip(request: Request) -> bool:
    """Whether the caller reads gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def pack(body: bytes) -> bytes:
    """The same, compressed; equal bodies give equal bytes."""
    return gzip.compress(body, mtime=0)


def _load(file: Traversable) -> Asset:
    body = file.read_bytes()
    return Asset(body, pack(body), MEDIA_TYPES[_suffix(file)], f'"{sha256(body).hexdigest()[:16]}"')


def _suffix(file: Traversable) -> str:
    return file.name.rpartition(".")[2]
