"""What the page is made of besides itself: scripts, styles, pictures, and Leaflet from its package; all served by us.

Read once when the application is put together, compressed when first asked for. Only files named here can be asked for.
Their address holds a fingerprint of them all: what a browser has, it need not ask for again, and an upgrade never meets
yesterday's scripts.
"""

from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from cloud_api.prepared import Prepared
from cloud_api.shelf import Ready

MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
}
LEAFLET: Final = ("leaflet.js", "leaflet.css")
ROOMS: Final = ("technician", "office", "operations")
"""Folders of pages that have styles and scripts of their own."""
NOSNIFF: Final = {"X-Content-Type-Options": "nosniff"}
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"
EDITION_DIGITS: Final = 12


class Assets:
    """Guards that only what is of this edition is kept for ever."""

    def __init__(self) -> None:
        bodies = {path: file.read_bytes() for path, file in _files().items()}
        whole = b"".join(path.encode() + sha256(body).digest() for path, body in sorted(bodies.items()))
        self.edition = sha256(whole).hexdigest()[:EDITION_DIGITS]
        self._kept = {path: _prepared(path, body, FOR_EVER) for path, body in bodies.items()}
        self._asked_again = {path: _prepared(path, body, ASK_AGAIN) for path, body in bodies.items()}

    def find(self, edition: str, path: str) -> Ready | None:
        """An asset; one of another edition (servers are replaced one by one) is ours, not to be kept."""
        found = (self._kept if edition == self.edition else self._asked_again).get(path)
        return None if found is None else Ready(found)


def _files() -> dict[str, Traversable]:
    """Every asset by its path."""
    own = files("cloud_api.web") / "static"
    leaflet = files("xstatic.pkg.leaflet") / "data"
    paths = {file.name: file for file in own.iterdir() if _suffix(file.name) in MEDIA_TYPES}
    paths |= {f"{room}/{file.name}": file for room in ROOMS for file in (own / room).iterdir()}
    return paths | {f"leaflet/{name}": leaflet / name for name in LEAFLET}


def _prepared(path: str, body: bytes, cache_control: str) -> Prepared:
    return Prepared(body, media_type=MEDIA_TYPES[_suffix(path)], cache_control=cache_control, headers=NOSNIFF)


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]
