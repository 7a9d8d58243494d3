"""Every refusal of the API in one form: problem JSON (RFC 9457), found and expected in words."""

import json
from collections.abc import Callable, Mapping
from http.client import responses
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError

MEDIA_TYPE = "application/problem+json"
ROOT = "/api/v1/"
_UNREADABLE = (
    "Found a body that cannot be read; expected JSON in UTF-8 without NaN, Infinity or NUL "
    "characters."
)
_NO_TOKEN = "Found no bearer token; expected the header Authorization: Bearer triad_..."


class Problem(Exception):
    """A refusal: its status, and what was found and expected."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None) -> HttpResponse:
    told = {
        "type": "about:blank",
        "title": responses[status],
        "status": status,
        "detail": detail,
        "errors": errors or [],
    }
    reply = HttpResponse(json.dumps(told), status=status, content_type=MEDIA_TYPE)
    reply["Cache-Control"] = "no-store"
    if status == 401:
        reply["WWW-Authenticate"] = 'Bearer realm="Triad"'
    return reply


def handle_on(api: NinjaAPI) -> None:
    """Let the API answer with problems alone."""

    @api.exception_handler(Problem)
    def refused(request: HttpRequest, error: Problem) -> HttpResponse:
        return problem(error.status, error.detail)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        errors = [_mistake(found) for found in error.errors]
        first = f"{errors[0]['where']}: {errors[0]['detail']}"
        more = f" ({len(errors) - 1} more below)" if len(errors) > 1 else ""
        return problem(422, first + more, errors)

    @api.exception_handler(HttpError)
    def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
        detail = {400: _UNREADABLE, 401: _NO_TOKEN}.get(error.status_code, str(error))
        return problem(error.status_code, detail)

    @api.exception_handler(Throttled)
    def throttled(request: HttpRequest, error: Throttled) -> HttpResponse:
        return problem(
            429, "Found more requests than a minute may have; wait, as Retry-After says."
        )

    @api.exception_handler(Http404)
    def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
        return problem(404, str(error))


def _mistake(found: Mapping[str, Any]) -> dict[str, str]:
    # The name of the parameter in the code, between "body" and the field, is nobody's business.
    place = [str(part) for part in found["loc"] if part != "sent"]
    return {"where": ".".join(place), "detail": str(found["msg"])}


class ProblemsOnly:
    """Middleware: what answers below the API's root before the API does speaks as it does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        reply = self._get_response(request)
        is_page = reply.status_code >= 400 and "json" not in reply.get("Content-Type", "")
        if not is_page or not request.path.startswith(ROOT):
            return reply
        spoken = problem(reply.status_code, _about(reply, request))
        if reply.has_header("Allow"):
            spoken["Allow"] = reply["Allow"]
        return spoken


def _about(reply: HttpResponse, request: HttpRequest) -> str:
    if reply.status_code == 404:
        return f"Found nothing at {request.path}; expected an address that /api/ documents."
    if reply.status_code == 405:
        return f"Found method {request.method}; expected one of {reply.get('Allow', '')}."
    return f"The server answered with {reply.status_code}; its log says why."
