"""The end of a session: thanks with the outcome's code, and taking one's answers back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from annotation import crowd, serving, withdrawing
from annotation.models import Session, Study
from annotation.pages import render_in, shown_to
from annotation.recognising import session_of


def _ended(request: HttpRequest, study: Study) -> Session | None:
    ended = [state for state in Session.State.values if state != Session.State.ACTIVE]
    return session_of(request, study.pk, *ended)


@require_GET
@never_cache
def thanks(request: HttpRequest, slug: str) -> HttpResponse:
    """The end of a session, whichever it was, with the code of that outcome."""
    study = shown_to(request, Study.objects.all(), slug)
    session = _ended(request, study)
    if session is None:
        return redirect("welcome", slug)
    provider = crowd.PROVIDERS.get(session.crowd.get("provider", ""))
    context = {
        "study": study,
        "session": session,
        "n_judged": serving.n_judged(session),
        "completion_code": session.completion_code,
        "return_url": crowd.return_url(session),
        "provider": provider.label if provider else "",
    }
    return render_in(request, session.language, "annotation/thanks.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """GET asks, POST deletes: the session that goes on, else the one that ended last."""
    study = shown_to(request, Study.objects.all(), slug)
    left = [state for state in Session.State.values if state != Session.State.WITHDRAWN]
    session = session_of(request, study.pk, Session.State.ACTIVE) or session_of(
        request, study.pk, *left
    )
    if request.method == "POST":
        # The very session that the page asked about, whatever began or ended meanwhile.
        if session and request.POST.get("session") == str(session.pk):
            withdrawing.withdraw(session)
        return redirect("thanks", slug)
    if session is None:
        return redirect("thanks", slug)
    context = {"study": study, "session": session, "n_judged": serving.n_judged(session)}
    return render_in(request, session.language, "annotation/withdraw.html", context)
