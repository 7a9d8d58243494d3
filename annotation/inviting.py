"""Invitations: links that let one person into a study, once; only their hash is kept."""

import secrets
from collections.abc import Sequence
from hashlib import sha256

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from annotation import auditing
from annotation.models import Annotator, Invitation, Study

COOKIE = "invitation"
COOKIE_AGE_S = 60 * 60 * 4
MOST_AT_ONCE = 1000


def invite(study: Study, n: int, note: str = "", user: User | None = None) -> list[str]:
    """Make n invitations and return their tokens, which cannot be read again."""
    if not 1 <= n <= MOST_AT_ONCE:
        raise ValueError(f"Found n={n}; expected 1 to {MOST_AT_ONCE} invitations.")
    if len(note) > 120:
        raise ValueError(f"Found a note of {len(note)} characters; expected at most 120.")
    if study.is_simulated:
        raise ValueError(f"Study {study.slug} is answered by simulated observers; invite nobody.")
    tokens = [secrets.token_urlsafe(32) for _ in range(n)]
    with transaction.atomic():
        Invitation.objects.bulk_create(
            Invitation(study=study, token_sha256=_hash(token), note=note, created_by=user)
            for token in tokens
        )
        auditing.record(study, user, "Invitations made", {}, {"invitations": n, "note": note})
    return tokens


def revoke(invitation: Invitation, user: auditing.Actor = None) -> None:
    """From now on it lets nobody in; a session that began with it goes on.

    Raises ValueError where it was revoked before.
    """
    revoked = Invitation.objects.filter(pk=invitation.pk, revoked_at=None)
    was = "used" if invitation.used_at else "unused"
    with transaction.atomic():
        if not revoked.update(revoked_at=timezone.now()):
            raise ValueError(f"Invitation {invitation.pk} was revoked already.")
        said = f"Invitation {invitation.pk} revoked"
        auditing.record(invitation.study, user, said, {"state": was}, {"state": "revoked"})
    invitation.refresh_from_db()


def by_token(token: str) -> Invitation | None:
    """One look-up by hash, whatever the token: its time tells nothing of what is stored."""
    found = Invitation.objects.select_related("study", "annotator")
    return found.filter(token_sha256=_hash(token)).first()


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def keep(response: HttpResponse, invitation: Invitation, path: str, *, is_secure: bool) -> None:
    """Remember an invitation for as long as a welcome page is read, and only on that page."""
    response.set_signed_cookie(
        COOKIE, str(invitation.pk), max_age=COOKIE_AGE_S, path=path, httponly=True,
        samesite="Lax", secure=is_secure,
    )  # fmt: skip


def invitation_of(
    request: HttpRequest, study: Study, known: Sequence[Annotator]
) -> Invitation | None:
    """The one this browser came with, else the one that its person used before."""
    kept = request.get_signed_cookie(COOKIE, default="", max_age=COOKIE_AGE_S) or ""
    rows = study.invitations.select_related("annotator")
    found = rows.filter(pk=kept).first() if kept.isdigit() else None
    if found and not found.revoked_at and (not found.used_at or found.annotator in known):
        return found
    earlier = rows.filter(annotator__in=known, revoked_at=None).first()
    return earlier or found
