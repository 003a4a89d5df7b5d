"""What a reader of the page asks for by its address: a language, an audience, and a place to start from.

In come the words of a query string, out come values and the addresses of pages that differ in one of them. What is not
ours is left out: an old bookmark still opens the page.
"""

from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.registry import Position
from cloud_api.registry.places import Audience
from cloud_api.web.french import FRENCH
from cloud_api.web.languages import words_in
from cloud_api.web.words import Words


class Start(Struct, frozen=True):
    """A place of the town from which one walks."""

    id: str
    name: str
    position: Position


class Asked(Struct, frozen=True):
    """What a page is to show."""

    words: Words
    audience: Audience = Audience.PUBLIC
    near: Start | None = None

    @property
    def address(self) -> str:
        """Where this page is found, relative to any other and to the manifest."""
        asked = {
            "lang": "" if self.words is FRENCH else self.words.lang,
            "audience": "" if self.audience is Audience.PUBLIC else self.audience.value,
            "near": "" if self.near is None else self.near.id,
        }
        said = {name: value for name, value in asked.items() if value}
        return f"./?{urlencode(said)}" if said else "./"

    def for_audience(self, audience: Audience) -> "Asked":
        """The same for another audience."""
        return replace(self, audience=audience)

    def in_language(self, lang: str) -> "Asked":
        """The same in another language."""
        return replace(self, words=words_in(lang))


def audience_of(text: str) -> Audience:
    """The audience of this name; everybody where there is none."""
    return Audience(text) if text in set(Audience) else Audience.PUBLIC
