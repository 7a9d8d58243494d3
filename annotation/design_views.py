"""The desk's studies: the list, a new one, the design of one, and whether it is open."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotation import designing, team
from annotation.access import for_desk_people, for_researchers, for_viewers
from annotation.design.presets import PRESETS
from annotation.forms import StudyForm
from annotation.models import Study, Trial
from annotation.pages import study_tab
from codecs_eval.access import researcher, researchers_only

# What a careful study begins with; a preset's own settings go before them.
STARTING_SETTINGS = {
    "n_practice": 3,
    "n_warm_up": 2,
    "sentinel_share": 0.1,
    "repeat_share": 0.1,
    "break_every": 40,
}


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


@researchers_only
def new_study(request: HttpRequest) -> HttpResponse:
    preset = PRESETS.get(request.GET.get("preset", ""))
    begin_with = {**STARTING_SETTINGS, **(preset.values if preset else {})}
    initial = {**begin_with, "preset": preset.name if preset else ""}
    form = StudyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            study, planned = designing.create_study(form.design, user=researcher(request))
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            left_out = "; ".join(f"{n} left out: {why}" for why, n in planned.left_out.items())
            checks = ", ".join(f"{n} {kind}" for kind, n in planned.n_checks.items())
            besides = f" Besides them: {checks}." if checks else ""
            messages.success(request, f"{planned.n_triplets} triplets planned.{besides} {left_out}")
            return redirect(study)
    context = {"form": form, "presets": PRESETS.values(), "preset": preset}
    return render(request, "annotation/study_new.html", context)


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
    )


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
