"""XML of others, parsed safely: no document type, no entity, no reference outwards, and a bound on its size.

Namespaces are dropped: the tongues read here differ in the version in their namespace, not in the words we need.
"""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, ElementTree

from cloud_api.feeds.lots import FeedError

LARGEST: Final = 16 * 2**20
"""Bytes of a document that is held whole."""


def tree(body: bytes) -> Element:
    """The root of a document. Raises `FeedError` with the line where it ends to be XML."""
    if len(body) > LARGEST:
        raise FeedError("document", f"at most {LARGEST // 2**20} MiB")
    try:
        root: Element = ElementTree.fromstring(body, forbid_dtd=True)
    except ParseError as error:
        raise FeedError(f"line {error.position[0]}", f"XML ({error})") from error
    except (DefusedXmlException, ValueError) as error:
        raise FeedError("document", f"XML without a document type or entities ({error})") from error
    return root


def name(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def kind(element: Element) -> str:
    """The `xsi:type` of an element without its prefix; empty where it has none."""
    said = element.get("{http://www.w3.org/2001/XMLSchema-instance}type", "")
    return said.rpartition(":")[2]


def children(element: Element, *path: str) -> Iterator[Element]:
    """The elements at a path of names below an element."""
    if not path:
        yield element
        return
    for child in element:
        if name(child) == path[0]:
            yield from children(child, *path[1:])


def child(element: Element, *path: str) -> Element | None:
    """The first element at a path of names."""
    return next(children(element, *path), None)


def anywhere(element: Element, wanted: str) -> Iterator[Element]:
    """Every element of a name, however deep."""
    return (each for each in element.iter() if name(each) == wanted)


def words(element: Element, *path: str) -> str | None:
    """The text of the first element at a path; None where there is none."""
    found = child(element, *path)
    return None if found is None or found.text is None else found.text.strip() or None
