"""The annotator's pages: welcome, trial, thanks, and the images of a trial."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from annotation import blinding, serving
from annotation.models import Session, Study, Trial
from annotation.recognising import annotator_for, annotator_of, owns, remember
from annotation.watching import desk_summary

SECONDS_A_TRIAL = 6
AHEAD = 4


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Open studies for a visitor; the desk for a researcher."""
    if request.user.is_staff:
        return render(request, "annotation/desk.html", {"summary": desk_summary()})
    studies = Study.objects.filter(state=Study.State.OPEN, is_simulated=False)
    return render(request, "annotation/home.html", {"studies": studies})


def _answerable(slug: str) -> Study:
    """A study that people may see; one for simulated observers has no page for people."""
    return get_object_or_404(
        Study.objects.exclude(state=Study.State.DRAFT), slug=slug, is_simulated=False
    )


@require_GET
@never_cache
def welcome(request: HttpRequest, slug: str) -> HttpResponse:
    study = _answerable(slug)
    if not study.is_open:
        return render(request, "annotation/closed.html", {"study": study})
    annotator = annotator_of(request)
    session = (
        Session.objects.filter(study=study, annotator=annotator, state=Session.State.ACTIVE).first()
        if annotator
        else None
    )
    if session and not serving.standing_of(session, is_asked=True).n_total:
        return render(request, "annotation/closed.html", {"study": study, "is_exhausted": True})
    return render(
        request,
        "annotation/welcome.html",
        {
            "study": study,
            "session": session,
            "n_judged": serving.n_judged(session) if session else 0,
            "minutes": max(1, round(study.session_length * SECONDS_A_TRIAL / 60)),
        },
    )


@require_POST
def begin(request: HttpRequest, slug: str) -> HttpResponse:
    study = _answerable(slug)
    has_begun = _session(request, study, Session.State.ACTIVE) is not None
    if not study.is_open or not (has_begun or request.POST.get("consent")):
        return redirect("welcome", slug)
    annotator = annotator_for(request)
    serving.begin(study, annotator)
    response = redirect("trial", slug)
    remember(response, annotator, is_secure=settings.IS_HTTPS)
    return response


def _session(request: HttpRequest, study: Study, state: str) -> Session | None:
    annotator = annotator_of(request)
    if annotator is None:
        return None
    return study.sessions.filter(annotator=annotator, state=state).first()


@require_GET
@never_cache
@ensure_csrf_cookie
def trial(request: HttpRequest, slug: str) -> HttpResponse:
    study = _answerable(slug)
    session = _session(request, study, Session.State.ACTIVE)
    if session is None:
        return redirect("welcome", slug)
    config = {
        "session": str(session.pk),
        "lease_url": reverse("lease", args=[slug]),
        "judgments_url": reverse("judgments", args=[slug]),
        "finish_url": reverse("finish", args=[slug]),
        "thanks_url": reverse("thanks", args=[slug]),
        "welcome_url": reverse("welcome", args=[slug]),
        "total": study.session_length,
        "allow_not_sure": study.allow_not_sure,
        "question": study.question,
        "ahead": AHEAD,
    }
    return render(
        request, "annotation/trial.html", {"study": study, "session": session, "config": config}
    )


@require_GET
@never_cache
def thanks(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug, is_simulated=False)
    session = _session(request, study, Session.State.FINISHED)
    if session is None:
        return redirect("welcome", slug)
    return render(
        request,
        "annotation/thanks.html",
        {
            "study": study,
            "session": session,
            "n_judged": serving.n_judged(session),
            "completion_code": session.completion_code,
        },
    )


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
