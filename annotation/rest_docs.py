"""The API's documentation as a page of our own, made of its schema: no script, no stranger."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.access import for_desk_people
from annotation.rest import api
from codecs_eval.models import ApiToken

# A bound as large as this is the database's, and tells a reader nothing.
MANY = 10**9


@for_desk_people
@require_GET
def api_docs(request: HttpRequest) -> HttpResponse:
    schema = api.get_openapi_schema()
    return render(
        request,
        "annotation/api_docs.html",
        {
            "groups": _groups(schema),
            "schemas": [
                {"name": name, "about": told.get("description", ""), "fields": _fields(told)}
                for name, told in sorted(schema["components"]["schemas"].items())
            ],
            "names": set(schema["components"]["schemas"]),
            "scopes": ApiToken.Scope.choices,
            "site": request.build_absolute_uri("/").rstrip("/"),
        },
    )


def _groups(schema: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            groups.setdefault(told["tags"][0], []).append(_operation(path, method, told))
    return groups


def _operation(path: str, method: str, told: dict[str, Any]) -> dict[str, Any]:
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {
        "id": told["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": told["summary"],
        "about": told.get("description", ""),
        "scope": told["x-scope"],
        "parameters": [
            {
                "name": found["name"],
                "where": found["in"],
                "type": _type_of(found["schema"]),
                "required": found["required"],
                "about": found.get("description", ""),
            }
            for found in told["parameters"]
        ],
        "body": _type_of(body.get("schema", {})) if body else "",
        "answers": [_answer(status, found) for status, found in told["responses"].items()],
    }


def _answer(status: int, found: dict[str, Any]) -> dict[str, Any]:
    content = next(iter(found["content"].values()))
    return {"status": status, "about": found["description"], "type": _type_of(content["schema"])}


def _fields(told: dict[str, Any]) -> list[dict[str, Any]]:
    required = told.get("required", [])
    return [
        {
            "name": name,
            "type": _type_of(found),
            "required": name in required,
            "default": json.dumps(found["default"]) if "default" in found else "",
            "about": found.get("description", ""),
        }
        for name, found in told.get("properties", {}).items()
    ]


def _type_of(found: dict[str, Any]) -> str:
    """A JSON Schema in few words: array of string; integer 1..1000; draft | open."""
    if "$ref" in found:
        return str(found["$ref"].rpartition("/")[2])
    if "anyOf" in found:
        return " or ".join(_type_of(part) for part in found["anyOf"])
    if "enum" in found or "const" in found:
        values = found.get("enum", [found.get("const")])
        return " | ".join(json.dumps(value) for value in values)
    if found.get("type") == "array":
        return f"array of {_type_of(found.get('items', {}))}"
    said = str(found.get("format") or found.get("type", "anything"))
    low, high = found.get("minimum"), found.get("maximum")
    if high is not None and high >= MANY:
        high = None
    if low is not None or high is not None:
        said += f" {'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
    return said
