"""Documents ready to send: each is made once for each change of what it tells, however many ask for it.

In come a document's name, the version of what it tells of, and what makes it; out comes the answer.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cloud_api.feed import CACHE_CONTROL
from cloud_api.prepared import Prepared

MOST: Final = 32
"""Documents on one shelf; the one asked for longest ago goes first."""


class Ready(Response):
    """Answers with what is prepared: plain or compressed, or 304."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__()
        self._prepared = prepared

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._prepared.send_to(scope, send)


class Shelf:
    """Guards that nothing out of date is given. Belongs to the event loop."""

    def __init__(self) -> None:
        self._documents: OrderedDict[Hashable, tuple[Hashable, Prepared]] = OrderedDict()

    def give(self, name: Hashable, version: Hashable, media_type: str, make: Callable[[], bytes]) -> Ready:
        """The document of this name and version, made where it is not there yet."""
        found = self.find(name, version)
        return found if found is not None else self.put(name, version, prepare(make(), media_type))

    def find(self, name: Hashable, version: Hashable) -> Ready | None:
        """The document, where it is there in this version."""
        known = self._documents.get(name)
        if known is None or known[0] != version:
            return None
        self._documents.move_to_end(name)
        return Ready(known[1])

    def put(self, name: Hashable, version: Hashable, prepared: Prepared) -> Ready:
        """Keep a document in the place of any older one of its name."""
        self._documents[name] = (version, prepared)
        self._documents.move_to_end(name)
        if len(self._documents) > MOST:
            self._documents.popitem(last=False)
        return Ready(prepared)


def prepare(body: bytes, media_type: str, **headers: str) -> Prepared:
    """A document, its text in UTF-8, that callers may keep as long as they may keep the figures of zones."""
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return Prepared(body, media_type=media_type + charset, cache_control=CACHE_CONTROL, headers=headers)
