"""Who asks: a bearer token, what it may do, how often; and the study that an address names."""

import threading
import time
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from annotation import limiting, team
from annotation.models import Study, StudyMember
from annotation.rest_problems import Problem
from codecs_eval import tokens
from codecs_eval.models import ApiToken

MINUTE_S = 60
WHERE = "make one at /api/tokens"


class BearerToken(HttpBearer):
    """Lets in who has a token with one scope; the account's own rights come after that."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        found = tokens.find_token(token)
        if found is None or not found.user.is_active:
            raise Problem(401, f"Found a token that is none; expected a valid one: {WHERE}.")
        if found.state != "valid":
            raise Problem(
                401, f"Found a token that is {found.state}; expected a valid one: {WHERE}."
            )
        if self.scope not in found.scopes:
            has = ", ".join(found.scopes)
            raise Problem(403, f"Found a token for {has}; expected one for {self.scope}.")
        tokens.note_use(found)
        return found


def needs(scope: str) -> dict[str, Any]:
    """For an operation's decorator: who may ask, and its scope in the schema."""
    return {"auth": BearerToken(scope), "openapi_extra": {"x-scope": str(scope)}}


class PerToken(BaseThrottle):
    """API_REQUESTS_PER_MINUTE of one token, counted in the cache that all web processes share."""

    def __init__(self) -> None:
        # One object serves all threads of the process.
        self._asked = threading.local()

    def allow_request(self, request: HttpRequest) -> bool:
        self._asked.wait_s = MINUTE_S - time.time() % MINUTE_S
        token = str(token_of(request).pk)
        most = settings.API_REQUESTS_PER_MINUTE
        return not limiting.is_too_many("api", token, most, MINUTE_S)

    def wait(self) -> float:
        return float(self._asked.wait_s)


def token_of(request: HttpRequest) -> ApiToken:
    token = request.auth  # type: ignore[attr-defined]
    assert isinstance(token, ApiToken)
    return token


def user_of(request: HttpRequest) -> User:
    return token_of(request).user


def researcher_of(request: HttpRequest) -> User:
    """The token's account, which must be a researcher's: as on the desk."""
    user = user_of(request)
    if not user.is_staff:
        raise Problem(403, f"Found the account {user}; expected a researcher's.")
    return user


def study_of(request: HttpRequest, slug: str) -> Study:
    """A study that the token's account may read."""
    study = team.visible_to(user_of(request)).filter(slug=slug).first()
    if study is None:
        raise Problem(404, f"No study is called {slug!r}, or it is not yours to read.")
    return study


def study_to_change(request: HttpRequest, slug: str) -> Study:
    study = study_of(request, slug)
    if not team.may(user_of(request), study, StudyMember.Role.RESEARCHER):
        role = team.role_of(user_of(request), study)
        raise Problem(403, f"Found the part of {role} in this study; expected a researcher.")
    return study
