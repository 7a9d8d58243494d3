"""The trial page, with what it is told of its study, and the images of a trial."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from annotation import blinding, checks, wording
from annotation.models import Session, Trial
from annotation.pages import answerable, render_in
from annotation.recognising import key_of, owns, session_of

AHEAD = 4
_TOLD_TO_THE_PAGE = (
    "allow_not_sure",
    "mode",
    "flicker_hz",
    "min_switches",
    "shortest_view_ms",
    "time_limit_s",
    "largest_zoom",
    "when_small",
    "smallest_crop_px",
    "break_every",
)
_GATE = ("min_screen_width_px", "min_screen_height_px", "require_ratio_one", "computers_only")


@require_GET
@never_cache
@ensure_csrf_cookie
def trial(request: HttpRequest, slug: str) -> HttpResponse:
    study = answerable(request, slug)
    session = session_of(request, study.pk, Session.State.ACTIVE)
    if session is None:
        return redirect("thanks" if session_of(request, study.pk) else "welcome", slug)
    if checks.due(session):
        return redirect("checks", slug)
    texts = wording.read_in(session)
    return render_in(
        request,
        session.language,
        "annotation/trial.html",
        {
            "study": study,
            "session": session,
            "texts": texts,
            "config": _trial_config(session, texts["question"]),
        },
    )


def _trial_config(session: Session, question: str) -> dict[str, Any]:
    study, slug = session.study, session.study.slug
    return {
        "session": str(session.pk),
        "key": key_of(session),
        "lease_url": reverse("lease", args=[slug]),
        "judgments_url": reverse("judgments", args=[slug]),
        "finish_url": reverse("finish", args=[slug]),
        "screen_out_url": reverse("screen_out", args=[slug]),
        "thanks_url": reverse("thanks", args=[slug]),
        "welcome_url": reverse("welcome", args=[slug]),
        "login_url": _login_url(session),
        "language": session.language,
        "question": question,
        "ahead": AHEAD,
        "total": session.n_planned,
        "n_practice": session.n_practice,
        **{name: getattr(study, name) for name in _TOLD_TO_THE_PAGE},
        "gate": {name: getattr(study, name) for name in _GATE},
    }


def _login_url(session: Session) -> str | None:
    """Where a login that ran out in the middle is renewed; None for who came without an account."""
    if session.annotator.user_id is None:
        return None
    return f"{reverse('login')}?next={reverse('trial', args=[session.study.slug])}"


@require_GET
def trial_image(request: HttpRequest, slug: str, trial_id: str, side: str) -> HttpResponse:
    found = get_object_or_404(
        Trial.objects.select_related(
            "session", "triplet__source", "triplet__first", "triplet__second"
        ),
        pk=trial_id,
        session__study__slug=slug,
    )
    if side not in blinding.SIDES or not owns(request, found.session):
        raise Http404
    response = HttpResponse(blinding.image_of(found, side), content_type="image/png")
    # A reload in mid-session finds the pictures of its open trials in the browser's own cache.
    response["Cache-Control"] = "private, max-age=3600, immutable"
    return response
