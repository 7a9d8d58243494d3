"""A download that broke goes on where it was, and never joins parts of two files."""

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from codecs_eval.serving_ranges import ranged_reply

DATA = bytes(range(256)) * 4096
ETAG = '"abc"'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "out.zip").write_bytes(DATA)
    return tmp_path / "out.zip"


def asked(path: Path, method: str = "get", **headers: str) -> HttpResponseBase:
    request: HttpRequest = getattr(RequestFactory(), method)("/", headers=headers)
    return ranged_reply(request, path, name="out.zip", content_type="application/zip", sha256="abc")


def body(reply: Any) -> bytes:
    return b"".join(reply.streaming_content)


def test_the_whole_file_says_that_it_can_be_resumed(path: Path) -> None:
    reply = asked(path)
    assert reply.status_code == 200
    assert reply["Accept-Ranges"] == "bytes"
    assert reply["ETag"] == ETAG
    assert reply["Content-Length"] == str(len(DATA))
    assert reply["Content-Disposition"] == 'attachment; filename="out.zip"'
    assert body(reply) == DATA


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=500000-", 500_000, len(DATA) - 1),
        ("bytes=500000-600000", 500_000, 600_000),
        ("bytes=5-99999999999", 5, len(DATA) - 1),
        ("bytes=-10", len(DATA) - 10, len(DATA) - 1),
        ("bytes=-99999999999", 0, len(DATA) - 1),
    ],
)
def test_a_part_is_that_part(path: Path, wanted: str, first: int, last: int) -> None:
    reply = asked(path, Range=wanted)
    assert reply.status_code == 206
    assert reply["Content-Range"] == f"bytes {first}-{last}/{len(DATA)}"
    assert reply["Content-Length"] == str(last + 1 - first)
    assert body(reply) == DATA[first : last + 1]


def test_two_parts_after_a_break_are_the_file(path: Path) -> None:
    begun = DATA[:300_000]
    rest = asked(path, Range=f"bytes={len(begun)}-", **{"If-Range": ETAG})
    assert rest.status_code == 206
    assert begun + body(rest) == DATA


@pytest.mark.parametrize("wanted", [f"bytes={len(DATA)}-", "bytes=99999999-", "bytes=-0"])
def test_a_part_behind_the_end_is_refused_with_the_size(path: Path, wanted: str) -> None:
    reply = asked(path, Range=wanted)
    assert reply.status_code == 416
    assert reply["Content-Range"] == f"bytes */{len(DATA)}"


@pytest.mark.parametrize("known", ['"other"', 'W/"abc"', "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_part_of_another_file_is_answered_with_the_whole(path: Path, known: str) -> None:
    reply = asked(path, Range="bytes=5-", **{"If-Range": known})
    assert reply.status_code == 200
    assert body(reply) == DATA


def test_the_date_of_the_file_is_a_condition_too(path: Path) -> None:
    modified = asked(path)["Last-Modified"]
    assert asked(path, Range="bytes=5-", **{"If-Range": modified}).status_code == 206


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "lines=0-5", "bytes=5-2", "bytes=-", "5"])
def test_what_is_no_single_part_is_answered_with_the_whole(path: Path, wanted: str) -> None:
    reply = asked(path, Range=wanted)
    assert reply.status_code == 200
    assert body(reply) == DATA


def test_who_has_the_file_is_told_so(path: Path) -> None:
    assert asked(path, **{"If-None-Match": ETAG}).status_code == 304
    assert asked(path, **{"If-None-Match": '"other"'}).status_code == 200


def test_a_head_has_the_headers_alone(path: Path) -> None:
    reply = asked(path, "head")
    assert reply["Content-Length"] == str(len(DATA))
    assert body(reply) == b""


def test_an_empty_file_has_no_part(path: Path) -> None:
    path.write_bytes(b"")
    assert asked(path, Range="bytes=0-").status_code == 416
    assert body(asked(path)) == b""
