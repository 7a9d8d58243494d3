"""The REST API, version 1: what other programs may ask of Triad, and its schema.

request -> bearer token -> throttle -> strict reading -> one verb -> JSON, or a problem
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from annotation import rest_desk, rest_judgments, rest_problems, rest_runs, rest_studies
from annotation.rest_access import PerToken
from annotation.rest_reading import StrictParser

SAID_OF = {
    400: "The body cannot be read.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token lacks the scope, or its account may not do this.",
    404: "There is none, or it is not yours to read.",
    409: "It cannot be done as things stand.",
    422: "What was sent is not as documented, or does not go together.",
    429: "Too many requests in this minute; wait as long as Retry-After says.",
}


class RestApi(NinjaAPI):
    """Ninja's, whose schema says how refusals look; no answer is kept by anything on the way."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, told in operation["responses"].items():
                    if status in SAID_OF:
                        _as_problem(status, told)
        return schema

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return str(operation.view_func.__name__)

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        reply = super().create_temporal_response(request)
        reply["Cache-Control"] = "private, no-store"
        return reply


def _as_problem(status: int, told: dict[str, Any]) -> None:
    told["description"] = SAID_OF[status]
    # The dictionary is one for all methods of an operation: it may have been here before.
    if "application/json" in told["content"]:
        told["content"][rest_problems.MEDIA_TYPE] = told["content"].pop("application/json")
    if status == 429:
        told["headers"] = {
            "Retry-After": {"description": "In s.", "schema": {"type": "integer", "minimum": 0}}
        }


api = RestApi(
    title="Triad",
    version="1",
    urls_namespace="rest",
    description="Studies of perceptual image quality: made, watched and read by other programs. "
    "Times are ISO 8601 in UTC; lists come in pages, each naming the next.",
    docs_url=None,
    parser=StrictParser(),
    throttle=PerToken(),
)
rest_problems.handle_on(api)
for router in (rest_studies.router, rest_judgments.router, rest_runs.router, rest_desk.router):
    api.add_router("", router)
