"""A file of any size as a reply that can be taken up again where a connection broke.

RFC 9110: Range, If-Range, 206, 416, and a strong ETag; one range a reply.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date

CHUNK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class _Unsatisfiable(Exception):
    """The range begins behind the file's end."""


def ranged_reply(
    request: HttpRequest, path: Path, *, name: str, content_type: str, sha256: str
) -> HttpResponseBase:
    """The file, a part of it, or that the reader has it; `sha256` is of its bytes: its ETag."""
    size = path.stat().st_size
    etag = f'"{sha256}"'
    modified = http_date(path.stat().st_mtime)
    if etag in (tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")):
        return _with_headers(HttpResponse(status=304), name, etag, modified)
    try:
        asked = _asked(request, size, etag, modified)
    except _Unsatisfiable:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return _with_headers(refused, name, etag, modified)
    first, last = asked or (0, size - 1)
    pieces = () if request.method == "HEAD" else _pieces(path, first, last + 1 - first)
    reply = StreamingHttpResponse(pieces, content_type=content_type, status=206 if asked else 200)
    if asked:
        reply["Content-Range"] = f"bytes {first}-{last}/{size}"
    reply["Content-Length"] = str(last + 1 - first)
    return _with_headers(reply, name, etag, modified)


def _with_headers(reply: HttpResponseBase, name: str, etag: str, modified: str) -> HttpResponseBase:
    reply["Accept-Ranges"] = "bytes"
    reply["ETag"] = etag
    reply["Last-Modified"] = modified
    reply["Content-Disposition"] = content_disposition_header(True, name) or ""
    reply["X-Content-Type-Options"] = "nosniff"
    # no-transform: a proxy that compresses would move every byte.
    reply["Cache-Control"] = "private, no-cache, no-transform"
    return reply


def _asked(request: HttpRequest, size: int, etag: str, modified: str) -> tuple[int, int] | None:
    """First and last byte; None for the whole file, which any range may be answered with."""
    found = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if found is None or found[0] == "bytes=-":
        return None
    # The file is another one than that which the reader has a part of.
    if request.headers.get("If-Range", etag).strip() not in (etag, modified):
        return None
    begins, ends = found[1], found[2]
    if not begins:
        first, last = max(0, size - int(ends)), size - 1
    else:
        first, last = int(begins), min(int(ends), size - 1) if ends else size - 1
        if ends and int(ends) < first:
            return None
    if first >= size or (not begins and not int(ends)):
        raise _Unsatisfiable
    return first, last


def _pieces(path: Path, first: int, n_bytes: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while n_bytes and (piece := file.read(min(CHUNK_BYTES, n_bytes))):
            n_bytes -= len(piece)
            yield piece
