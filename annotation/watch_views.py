"""The desk's tab that shows how a study goes while it goes, and what can be done about it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotation import extending, screening, stopping, watching
from annotation.access import for_researchers, for_viewers
from annotation.models import Study
from annotation.pages import study_tab
from codecs_eval.access import researcher

NEWEST_SESSIONS = 12


@for_viewers
@never_cache
@require_GET
def watch(request: HttpRequest, study: Study) -> HttpResponse:
    newest = study.sessions.order_by("-started_at").values_list("pk", flat=True)
    rows = study.sessions.filter(pk__in=list(newest[:NEWEST_SESSIONS]))
    return study_tab(
        request,
        study,
        "watch",
        watch=watching.watch(study),
        sessions=screening.with_newest(rows).order_by("-started_at"),
        least_observers=stopping.LEAST_OBSERVERS,
    )


@for_researchers
@require_POST
def extend(request: HttpRequest, study: Study) -> HttpResponse:
    text = request.POST.get("judgments", "")
    n = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    try:
        extending.extend(study, n, researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Each triplet is wanted {n} times now.{_reopen(study)}")
    return redirect("study_watch", study.slug)


def _reopen(study: Study) -> str:
    return "" if study.is_open else f" The study is {study.state}; open it to go on."


@for_researchers
@require_POST
def stop_rule(request: HttpRequest, study: Study) -> HttpResponse:
    """In points of per cent, as the page shows them; nothing: no rule."""
    text = request.POST.get("points", "").strip().replace(",", ".")
    try:
        stopping.set_rule(study, _share(text), researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        said = f"It pauses at ± {text} points." if text else "It has no stop rule any more."
        messages.success(request, said)
    return redirect("study_watch", study.slug)


def _share(text: str) -> float | None:
    if not text:
        return None
    try:
        return float(text) / 100
    except ValueError:
        raise ValueError(f"Found {text!r}; expected a number of points, 1 to 50.") from None
