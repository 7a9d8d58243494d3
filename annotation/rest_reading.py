"""What comes in, read strictly: text that no database can hold is refused at the door."""

import json
from typing import Any, NoReturn, cast

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser

from annotation.rest_problems import Problem


class StrictParser(Parser):
    """JSON as RFC 8259 has it, and text without NUL and without halves of characters."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        found = json.loads(request.body.decode("utf-8"), parse_constant=_refuse_constant)
        if not _is_storable(json.dumps(found, ensure_ascii=False)):
            raise ValueError("text that cannot be stored")
        return cast(dict[str, Any], found)

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        for name in data:
            for value in data.getlist(name):
                if not _is_storable(str(value)):
                    raise Problem(
                        422, f"Found {name} with a NUL or half a character; expected text."
                    )
        return super().parse_querydict(data, list_fields, request)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"found {name}, which is not JSON")


def _is_storable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    # In JSON a NUL is written as an escape.
    return "\0" not in text and "\\u0000" not in text
