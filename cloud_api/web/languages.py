"""The languages of the page: French first, English second."""

from cloud_api.web.english import ENGLISH
from cloud_api.web.french import FRENCH
from cloud_api.web.words import Words


def words_in(lang: str) -> Words:
    """The page's words in a language; French where it is not one of ours."""
    return ENGLISH if lang == ENGLISH.lang else FRENCH
