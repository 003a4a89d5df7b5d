"""Documents ready to send: made once for each change, and never given when out of date."""

from collections.abc import Callable

from cloud_api.shelf import MOST, Shelf

JSON = "application/json"


class Scribe:
    """Writes documents and counts them."""

    def __init__(self) -> None:
        self.written = 0

    def __call__(self) -> bytes:
        self.written += 1
        return f"document {self.written}".encode()


def fail() -> bytes:
    raise AssertionError("made although it is there")


def give(shelf: Shelf, version: int, make: Callable[[], bytes], name: str = "lots") -> None:
    shelf.give(name, version, JSON, make)


def test_a_document_is_made_once_for_each_version() -> None:
    shelf, scribe = Shelf(), Scribe()

    for version in (1, 1, 2, 2):
        give(shelf, version, scribe)

    assert scribe.written == 2


def test_what_was_made_of_an_older_version_is_not_given() -> None:
    shelf, scribe = Shelf(), Scribe()
    give(shelf, 1, scribe)

    assert shelf.find("lots", 1) is not None
    assert shelf.find("lots", 2) is None


def test_a_full_shelf_lets_go_what_was_asked_for_longest_ago() -> None:
    shelf, scribe = Shelf(), Scribe()
    for number in range(MOST):
        give(shelf, 1, scribe, str(number))
    give(shelf, 1, fail, "0")

    give(shelf, 1, scribe, "one more")

    assert shelf.find("0", 1) is not None
    assert shelf.find("1", 1) is None
