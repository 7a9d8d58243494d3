"""The address of an invitation: it is remembered, and disappears from the address bar."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from annotation import inviting, limiting, pages, wording
from annotation.models import Annotator, Invitation
from annotation.recognising import known_annotators


@require_GET
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the link uses nothing up: only beginning does, so that previews do no harm."""
    address, most = limiting.address_of(request), settings.BAD_INVITATIONS_PER_HOUR
    if limiting.was_too_many("invitation", address, most):
        return _refusal(request, "too_many", 429)
    known = known_annotators(request)
    found = inviting.by_token(token)
    refusal = _refused(found, known)
    if refusal or found is None:
        limiting.is_too_many("invitation", address, most)
        return _refusal(request, refusal, 410 if found else 404)
    slug = found.study.slug
    response = redirect("welcome", slug)
    inviting.keep(response, found, reverse("welcome", args=[slug]), is_secure=settings.IS_HTTPS)
    return response


def _refused(found: Invitation | None, known: list[Annotator]) -> str:
    if found is None:
        return "unknown"
    if found.revoked_at:
        return "revoked"
    return "used" if found.used_at and found.annotator not in known else ""


def _refusal(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    return pages.render_in(
        request,
        wording.language_of(request),
        "annotation/invitation.html",
        {"reason": reason},
        offered=wording.LANGUAGES,
        status=status,
    )
