"""The desk's studies: the list, the design of one with its versions, and whether it is open."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotation import designing, dry_running, long_planning, revising, team
from annotation.access import for_desk_people, for_researchers, for_viewers
from annotation.models import Study, Trial
from annotation.pages import study_tab
from annotation.power_forms import DryRunForm
from codecs_eval.access import researcher


@for_desk_people
@require_GET
def studies(request: HttpRequest) -> HttpResponse:
    rows = (
        team.visible_to(request.user)
        .real()
        .annotate(
            n_triplets=Count("triplets", distinct=True),
            n_judged=Count(
                "triplets__trials",
                filter=Q(triplets__trials__state=Trial.State.JUDGED),
                distinct=True,
            ),
        )
    )
    return render(request, "annotation/studies.html", {"studies": rows})


@for_viewers
@require_GET
def design(request: HttpRequest, study: Study) -> HttpResponse:
    return study_tab(
        request,
        study,
        "design",
        n_triplets=dict(
            study.triplets.order_by().values_list("kind").annotate(n=Count("pk")).order_by("kind")
        ),
        n_in_block=study.triplets.filter(kind="main", priority__gt=0).count(),
        sections=designing.described(study),
        versions=_versions(study),
        dry_runs=dry_running.dry_runs_of(study),
        dry_run_form=DryRunForm(),
        planning=long_planning.running(study) if not study.is_frozen else None,
    )


def _versions(study: Study) -> list[dict[str, Any]]:
    """Each version, newest first, with what it changed of the one before; none of a single one."""
    found = revising.versions_of(study)
    if len(found) < 2:
        return []
    rows: list[dict[str, Any]] = [
        {
            "study": version,
            "before": version.copied_from,
            "differences": revising.differences(version.copied_from, version),
        }
        if version.version > 1 and version.copied_from
        else {"study": version, "before": None, "differences": []}
        for version in found
    ]
    return rows[::-1]


@for_researchers
@require_POST
def change_state(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        designing.change_state(study, request.POST.get("state", ""), researcher(request))
    except ValueError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The study is now {study.state}.")
    came_from_watch = request.POST.get("back") == "watch"
    return redirect("study_watch", study.slug) if came_from_watch else redirect(study)
