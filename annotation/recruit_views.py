"""The desk's tab about who answers: ways in, invitations, codes, pay."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotation import approving, crowd, inviting, recruiting
from annotation.access import for_researchers, for_viewers
from annotation.models import Study
from annotation.pages import study_tab
from codecs_eval.access import researcher

INVITATIONS_A_PAGE = 50
OUTCOMES = {
    "finished": "Finished",
    "failed": "Failed the practice",
    "screened_out": "Screen or window did not fit",
}


def _tab(request: HttpRequest, study: Study, **context: Any) -> HttpResponse:
    answer_url = request.build_absolute_uri(reverse("welcome", args=[study.slug]))
    rows = study.invitations.select_related("created_by")
    return study_tab(
        request,
        study,
        "recruit",
        modes=Study.Recruiting.choices,
        links=recruiting.links_for(study, answer_url),
        outcomes=[
            (name, label, study.completion_codes.get(name, "")) for name, label in OUTCOMES.items()
        ],
        page=Paginator(rows, INVITATIONS_A_PAGE).get_page(request.GET.get("page")),
        came=recruiting.came(study),
        providers=[(name, crowd.PROVIDERS[name].label) for name in approving.WITH_BONUS_FILE],
        **context,
    )


@for_viewers
@never_cache
@require_GET
def recruit(request: HttpRequest, study: Study) -> HttpResponse:
    return _tab(request, study)


@for_researchers
@require_POST
def change(request: HttpRequest, study: Study) -> HttpResponse:
    codes = {name: request.POST.get(f"code_{name}", "").strip() for name in OUTCOMES}
    try:
        recruiting.change_recruiting(
            study, request.POST.get("recruiting", ""), codes, researcher(request)
        )
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Now open to {study.get_recruiting_display()}.")
    return redirect("study_recruit", study.slug)


@for_researchers
@never_cache
@require_POST
def invite(request: HttpRequest, study: Study) -> HttpResponse:
    """The links stand in this one reply and nowhere else."""
    text = request.POST.get("n", "")
    note = request.POST.get("note", "").strip()
    try:
        n = int(text) if text.isascii() and text.isdigit() else 0
        tokens = inviting.invite(study, n, note, user=researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
        return redirect("study_recruit", study.slug)
    addresses = [
        request.build_absolute_uri(reverse("invitation", args=[token])) for token in tokens
    ]
    return _tab(request, study, new_links=addresses, new_note=note)


@for_researchers
@require_POST
def revoke(request: HttpRequest, study: Study) -> HttpResponse:
    pk = request.POST.get("invitation", "")
    found = get_object_or_404(study.invitations, pk=int(pk) if pk.isdecimal() else 0)
    try:
        inviting.revoke(found, researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{found} lets nobody in any more.")
    return redirect("study_recruit", study.slug)


@for_viewers
@require_GET
def approvals_csv(request: HttpRequest, study: Study) -> StreamingHttpResponse:
    label = "-simulated" if study.is_simulated else ""
    return StreamingHttpResponse(
        approving.approvals_csv(study),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="approvals-{study.slug}{label}.csv"'
        },
    )


@for_researchers
@require_GET
def bonus_csv(request: HttpRequest, study: Study) -> HttpResponse:
    asked = request.GET
    try:
        found = approving.bonuses(
            study,
            asked.get("amount", "").strip(),
            only=asked.get("only", ""),
            provider=asked.get("provider", ""),
        )
    except ValueError as error:
        messages.error(request, f"No bonus file was made: {error}")
        return redirect("study_recruit", study.slug)
    name = f"bonus-{found.provider}-{study.slug}.csv"
    return HttpResponse(
        "".join(found.lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
