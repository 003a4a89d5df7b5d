"""One answer for every caller: compressed as he reads it, tagged, and not sent again to who has it."""

import asyncio
import gzip
from typing import Any

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.prepared import CODINGS, Prepared, coding_for

BODY = b'{"zones":[' + b"1," * 500 + b"1]}"


def prepared(body: bytes = BODY) -> Prepared:
    return Prepared(body, media_type="application/json", cache_control="public, max-age=10")


def answer(it: Prepared, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, as a caller with these headers gets them (`if_none_match` is `If-None-Match`)."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(it.send_to(scope, send))
    start, end = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, end["body"]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP;Q=0.5", "gzip"),
        ("br;q=0.2, gzip;q=0.8", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0, gzip;q=0", "identity"),
        ("*", "br"),
        ("*;q=0", "identity"),
        ("br;q=0, *", "gzip"),
        ("identity", "identity"),
        ("identity;q=0.5, gzip;q=0.4", "identity"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("identity;q=0", "identity"),
        ("deflate", "identity"),
        ("gzip;q=2, br;q=x", "identity"),
        ("gzip;q=nan", "identity"),
        (" ,,; ,br ; q=0.3", "br"),
    ],
)
def test_the_coding_is_the_best_that_the_caller_reads(accepted: str, coding: str) -> None:
    assert coding_for(accepted.encode()) == coding


@given(st.binary(max_size=60))
def test_no_wording_of_what_is_accepted_is_an_error(accepted: bytes) -> None:
    assert coding_for(accepted) in CODINGS


@given(st.binary(max_size=2000))
def test_every_coding_leads_back_to_the_same_bytes(body: bytes) -> None:
    it = prepared(body)

    assert answer(it)[2] == body
    assert gzip.decompress(answer(it, accept_encoding="gzip")[2]) == body
    assert brotli.decompress(answer(it, accept_encoding="br")[2]) == body


def test_an_answer_says_its_length_its_coding_and_that_it_depends_on_what_is_accepted() -> None:
    status, headers, body = answer(prepared(), accept_encoding="br")

    assert status == 200
    assert headers == {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "content-encoding": "br",
        "etag": headers["etag"],
        "cache-control": "public, max-age=10",
        "vary": "Accept-Encoding",
    }


def test_each_coding_has_a_strong_tag_of_its_own() -> None:
    tags = {answer(prepared(), accept_encoding=each)[1]["etag"] for each in CODINGS}

    assert len(tags) == len(CODINGS)
    assert all(tag.startswith('"') for tag in tags)


def test_equal_bytes_have_equal_tags_and_others_have_not() -> None:
    assert answer(prepared())[1]["etag"] == answer(prepared())[1]["etag"]
    assert answer(prepared())[1]["etag"] != answer(prepared(BODY + b" "))[1]["etag"]


@pytest.mark.parametrize("wording", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_who_has_it_already_gets_no_body_but_the_tag(wording: str) -> None:
    tag = answer(prepared(), accept_encoding="gzip")[1]["etag"]

    status, headers, body = answer(prepared(), accept_encoding="gzip", if_none_match=wording.format(tag=tag))

    assert (status, body) == (304, b"")
    assert headers == {"etag": tag, "cache-control": "public, max-age=10", "vary": "Accept-Encoding"}


def test_who_has_another_coding_of_it_gets_it_as_he_reads_it_now() -> None:
    tag = answer(prepared(), accept_encoding="gzip")[1]["etag"]

    assert answer(prepared(), accept_encoding="br", if_none_match=tag)[0] == 200


def test_head_tells_what_get_would_send() -> None:
    got, head = (answer(prepared(), method, accept_encoding="gzip") for method in ("GET", "HEAD"))

    assert head == (got[0], got[1], b"")


def test_a_coding_is_made_once_however_many_ask() -> None:
    it = prepared()

    assert answer(it, accept_encoding="br")[2] is answer(it, accept_encoding="br")[2]
