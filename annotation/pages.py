"""What every page for people begins with: its study, and the language it speaks."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from annotation import team, wording
from annotation.models import Study


def answerable(request: HttpRequest, slug: str) -> Study:
    """A study that people may see; one for simulated observers has no page for people."""
    return shown_to(request, Study.objects.exclude(state=Study.State.DRAFT), slug)


def shown_to(request: HttpRequest, studies: QuerySet[Study], slug: str) -> Study:
    """One of the studies that people may see; a preview is its makers' alone."""
    study = get_object_or_404(studies, slug=slug, is_simulated=False)
    is_preview = study.purpose == Study.Purpose.PREVIEW
    if is_preview and not team.may(request.user, study, team.Role.VIEWER):
        raise Http404
    return study


def render_in(
    request: HttpRequest,
    language: str,
    template: str,
    context: Mapping[str, Any],
    *,
    offered: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """A page in one language; `offered` are those that its reader may change to, by code."""
    languages = offered if offered and len(offered) > 1 else {}
    with wording.spoken(language):
        response = render(
            request,
            template,
            {**context, "language": language, "languages": languages},
            status=status,
        )
    wording.remember_language(request, response)
    return response


def study_tab(
    request: HttpRequest, study: Study, tab: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    """One of the desk's pages about a study."""
    answer_url = request.build_absolute_uri(reverse("welcome", args=[study.slug]))
    own = team.role_of(request.user, study)
    return render(
        request,
        f"annotation/study_{tab}.html",
        {
            "tab": tab,
            "study": study,
            "answer_url": answer_url,
            "may_change": team.covers(own, team.Role.RESEARCHER),
            "may_own": team.covers(own, team.Role.OWNER),
            **context,
        },
        status=status,
    )
