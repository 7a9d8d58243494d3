"""Replies that are files: with their names, private, and an SVG that can style itself alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from codecs_eval.archiving import stream_zip
from codecs_eval.dark_figures import followed_in_the_dark

# Opened on its own, a figure runs nothing and loads nothing; its style attributes are its own.
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


def is_download(request: HttpRequest) -> bool:
    return "download" in request.GET


def named(response: HttpResponse, name: str, *, as_attachment: bool) -> HttpResponse:
    response["Content-Disposition"] = content_disposition_header(as_attachment, name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache"
    return response


def svg_reply(data: bytes, name: str, *, as_attachment: bool = False) -> HttpResponse:
    """In a page it follows light and dark; a download stays as it was drawn."""
    data = data if as_attachment else followed_in_the_dark(data)
    response = named(
        HttpResponse(data, content_type="image/svg+xml"), name, as_attachment=as_attachment
    )
    response["Content-Security-Policy"] = SVG_POLICY
    return response


def csv_reply(text: str, name: str) -> HttpResponse:
    return named(
        HttpResponse(text, content_type="text/csv; charset=utf-8"), name, as_attachment=True
    )


def zip_reply(
    folder: Path, names: Sequence[str], inside: str, besides: Mapping[str, bytes] | None = None
) -> StreamingHttpResponse:
    """Files of a folder, and others `besides`, as one zip called `inside`.zip, streamed."""
    response = StreamingHttpResponse(
        stream_zip(folder, names, inside=inside, besides=besides), content_type="application/zip"
    )
    response["Content-Disposition"] = content_disposition_header(True, f"{inside}.zip") or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache"
    return response


def file_reply(path: Path, content_type: str, name: str, *, as_attachment: bool) -> HttpResponse:
    """A report's file under its download name; an SVG with the headers that one needs."""
    if path.suffix == ".svg":
        return svg_reply(path.read_bytes(), name, as_attachment=as_attachment)
    reply = HttpResponse(path.read_bytes(), content_type=content_type)
    return named(reply, name, as_attachment=as_attachment)
