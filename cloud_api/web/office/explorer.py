"""The script that draws a chart anew in the browser, for whoever wants to explore it: Vega, out of the package that
draws the pictures, so that picture and page are drawn by the same program.

Made once in a process of its own, when first asked for: it needs seconds and much memory. Its address names the
package's version, so a browser that has it need not ask again.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cloud_api.access import needs
from cloud_api.prepared import Prepared
from cloud_api.scopes import Scope
from cloud_api.shelf import Ready
from cloud_api.web.assets import MEDIA_TYPES, NOSNIFF

PACKAGE: Final = "vl-convert-python"
MAKE: Final = (
    "import os, sys, vl_convert; os.nice(10); sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"
)
FOR_EVER: Final = "private, max-age=31536000, immutable"


@lru_cache(1)
def script_name() -> str | None:
    """What the script is called; None where this installation draws no charts."""
    try:
        return f"vega-{version(PACKAGE)}.js"
    except PackageNotFoundError:
        return None


class Explorer:
    """Guards that the script is made once, whoever asks. Belongs to the event loop."""

    def __init__(self) -> None:
        self._made: Prepared | None = None
        self._turn = asyncio.Lock()

    async def script(self) -> Prepared:
        """The script."""
        async with self._turn:
            if self._made is None:
                self._made = await _make()
        return self._made


async def _make() -> Prepared:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", MAKE, stdout=PIPE, stderr=DEVNULL)
    out, _ = await process.communicate()
    if process.returncode:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE)
    return Prepared(out, media_type=MEDIA_TYPES["js"], cache_control=FOR_EVER, headers=NOSNIFF)


def add_routes(routes: APIRouter, path: str) -> None:
    """The route of the script, under `path`; for those who may make reports."""
    explorer = Explorer()

    @routes.get(path + "/{name}.js", dependencies=[needs(Scope.REPORT)])
    async def script(name: str) -> Response:
        if f"{name}.js" != script_name():
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return Ready(await explorer.script())
