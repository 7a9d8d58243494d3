"""The viewing checks, one a page, between the consent and the first trial."""

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods

from annotation import checks as checking
from annotation.models import Session
from annotation.pages import answerable, render_in
from annotation.recognising import session_of

MOST_BYTES = 10_000


@require_http_methods(["GET", "POST"])
@never_cache
@ensure_csrf_cookie
def checks(request: HttpRequest, slug: str) -> HttpResponse:
    """GET: the next check that is due. POST: what was answered, as JSON; says where to go on."""
    study = answerable(request, slug)
    session = session_of(request, study.pk, Session.State.ACTIVE)
    if request.method == "POST":
        return _answered(request, session, slug)
    due = checking.due(session) if session else []
    if session is None or not due:
        return redirect(_next(session, slug))
    asked = checking.asked(study)
    context = {
        "study": study,
        "session": session,
        "kind": due[0],
        "number": asked.index(due[0]) + 1,
        "n_checks": len(asked),
        "material": checking.material(session, due[0]),
    }
    return render_in(request, session.language, "annotation/checks.html", context)


def _answered(request: HttpRequest, session: Session | None, slug: str) -> HttpResponse:
    if session is None:
        return JsonResponse({"next": _next(None, slug)})
    try:
        body = _body(request)
        if UUID(str(body.get("session"))) == session.pk:
            checking.record(session, str(body.get("kind")), body)
    except ValueError as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"next": _next(session, slug)})


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body[:MOST_BYTES])
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ValueError("Found no readable JSON object; expected one with session and kind.")
    return body


def _next(session: Session | None, slug: str) -> str:
    if session is None:
        return reverse("welcome", args=[slug])
    if session.state != Session.State.ACTIVE:
        return reverse("thanks", args=[slug])
    return reverse("checks" if checking.due(session) else "trial", args=[slug])
