"""What comes before the trials: open studies, the first page of one, and its beginning."""

import math
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotation import admitting, checks, crowd, serving, team, wording
from annotation.forecasting import SECONDS_A_CHECK, SECONDS_A_TRIAL
from annotation.models import Session, Study
from annotation.pages import answerable, render_in
from annotation.recognising import owns, remember, session_of
from annotation.watching import desk_summary

# Into the others nobody comes without a link of their own.
_FOR_VISITORS = (Study.Recruiting.OPEN_LINK, Study.Recruiting.ACCOUNTS)
# Whoever is told to come back later is told so by the status as well.
_STATUS_OF_REFUSAL = {"already_done": 200, "preview": 200, "too_many": 429}


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Open studies for a visitor; the desk for a researcher."""
    if request.user.is_staff:
        return render(
            request,
            "annotation/desk.html",
            {"summary": desk_summary(team.visible_to(request.user))},
        )
    language = wording.language_of(request)
    open_ones = Study.objects.real().filter(
        state=Study.State.OPEN, is_simulated=False, recruiting__in=_FOR_VISITORS
    )
    studies = []
    for study in team.asking(request.user, open_ones):
        speaks = language if language in wording.languages_of(study) else "en"
        question = wording.texts_for(study, speaks)["question"]
        studies.append({"study": study, "question": question, "language": speaks})
    context = {"studies": studies, "own": list(team.visible_to(request.user).real())}
    return render_in(request, language, "annotation/home.html", context, offered=wording.LANGUAGES)


@require_GET
@never_cache
def welcome(request: HttpRequest, slug: str) -> HttpResponse:
    study = answerable(request, slug)
    session = _running(request, study)
    offered = {} if session else wording.languages_of(study)
    language = session.language if session else wording.language_of(request, offered)
    is_exhausted = session is not None and not serving.standing_of(session, is_asked=True).n_total
    if not study.is_open or is_exhausted:
        context = {"study": study, "session": session, "is_exhausted": is_exhausted}
        return render_in(request, language, "annotation/closed.html", context, offered=offered)
    if session is None:
        refused = admitting.obstacle(request, study)
        if refused:
            return _refusal(request, study, refused, language, offered)
    context = _welcome(request, study, session, language)
    return render_in(request, language, "annotation/welcome.html", context, offered=offered)


def _running(request: HttpRequest, study: Study) -> Session | None:
    """This browser's session that goes on; not another worker's who used it before."""
    session = session_of(request, study.pk, Session.State.ACTIVE)
    found = crowd.arrival(request.GET) if study.recruiting == Study.Recruiting.CROWD else None
    if session and found and found.outside_id != session.annotator.outside_id:
        return None
    return session


def _welcome(
    request: HttpRequest, study: Study, session: Session | None, language: str
) -> dict[str, Any]:
    n_practice = session.n_practice if session else _practice_ahead(request, study)
    asked = checks.due(session) if session else checks.asked(study)
    seconds = (n_practice + study.session_length) * SECONDS_A_TRIAL + len(asked) * SECONDS_A_CHECK
    is_ticket_needed = session is None or study.recruiting == Study.Recruiting.CROWD
    return {
        "study": study,
        "session": session,
        "texts": wording.read_in(session) if session else wording.texts_for(study, language),
        "n_judged": serving.n_judged(session) if session else 0,
        "minutes": max(1, round(seconds / 60)),
        "n_practice": n_practice,
        "n_to_pass": math.ceil(n_practice * (study.practice_pass_share or 0)),
        "checks": asked,
        "ticket": admitting.ticket(request) if is_ticket_needed else "",
        "ticket_name": admitting.TICKET,
        "honeypot": admitting.HONEYPOT,
    }


def _practice_ahead(request: HttpRequest, study: Study) -> int:
    """Nobody practises twice."""
    return 0 if session_of(request, study.pk) else study.n_practice


def _refusal(
    request: HttpRequest,
    study: Study,
    refused: admitting.NotAdmitted,
    language: str,
    offered: dict[str, str] | None = None,
) -> HttpResponse:
    own = refused.session if refused.session and owns(request, refused.session) else None
    return render_in(
        request,
        language,
        "annotation/refused.html",
        {"study": study, "code": refused.code, "session": own},
        offered=offered,
        status=_STATUS_OF_REFUSAL.get(refused.code, 403),
    )


@require_POST
def begin(request: HttpRequest, slug: str) -> HttpResponse:
    study = answerable(request, slug)
    if not study.is_open or not (_running(request, study) or _has_agreed(request, study)):
        return _to_welcome(request, slug)
    offered = wording.languages_of(study)
    language = request.POST.get("language", "")
    language = language if language in offered else wording.language_of(request, offered)
    try:
        admission, session = admitting.enter(
            request, study, language=language, texts=wording.read_by_people(study, language)
        )
    except admitting.NotAdmitted as refused:
        return _refusal(request, study, refused, language)
    response = redirect("checks" if checks.due(session) else "trial", slug)
    remember(response, admission.annotator, is_secure=settings.IS_HTTPS, known=admission.known)
    return response


def _has_agreed(request: HttpRequest, study: Study) -> bool:
    has_warning = study.mode == Study.Mode.FLICKER
    return bool(
        request.POST.get("consent") and (request.POST.get("flicker_consent") or not has_warning)
    )


def _to_welcome(request: HttpRequest, slug: str) -> HttpResponse:
    """Whom a provider sent keeps its parameters."""
    query = request.GET.urlencode()
    return redirect(reverse("welcome", args=[slug]) + (f"?{query}" if query else ""))
