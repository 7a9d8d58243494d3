"""Tokens by which programs ask: made and shown once, found by their hash, revoked."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from codecs_eval.models import ApiToken

PREFIX = "triad_"
LONGEST_DAYS = 366
LONGEST_NAME = 80
# A page that is polled does not write to the database each time.
_USE_NOTED_EVERY = timedelta(minutes=1)


def make_token(
    user: User, name: str, scopes: Sequence[str], days: int = 90
) -> tuple[ApiToken, str]:
    """A new token: its row, and the token itself, which nobody can be told again.

    Raises ValueError for a name, a scope or a number of days that cannot be.
    """
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise ValueError(f"Found name {name!r}; expected 1 to {LONGEST_NAME} characters.")
    unknown = sorted(set(scopes) - set(ApiToken.Scope.values))
    if unknown or not scopes:
        raise ValueError(
            f"Found scopes {unknown or list(scopes)}; "
            f"expected some of {', '.join(ApiToken.Scope.values)}."
        )
    if not 1 <= days <= LONGEST_DAYS:
        raise ValueError(f"Found {days} days; expected 1 to {LONGEST_DAYS}.")
    text = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        name=name.strip(),
        token_sha256=hash_of(text),
        scopes=[scope for scope in ApiToken.Scope.values if scope in scopes],
        expires_at=timezone.now() + timedelta(days=days),
    )
    return row, text


def hash_of(text: str) -> str:
    """What is stored. 256 random bits need no salt, and their hash tells nothing by its timing."""
    return sha256(text.encode()).hexdigest()


def find_token(text: str) -> ApiToken | None:
    """The token's row, whatever its state; None where there is no such token."""
    return ApiToken.objects.select_related("user").filter(token_sha256=hash_of(text)).first()


def note_use(token: ApiToken) -> None:
    now = timezone.now()
    rows = ApiToken.objects.filter(pk=token.pk)
    if token.last_used_at is None or token.last_used_at < now - _USE_NOTED_EVERY:
        rows.filter(Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_NOTED_EVERY)).update(
            last_used_at=now
        )


def revoke(token: ApiToken) -> None:
    """From now on it opens nothing; the row stays."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
