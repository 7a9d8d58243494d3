"""A program that asks the API, and the rows it asks about."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from codecs_eval import tokens
from codecs_eval.models import ApiToken

ROOT = "/api/v1"
ALL = tuple(ApiToken.Scope.values)


@dataclass
class Program:
    """Asks with one token and nothing else: no session, no cookie."""

    token: str

    def __post_init__(self) -> None:
        self._client = Client(enforce_csrf_checks=True)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self._client.generic(
            method,
            ROOT + path,
            data=b"" if body is None else _json(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}"},
        )

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self.ask("POST", path, {} if body is None else body)


def _json(body: Any) -> bytes:
    import json

    return body if isinstance(body, bytes) else json.dumps(body).encode()


def make_program(user: Any, scopes: tuple[str, ...] = ALL) -> Program:
    return Program(tokens.make_token(user, "a test", scopes)[1])
